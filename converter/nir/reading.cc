#include "converter/nir/reading.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fmt/format.h"

namespace cssrun::converter {
namespace {

constexpr double kUsualStep = 1e-3;
constexpr double kSnnTorchStep = 1e-4;
// Gains are stored as 32-bit floats, and 1 / (1 - beta) loses digits.
constexpr double kTolerance = 2e-3;

bool Near(double a, double b) { return std::abs(a - b) <= kTolerance * std::abs(b); }

// A step that people choose: 1, 2 or 5 times a power of ten; nothing if `seconds` is none.
std::optional<double> UsualStep(double seconds) {
  if (!(seconds >= 1e-9 && seconds <= 1)) return std::nullopt;
  const double power = std::pow(10.0, std::floor(std::log10(seconds) + kTolerance));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (Near(seconds, digit * power)) return digit * power;
  }
  return std::nullopt;
}

// What the gains of all neurons have in common.
struct Gains {
  bool any = false;            // neurons
  bool leaky = false;          // some have a time constant
  bool all_one = true;         // r is 1
  std::optional<double> step;  // tau / r, or 1 / r without tau, if it is the same for all
  bool same_step = true;
};

void Note(double step, Gains& gains) {
  if (gains.step.has_value() && !Near(step, *gains.step)) gains.same_step = false;
  gains.step = step;
}

void NoteNode(const NirNode& node, Gains& gains) {
  const NirArray* r = node.Find("r");
  if (r == nullptr || r->numbers.empty()) return;
  const NirArray* tau = node.Find("tau");
  if (tau == nullptr) tau = node.Find("tau_mem");
  gains.any = true;
  for (const double gain : r->numbers) gains.all_one &= Near(gain, 1);
  if (tau == nullptr) {
    for (const double gain : r->numbers) Note(1 / gain, gains);
    return;
  }
  gains.leaky = true;
  const size_t count = std::max(tau->numbers.size(), r->numbers.size());
  for (size_t i = 0; i < count && !tau->numbers.empty(); ++i) {
    Note(tau->numbers[i % tau->numbers.size()] / r->numbers[i % r->numbers.size()], gains);
  }
}

// The step for which r = tau / dt exp(-dt / tau) holds of all neurons; nothing if there is none.
std::optional<double> RockpoolStep(const NirGraph& graph) {
  constexpr double kDigits = 2e-4;
  const auto holds = [&graph](double dt) {
    size_t neurons = 0;
    for (const NirNode& node : graph.nodes) {
      const NirArray* r = node.Find("r");
      const NirArray* tau = node.Find("tau");
      if (r == nullptr || tau == nullptr || r->numbers.size() != tau->numbers.size()) continue;
      for (size_t i = 0; i < r->numbers.size(); ++i, ++neurons) {
        const double rate = dt / tau->numbers[i];
        if (!(std::abs(r->numbers[i] * rate - std::exp(-rate)) < kDigits)) return false;
      }
    }
    return neurons > 0;
  };
  for (const double power : {1e-6, 1e-5, 1e-4, 1e-3, 1e-2}) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      if (holds(digit * power)) return digit * power;
    }
  }
  return std::nullopt;
}

const char* NameOf(NirReset reset) {
  switch (reset) {
    case NirReset::kSubtract:
      return "the threshold is subtracted";
    case NirReset::kZero:
      return "the potential becomes 0";
    case NirReset::kValue:
      break;
  }
  return "the potential becomes v_reset";
}

void ChooseExporter(const NirGraph& graph, const NirOptions& options, NirReading& reading) {
  Gains gains;
  for (const NirNode& node : graph.nodes) NoteNode(node, gains);
  const bool alike = gains.step.has_value() && gains.same_step && !gains.all_one;
  const std::optional<double> step = alike ? UsualStep(*gains.step) : std::nullopt;
  reading.equation_dt = options.dt.value_or(kUsualStep);
  if (gains.any && gains.all_one) {
    reading.exporter = gains.leaky ? NirExporter::kNorse : NirExporter::kSinabs;
    reading.unit_gain = !gains.leaky;
  } else if (step.has_value()) {
    reading.exporter = gains.leaky ? NirExporter::kSnnTorch : NirExporter::kSpikingJelly;
    reading.equation_dt = *step;
    reading.unit_gain = true;
  } else if (const std::optional<double> exact = RockpoolStep(graph); exact.has_value()) {
    reading.exporter = NirExporter::kRockpool;
    reading.equation_dt = *exact;
    reading.exact_decay = true;
  }
  reading.step_seconds = options.dt.value_or(reading.equation_dt);
}

