#include "converter/nir/neurons.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "format/geometry.h"

namespace cssrun::converter {
namespace {

// A leak that is nearer to none cannot be told from none by those who make up for silent steps.
constexpr double kSlowestRate = 0x1p-20;
// 32-bit floats in the file, and what is lost in 1 / (1 - beta).
constexpr double kUnitTolerance = 1e-3;

// The parameters of some neurons: one for all, one per channel or one per neuron.
class Parameters {
 public:
  Parameters(const NirNode& node, const format::Extent& extent) : node_(node), extent_(extent) {}

  // The field's numbers; one number, `absent`, where there is no such field.
  std::vector<double> Get(const char* field, std::optional<double> absent) {
    const NirArray* array = node_.Find(field);
    if (array == nullptr && absent.has_value()) return {*absent};
    const size_t size = array == nullptr ? 0 : array->numbers.size();
    const uint64_t neurons = format::Neurons(extent_);
    if (size == 0 || (size != 1 && size != extent_.channels() && size != neurons)) {
      problem_ = NirProblem{std::string(field) + " holds " + std::to_string(size) +
                                " numbers for " + std::to_string(neurons) + " neurons",
                            "export the model again"};
      return {0};
    }
    return array->numbers;
  }

  // function(a, b) for each neuron.
  std::vector<double> Combine(const std::vector<double>& a, const std::vector<double>& b,
                              double (*function)(double, double)) const {
    std::vector<double> result(std::max(a.size(), b.size()));
    for (size_t i = 0; i < result.size(); ++i) {
      result[i] = function(At(a, i, result.size()), At(b, i, result.size()));
    }
    return result;
  }

  const std::optional<NirProblem>& problem() const { return problem_; }

 private:
  double At(const std::vector<double>& numbers, size_t index, size_t count) const {
    if (numbers.size() == 1) return numbers[0];
    return numbers.size() == count ? numbers[index] : numbers[index / format::Positions(extent_)];
  }

