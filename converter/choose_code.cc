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
  const char* given = asked.beta.has_value()             ? "beta"
                      : asked.silent_steps.has_value()   ? "silent"
                      : asked.threshold.has_value()      ? "threshold"
                      : asked.last_threshold.has_value() ? "last-threshold"
                                                         : nullptr;
  if (given == nullptr) return Status::Ok();
  return Status::InvalidArgument(
      fmt::format("{0}{1}: a rate code has none; leave it out with {0}coding rate", dashes, given));
}

}  // namespace

bool NamesNoCode(const AskedCode& asked, const std::optional<CodeSettings>& quantized) {
  return asked.coding == Coding::kCss && !quantized.has_value() && !asked.timesteps.has_value() &&
         !asked.beta.has_value() && !asked.silent_steps.has_value() &&
         !asked.threshold.has_value() && !asked.last_threshold.has_value() &&
         !asked.input.has_value() && asked.negative_spikes;
}

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
    code.timesteps = asked.timesteps.value_or(code.timesteps);
    code.beta = asked.beta.value_or(code.beta);
    code.silent_steps = asked.silent_steps.value_or(code.silent_steps);
    code.threshold = asked.threshold.value_or(code.threshold);
    code.last_threshold = asked.last_threshold.value_or(code.last_threshold);
  }
  code.negative_spikes = asked.negative_spikes;
  code.input = asked.input;
  return code;
}

Status CheckSearch(const std::vector<std::string>& given,
                   const std::optional<CodeSettings>& quantized, std::string_view dashes) {
  if (!given.empty()) {
    return Status::InvalidArgument(
        fmt::format("{0}{1}: {0}auto chooses it; leave one of the two out", dashes, given.front()));
  }
  if (!quantized.has_value()) return Status::Ok();
  return Status::InvalidArgument(fmt::format(
      "{0}auto: the model is quantized and brings its own code; leave {0}auto out", dashes));
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
