#include "tools/cssconvert_nir.h"

#include <charconv>
#include <map>
#include <set>
#include <system_error>

#include "converter/nir/convert_nir.h"
#include "fmt/format.h"
#include "format/file_bytes.h"
#include "format/write_atomically.h"
#include "tools/args.h"
#include "tools/file_kinds.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

constexpr char kGroup[] = "Spiking networks (NIR): what the file does not say";
constexpr size_t kMaximumModel = size_t{1} << 31;
const std::set<std::string> kNirOptions = {"--dt", "--reset", "--spikes", "--floor"};
const std::set<std::string> kCommonOptions = {"MODEL", "--output", "--labels", "--limit"};

const std::map<std::string, converter::NirReset> kResets = {
    {"subtract", converter::NirReset::kSubtract},
    {"zero", converter::NirReset::kZero},
    {"value", converter::NirReset::kValue}};
const std::map<std::string, bool> kSpikes = {{"one", false}, {"many", true}};

// A number and what follows it; nothing if it is none.
struct NumberAndUnit {
  double number = 0;
  std::string unit;
};

std::optional<NumberAndUnit> SplitUnit(const std::string& text) {
  NumberAndUnit split;
  const char* end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, split.number);
  if (error != std::errc()) return std::nullopt;
  split.unit.assign(after, end);
  return split;
}

Result<converter::NirOptions> OptionsOf(const NirArguments& arguments) {
  static const std::map<std::string, double> kUnits = {
      {"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};
  converter::NirOptions options;
  options.reset = arguments.reset;
  options.several_spikes = arguments.several_spikes;
  if (!arguments.dt.empty()) {
    const std::optional<NumberAndUnit> dt = SplitUnit(arguments.dt);
    if (!dt.has_value() || !kUnits.contains(dt->unit)) {
      return Status::InvalidArgument("--dt " + arguments.dt +
                                     ": not a time; give seconds, or a unit, such as 1ms");
    }
    options.dt = dt->number * kUnits.at(dt->unit);
  }
  if (arguments.floor == "none") {
    options.floor = converter::NirFloor::kNone;
  } else if (arguments.floor == "threshold") {
    options.floor = converter::NirFloor::kThreshold;
  } else if (!arguments.floor.empty()) {
    const std::optional<NumberAndUnit> floor = SplitUnit(arguments.floor);
    if (!floor.has_value() || !floor->unit.empty()) {
      return Status::InvalidArgument("--floor " + arguments.floor +
                                     ": give none, threshold or a number that is not positive");
    }
    options.floor = converter::NirFloor::kValue;
    options.floor_value = floor->number;
  }
  return options;
}

}  // namespace

void DeclareNir(CLI::App& app, NirArguments& arguments) {
  app.add_option("--dt", arguments.dt,
                 "length of a step, in seconds or with a unit (what the exporter is known to take, "
                 "or 1ms)")
      ->type_name("TIME")
      ->group(kGroup);
  app.add_option("--reset", arguments.reset,
                 "what a spike does to the potential: subtract (the threshold), zero, value "
                 "(v_reset of the file); without it, as the exporter is known to do")
      ->transform(OneOf(kResets, "subtract|zero|value"))
      ->option_text("subtract|zero|value")
      ->group(kGroup);
  app.add_option("--spikes", arguments.several_spikes,
                 "how many spikes a neuron may send at one step: one, many")
      ->transform(OneOf(kSpikes, "one|many"))
      ->option_text("one|many")
      ->group(kGroup);
  app.add_option("--floor", arguments.floor,
                 "below what potentials never fall: none, threshold (minus it), or a number")
      ->type_name("none|threshold|V")
      ->group(kGroup);
}

bool IsNirFile(const std::string& path) { return RecognizeFile(BeginOf(path)) == FileKind::kHdf5; }

Status CheckNirOptions(const CLI::App& app, bool is_nir) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    const std::string name = option->get_name();
    const bool of_nir = kNirOptions.contains(name);
    if (is_nir && !of_nir && !kCommonOptions.contains(name)) {
      return Status::InvalidArgument(
          name +
          ": for ANNs (ONNX); a spiking network (NIR) is taken as it was trained. Leave it "
          "out");
    }
    if (!is_nir && of_nir) {
      return Status::InvalidArgument(name + ": for spiking networks (NIR). Leave it out");
    }
  }
  return Status::Ok();
}

Status ConvertNirFile(const std::string& model, const std::string& output,
                      const NirArguments& arguments, const std::vector<std::string>& labels,
                      const NetworkLimits& limits) {
  const Result<converter::NirOptions> options = OptionsOf(arguments);
  if (!options.ok()) return options.status();
  const Result<format::FileBytes> bytes = format::ReadFileBytes(model, kMaximumModel);
  if (!bytes.ok()) return bytes.status();
  const Result<converter::NirConversion> conversion =
      converter::ConvertNir(bytes.value().bytes(), model, options.value(), labels, limits);
  if (!conversion.ok()) return conversion.status();
  const flatbuffers::DetachedBuffer& network = conversion.value().bytes;
  if (Status status = format::WriteFileAtomically(output, {network.data(), network.size()});
      !status.ok()) {
    return status;
  }
  PrintMessage(TerminalText(conversion.value().report, true));
  PrintMessage(fmt::format("Wrote {}: {:.1f} kB\n", TerminalText(output),
                           static_cast<double>(network.size()) / 1e3));
  return Status::Ok();
}

}  // namespace cssrun::tools