  const NirNode& node_;
  format::Extent extent_;
  std::optional<NirProblem> problem_;
};

double Product(double a, double b) { return a * b; }
double Quotient(double a, double b) { return a / b; }
double Sum(double a, double b) { return a + b; }

// Gains that cancel dt are 1 but for the digits that the file has lost.
void Snap(std::vector<double>& gains) {
  for (double& gain : gains) {
    if (std::abs(gain - 1) < kUnitTolerance) gain = 1;
  }
}

// dt / tau.
std::vector<double> Rates(Parameters& parameters, const char* tau, double dt) {
  return parameters.Combine({dt}, parameters.Get(tau, std::nullopt), Quotient);
}

std::vector<double> Decays(const std::vector<double>& rates) {
  std::vector<double> decays = rates;
  for (double& decay : decays) decay = 1 - decay;
  return decays;
}

std::optional<NirProblem> CheckRates(const std::vector<double>& rates) {
  const auto too_fast = [](double rate) { return !(rate > 0 && rate <= 1); };
  if (std::any_of(rates.begin(), rates.end(), too_fast)) {
    return NirProblem{"a time constant is shorter than a step, or not positive",
                      "give a shorter step with --dt"};
  }
  const auto too_slow = [](double rate) { return rate < kSlowestRate; };
  if (std::any_of(rates.begin(), rates.end(), too_slow)) {
    return NirProblem{"a time constant is longer than a million steps",
                      "give a longer step with --dt"};
  }
  return std::nullopt;
}

std::optional<NirProblem> SetLeak(const NirNode& node, const NirReading& reading,
                                  Parameters& parameters, const std::vector<double>& bias,
                                  format::EventNodeT& to) {
  const bool has_current = node.type == "CubaLIF" || node.type == "CubaLI";
  const std::vector<double> rates =
      Rates(parameters, has_current ? "tau_mem" : "tau", reading.equation_dt);
  if (parameters.problem().has_value()) return parameters.problem();
  if (auto problem = CheckRates(rates); problem.has_value()) return problem;
  to.decay = Decays(rates);
  to.gain = parameters.Combine(rates, parameters.Get("r", 1), Product);
  const std::vector<double> leak = parameters.Combine(rates, parameters.Get("v_leak", 0), Product);
  if (!has_current) {
    if (reading.unit_gain) Snap(to.gain);
    to.drive = parameters.Combine(leak, parameters.Combine(to.gain, bias, Product), Sum);
    return std::nullopt;
  }
  const std::vector<double> currents = Rates(parameters, "tau_syn", reading.equation_dt);
  if (parameters.problem().has_value()) return parameters.problem();
  if (auto problem = CheckRates(currents); problem.has_value()) return problem;
  if (std::any_of(leak.begin(), leak.end(), [](double x) { return x != 0; })) {
    return NirProblem{"v_leak is not 0, beside a current", "train with a v_leak of 0"};
  }
  to.current_decay = Decays(currents);
  to.gain = parameters.Combine(
      to.gain, parameters.Combine(currents, parameters.Get("w_in", 1), Product), Product);
  if (reading.unit_gain) Snap(to.gain);
  to.drive = bias;
  return std::nullopt;
}

void SetIntegrator(const NirReading& reading, Parameters& parameters,
                   const std::vector<double>& bias, format::EventNodeT& to) {
  const std::vector<double> r = parameters.Get("r", 1);
  const bool ones =
      std::all_of(r.begin(), r.end(), [](double x) { return std::abs(x - 1) < kUnitTolerance; });
  to.decay = {1};
  to.gain = parameters.Combine(r, {ones ? 1 : reading.equation_dt}, Product);
  if (reading.unit_gain || ones) Snap(to.gain);
  to.drive = parameters.Combine(to.gain, bias, Product);
}

std::optional<NirProblem> SetSpikes(const NirReading& reading, Parameters& parameters,
                                    format::EventNodeT& to) {
  to.sending = format::EventSending::Spikes;
  to.threshold = parameters.Get("v_threshold", std::nullopt);
  to.reset_value = parameters.Get("v_reset", 0);
  if (parameters.problem().has_value()) return parameters.problem();
  to.several = reading.several_spikes;
  to.reset = reading.reset == NirReset::kSubtract ? format::EventReset::Subtract
                                                  : format::EventReset::Value;
  if (reading.reset == NirReset::kZero) to.reset_value = {0};
  if (reading.reset == NirReset::kSubtract) to.reset_value.clear();
  if (reading.floor == NirFloor::kValue) to.floor = {reading.floor_value};
  if (reading.floor == NirFloor::kThreshold) {
    to.floor = parameters.Combine({-1}, to.threshold, Product);
  }
  const std::vector<double> room = parameters.Combine(
      to.threshold, to.reset_value.empty() ? std::vector<double>{0} : to.reset_value,
      [](double threshold, double reset) { return std::min(threshold, threshold - reset); });
  if (std::all_of(room.begin(), room.end(), [](double x) { return x > 0; })) return std::nullopt;
  return NirProblem{"a threshold is not above 0, or not above the reset: the neuron never rests",
                    "train with thresholds above v_reset, or convert with --reset zero"};
}

void SetThreshold(const NirNode& node, Parameters& parameters, const std::vector<double>& bias,
                  format::EventNodeT& to) {
  (void)node;
  to.sending = format::EventSending::Spikes;
  to.decay = {0};
  to.gain = {1};
  to.drive = bias;
  to.threshold = parameters.Get("threshold", std::nullopt);
  to.reset = format::EventReset::Value;
  to.reset_value = {0};
}

}  // namespace

bool HasNeurons(const std::string& type) {
  static const std::set<std::string> kTypes = {"IF",      "LIF",    "LI",       "I",
                                               "CubaLIF", "CubaLI", "Threshold"};
  return kTypes.contains(type);
}

std::optional<format::Extent> NirExtentOf(const std::vector<int64_t>& shape) {
  constexpr int64_t kMostChannels = 1 << 16;
  constexpr int64_t kMostSide = 1 << 14;
  std::array<int64_t, 3> sides = {1, 1, 1};
  if (shape.empty() || shape.size() > sides.size()) return std::nullopt;
  sides[0] = shape[0];
  if (shape.size() > 1) sides[2] = shape.back();
  if (shape.size() == 3) sides[1] = shape[1];
  if (sides[0] < 1 || sides[0] > kMostChannels) return std::nullopt;
  for (const size_t i : {1, 2}) {
    if (sides.at(i) < 1 || sides.at(i) > kMostSide) return std::nullopt;
  }
  return format::Extent(static_cast<uint32_t>(sides[0]), static_cast<uint32_t>(sides[1]),
                        static_cast<uint32_t>(sides[2]));
}

std::optional<format::Extent> OwnExtent(const NirNode& node) {
  for (const char* field : {"v_threshold", "threshold", "r", "tau", "tau_mem"}) {
    const NirArray* array = node.Find(field);
    if (array != nullptr && array->numbers.size() > 1) return NirExtentOf(array->shape);
  }
  return std::nullopt;
}

std::vector<double> Compressed(std::vector<double> numbers, const format::Extent& extent) {
  if (numbers.empty()) return numbers;
  const auto equal = [&](size_t first, size_t count) {
    return std::all_of(numbers.begin() + static_cast<std::ptrdiff_t>(first),
                       numbers.begin() + static_cast<std::ptrdiff_t>(first + count),
                       [&](double x) { return x == numbers[first]; });
  };
  if (equal(0, numbers.size())) return {numbers[0]};
  const size_t positions = format::Positions(extent);
  if (numbers.size() != extent.channels() * positions) return numbers;
  std::vector<double> channels;
  for (size_t channel = 0; channel < extent.channels(); ++channel) {
    if (!equal(channel * positions, positions)) return numbers;
    channels.push_back(numbers[channel * positions]);
  }
  return channels;
}

std::optional<NirProblem> SetNeurons(const NirNode& node, const NirReading& reading,
                                     const std::vector<double>& bias, format::EventNodeT& to) {
  Parameters parameters(node, *to.extent);
  to.sending = format::EventSending::Values;
  if (node.type == "Threshold") {
    SetThreshold(node, parameters, bias, to);
  } else if (node.type == "IF" || node.type == "I") {
    SetIntegrator(reading, parameters, bias, to);
  } else if (auto problem = SetLeak(node, reading, parameters, bias, to); problem.has_value()) {
    return problem;
  }
  if (node.type == "IF" || node.type == "LIF" || node.type == "CubaLIF") {
    if (auto problem = SetSpikes(reading, parameters, to); problem.has_value()) return problem;
  }
  for (std::vector<double>* numbers : {&to.decay, &to.gain, &to.drive, &to.current_decay,
                                       &to.threshold, &to.reset_value, &to.floor}) {
    *numbers = Compressed(std::move(*numbers), *to.extent);
    if (std::any_of(numbers->begin(), numbers->end(),
                    [](double x) { return !(std::abs(x) <= 1e30); })) {
      return NirProblem{"a parameter is not a number, or too large", "export the model again"};
    }
  }
  return parameters.problem();
}

}  // namespace cssrun::converter
