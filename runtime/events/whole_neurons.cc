#include "runtime/events/whole_neurons.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "runtime/aligned.h"
#include "runtime/events/event_kernels.h"

namespace cssrun::internal {
namespace {

constexpr double kLargestInt = std::numeric_limits<int32_t>::max();
// With thresholds of at least so many units, no 32-bit potential gives more than kMostSpikes spikes
// at a step.
constexpr double kSmallestThreshold = 0x1p16;

// The numbers of a parameter in units, of the neurons of one position or of all.
struct Units {
  bool whole = true;
  double smallest = kLargestInt;  // of the absolute values of finite numbers
  double largest = 0;
  bool any_infinite = false;  // among neurons; lanes beyond the channels do not matter
};

size_t Count(const SpikingLayer& neurons) {
  return neurons.pitch == 0 ? neurons.lanes : neurons.size();
}

// Writes them to row `row` of `whole`, which belongs to `neurons`.
Units PutInUnits(const SpikingLayer& neurons, const double* parameter, size_t row,
                 WholeNeurons& whole) {
  Units units;
  for (size_t i = 0; i < Count(neurons); ++i) {
    int32_t& to = whole.parameters[(i / neurons.lanes * WholeNeurons::kRows + row) * neurons.lanes +
                                   i % neurons.lanes];
    const double number = parameter[i] / neurons.unit;
    if (std::isinf(parameter[i])) {
      to = number > 0 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min();
      units.any_infinite |= i % neurons.lanes < neurons.extent.channels();
      continue;
    }
    units.whole &= std::rint(number) == number && std::abs(number) < kLargestInt / 2;
    if (!units.whole) break;
    to = static_cast<int32_t>(number);
    units.smallest = std::min(units.smallest, std::abs(number));
    units.largest = std::max(units.largest, std::abs(number));
  }
  return units;
}

// Potentials above the returned number reach the threshold.
int32_t HighestBelow(int32_t threshold, bool several) {
  return several && threshold < std::numeric_limits<int32_t>::max() ? threshold - 1 : threshold;
}

bool AllOnes(const SpikingLayer& neurons, const double* parameter) {
  for (size_t i = 0; i < Count(neurons); ++i) {
    if (i % neurons.lanes < neurons.extent.channels() && parameter[i] != 1) return false;
  }
  return true;
}

}  // namespace

std::optional<WholeNeurons> MakeWholeNeurons(const SpikingLayer& neurons) {
  const bool sums_up = neurons.sending == format::EventSending::Spikes &&
                       neurons.current_decay == nullptr && !neurons.forgets &&
                       AllOnes(neurons, neurons.gain.get()) && neurons.unit >= kSmallestPotential;
  const bool spikes_only =
      std::none_of(neurons.connections.begin(), neurons.connections.end(),
                   [](const EventConnection& connection) { return connection.valued; });
  if (!sums_up || !spikes_only || (neurons.several && !neurons.subtracts)) return std::nullopt;
  WholeNeurons whole;
  whole.pitch = neurons.pitch * WholeNeurons::kRows;
  whole.parameters = AllocateAligned<int32_t>(Count(neurons) * WholeNeurons::kRows);
  const auto put = [&](const auto& parameter, size_t row) {
    return PutInUnits(neurons, parameter.get(), row, whole);
  };
  const Units drive = put(neurons.drive, WholeNeurons::kDrive);
  const Units threshold = put(neurons.threshold, WholeNeurons::kThreshold);
  const Units reset_value = put(neurons.reset_value, WholeNeurons::kResetValue);
  const Units floor = put(neurons.floor, WholeNeurons::kFloor);
  if (!drive.whole || !threshold.whole || !reset_value.whole || !floor.whole) return std::nullopt;
  if (neurons.several && threshold.smallest < kSmallestThreshold) return std::nullopt;

  // Potentials stay between a finite floor and the threshold. Otherwise half of the range is for
  // potentials, and half for input.
  const bool bounded = neurons.several && !floor.any_infinite;
  const double needed = std::max({threshold.largest, reset_value.largest, floor.largest});
  const double largest = bounded ? needed : std::max(needed, 0x1p30);
  whole.largest_potential = static_cast<int32_t>(largest);
  whole.largest_input = kLargestInt - largest - drive.largest;
  whole.drives = drive.largest > 0;
  if (whole.largest_input <= 0) return std::nullopt;
  for (size_t i = 0; i < Count(neurons); ++i) {
    int32_t* parameters = whole.parameters.get() +
                          i / neurons.lanes * WholeNeurons::kRows * neurons.lanes +
                          i % neurons.lanes;
    const int32_t reached = parameters[WholeNeurons::kThreshold * neurons.lanes];
    parameters[WholeNeurons::kHighest * neurons.lanes] = HighestBelow(reached, neurons.several);
    parameters[WholeNeurons::kInverse * neurons.lanes] =
        std::bit_cast<int32_t>(1.0F / static_cast<float>(reached));
  }
  return whole;
}

}  // namespace cssrun::internal
