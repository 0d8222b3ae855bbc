#include "converter/choose_code.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace cssrun::converter {
namespace {

template <class T>
Status CheckRange(std::string_view dashes, const char* option, const std::optional<T>& value,
                  T least, T most) {
  if (!value.has_value() || (*value >= least && *value <= most)) return Status::Ok();
  return Status::InvalidArgument(
      fmt::format("{}{} {}: between {} and {}", dashes, option, *value, least, most));
}

Status CheckRanges(const AskedCode& asked, std::string_view dashes) {
  for (const Status& status :
       {CheckRange<uint32_t>(dashes, "timesteps", asked.timesteps, 1, 256),
        CheckRange<float>(dashes, "beta", asked.beta, 1, 4),
        CheckRange<uint32_t>(dashes, "silent", asked.silent_steps, 0, 8),
        CheckRange<float>(dashes, "threshold", asked.threshold, 0.1F, 1.5F),
        CheckRange<float>(dashes, "last-threshold", asked.last_threshold, 0.1F, 1.5F)}) {
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status CheckRate(const AskedCode& asked, std::string_view dashes) {
  const char* given = asked.paper                        ? "paper"
                      : asked.beta.has_value()           ? "beta"
                      : asked.silent_steps.has_value()   ? "silent"
                      : asked.threshold.has_value()      ? "threshold"
                      : asked.last_threshold.has_value() ? "last-threshold"
                                                         : nullptr;
  if (given == nullptr) return Status::Ok();
  return Status::InvalidArgument(
      fmt::format("{0}{1}: a rate code has none; leave it out with {0}coding rate", dashes, given));
}

// A share where a percentage is meant would ask for nothing.
constexpr double kLeastAgreement = 50;

Status CheckPercents(const AskedSearch& asked, std::string_view dashes) {
  if (const Status status = CheckRange<double>(dashes, "agree", asked.agree, kLeastAgreement, 100);
      !status.ok()) {
    return Status::InvalidArgument(status.message() + " percent");
  }
  if (const Status status = CheckRange<double>(dashes, "auto", asked.automatic, 0, 100);
      !status.ok()) {
    return Status::InvalidArgument(status.message() + " percent");
  }
  return Status::Ok();
}

Status CheckOneSearch(const AskedSearch& asked, std::string_view dashes) {
  if (!asked.automatic.has_value()) return Status::Ok();
  if (asked.goal.has_value()) {
    return Status::InvalidArgument(
        fmt::format("{0}goal: {0}auto is {0}goal energy; leave one of the two out", dashes));
  }
  if (!asked.agree.has_value()) return Status::Ok();
  return Status::InvalidArgument(
      fmt::format("{0}agree: the percent of {0}auto says it already; leave one of the two out, or "
                  "write {0}goal energy for {0}auto",
                  dashes));
}

}  // namespace

Result<CodeSettings> ChooseCode(const AskedCode& asked,
                                const std::optional<CodeSettings>& quantized,
                                std::string_view dashes) {
  if (Status status = CheckRanges(asked, dashes); !status.ok()) return status;
  CodeSettings code;
  if (asked.coding == Coding::kRate) {
    if (Status status = CheckRate(asked, dashes); !status.ok()) return status;
    code = CodeSettings::Rate(asked.timesteps.value_or(code.timesteps), asked.negative_spikes);
  } else {
    if (quantized.has_value()) code = *quantized;
    if (asked.paper) code = CodeSettings::Paper();
    code.timesteps = asked.timesteps.value_or(code.timesteps);
    code.beta = asked.beta.value_or(code.beta);
    code.silent_steps = asked.silent_steps.value_or(code.silent_steps);
    if (code.Settled()) code.threshold = kSettledThreshold;
    code.threshold = asked.threshold.value_or(code.threshold);
    code.last_threshold = asked.last_threshold.value_or(code.last_threshold);
  }
  code.negative_spikes = asked.negative_spikes;
  code.input = asked.input;
  return code;
}

Result<std::optional<CodeSearch>> ChooseSearch(const AskedSearch& asked,
                                               const std::optional<CodeSettings>& quantized,
                                               std::string_view dashes) {
  if (Status status = CheckPercents(asked, dashes); !status.ok()) return status;
  if (Status status = CheckOneSearch(asked, dashes); !status.ok()) return status;
  const char* by = asked.automatic.has_value() ? "auto"
                   : asked.goal.has_value()    ? "goal"
                   : asked.agree.has_value()   ? "agree"
                                               : nullptr;
  if (by == nullptr) {
    if (quantized.has_value() || !asked.code.empty()) return std::optional<CodeSearch>();
    return std::optional<CodeSearch>(CodeSearch());
  }
  CodeSearch search;
  search.goal = asked.automatic.has_value() ? Goal::kEnergy : asked.goal.value_or(search.goal);
  if (asked.agree.has_value()) search.agreement = *asked.agree / 100;
  if (asked.automatic.has_value()) search.agreement = 1 - *asked.automatic / 100;
  std::vector<std::string> contradicting = asked.code;
  if (search.goal == Goal::kEnergy) {
    contradicting.insert(contradicting.end(), asked.amplitudes.begin(), asked.amplitudes.end());
  }
  if (!contradicting.empty()) {
    const char* chooses = asked.agree.has_value() && !asked.goal.has_value()
                              ? "is for a code that is chosen by measurement"
                              : "chooses it";
    return Status::InvalidArgument(fmt::format("{0}{1}: {0}{2} {3}; leave one of the two out",
                                               dashes, contradicting.front(), by, chooses));
  }
  if (!quantized.has_value()) return std::optional<CodeSearch>(search);
  return Status::InvalidArgument(fmt::format(
      "{0}{1}: the model is quantized and brings its own code; leave {0}{1} out", dashes, by));
}

Status SpreadOverChannels(const std::string& option, float fallback, size_t channels,
                          std::string_view dashes, std::vector<float>& values) {
  if (values.empty()) values.push_back(fallback);
  if (values.size() == 1) values.resize(channels, values[0]);
  if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); })) {
    return Status::InvalidArgument(fmt::format("{}{}: not a finite number", dashes, option));
  }
  const bool positive =
      option != "std" || std::ranges::all_of(values, [](float v) { return v > 0; });
  if (values.size() == channels && positive) return Status::Ok();
  return Status::InvalidArgument(fmt::format("{}{}: the model takes {} channels{}", dashes, option,
                                             channels,
                                             positive ? "" : ", and each deviation is positive"));
}

}  // namespace cssrun::converter