void SayExporter(const NirOptions& options, NirReading& reading) {
  std::string text;
  switch (reading.exporter) {
    case NirExporter::kSinabs:
      text =
          "exporter: read as sinabs, since the neurons have no leak and gain 1: each step adds its "
          "input to the potential, however long it is";
      break;
    case NirExporter::kSnnTorch:
      text = fmt::format(
          "exporter: read as snnTorch, since r = tau / {:g} s: each step is v = beta v + input "
          "with "
          "beta = 1 - {:g} s / tau, however long it is",
          reading.equation_dt, reading.equation_dt);
      break;
    case NirExporter::kNorse:
      text = "exporter: read as Norse, since all gains are 1: steps of Euler's method";
      break;
    case NirExporter::kSpikingJelly:
      text = fmt::format(
          "exporter: read as SpikingJelly, since r = 1 / {:g} s: each step adds its input to the "
          "potential, however long it is",
          reading.equation_dt);
      break;
    case NirExporter::kRockpool:
      text = fmt::format(
          "exporter: read as Rockpool, since r = tau / dt exp(-dt / tau) with dt = {:g} s: each "
          "step "
          "is v = alpha (v + input) with alpha = exp(-dt / tau), however long it is",
          reading.equation_dt);
      break;
    case NirExporter::kUnknown:
      text = "exporter: not recognized; steps of Euler's method";
      break;
  }
  reading.assumptions.push_back(text);
  reading.assumptions.push_back(
      fmt::format("time: steps of {:g} s ({})", reading.step_seconds,
                  options.dt.has_value() ? "as asked for" : "assumed; --dt sets another"));
}

void ChooseSpikes(const NirOptions& options, NirReading& reading) {
  const bool sinabs = reading.exporter == NirExporter::kSinabs;
  const bool subtracts = sinabs || reading.exporter == NirExporter::kSnnTorch ||
                         reading.exporter == NirExporter::kRockpool;
  const auto source = [](bool given, const char* option) {
    return given ? std::string("as asked for") : fmt::format("assumed; {} sets it", option);
  };
  reading.reset = options.reset.value_or(subtracts ? NirReset::kSubtract : NirReset::kValue);
  reading.several_spikes = options.several_spikes.value_or(sinabs);
  reading.floor = options.floor.value_or(sinabs ? NirFloor::kThreshold : NirFloor::kNone);
  reading.floor_value = options.floor_value;
  reading.assumptions.push_back(fmt::format("reset: after a spike {} ({})", NameOf(reading.reset),
                                            source(options.reset.has_value(), "--reset")));
  reading.assumptions.push_back(fmt::format(
      "spikes: {} of a neuron at one step ({})",
      reading.several_spikes ? "as many as the potential has thresholds" : "one at most",
      source(options.several_spikes.has_value(), "--spikes")));
  std::string floor = "none";
  if (reading.floor == NirFloor::kThreshold) floor = "potentials stay above minus the threshold";
  if (reading.floor == NirFloor::kValue) {
    floor = fmt::format("potentials stay above {:g}", reading.floor_value);
  }
  reading.assumptions.push_back(
      fmt::format("floor: {} ({})", floor, source(options.floor.has_value(), "--floor")));
  reading.assumptions.emplace_back(
      "weights: rounded to 24 binary digits of the largest one of their layer");
}

}  // namespace

Result<NirReading> ChooseReading(const NirGraph& graph, const NirOptions& options) {
  if (options.dt.has_value() && !(*options.dt >= 1e-9 && *options.dt <= 1e9)) {
    return Status::InvalidArgument("--dt is a time in seconds, from a nanosecond on");
  }
  if (options.floor == NirFloor::kValue && !(options.floor_value <= 0)) {
    return Status::InvalidArgument("--floor is not positive: potentials begin at 0");
  }
  NirReading reading;
  ChooseExporter(graph, options, reading);
  SayExporter(options, reading);
  ChooseSpikes(options, reading);
  if (reading.several_spikes && reading.reset != NirReset::kSubtract) {
    return Status::InvalidArgument(
        "--spikes many needs --reset subtract: a potential that is set to a value has lost how "
        "many "
        "thresholds it had");
  }
  return reading;
}

}  // namespace cssrun::converter
