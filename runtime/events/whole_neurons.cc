#include "runtime/events/whole_neurons.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "runtime/aligned.h"
#include "runtime/events/event_kernels.h"

namespace cssrun::internal {
namespace {

constexpr double kLargestInt = std::numeric_limits<int32_t>::max();
// With several spikes at a step, thresholds of so many units or more leave no potential of 32 bits
// with more than kMostSpikes of them.
constexpr double kSmallestThreshold = 0x1p16;

// The numbers of a parameter in units.
struct Units {
  bool whole = true;
  double smallest = 0;  // of the absolute values of finite numbers
  double largest = 0;
  bool any_infinite = false;  // among neurons; lanes beyond the channels do not matter
  hwy::AlignedFreeUniquePtr<int32_t[]> numbers;
};

Units InUnits(const SpikingLayer& neurons, const double* parameter) {
  const size_t count = neurons.pitch == 0 ? neurons.lanes : neurons.size();
  Units units;
  units.smallest = kLargestInt;
  units.numbers = AllocateAligned<int32_t>(count);
  for (size_t i = 0; i < count; ++i) {
    const double number = parameter[i] / neurons.unit;
    if (std::isinf(parameter[i])) {
      units.numbers[i] =
          number > 0 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min();
      units.any_infinite |= i % neurons.lanes < neurons.extent.channels();
      continue;
    }
    units.whole &= std::rint(number) == number && std::abs(number) < kLargestInt / 2;
    if (!units.whole) break;
    units.numbers[i] = static_cast<int32_t>(number);
    units.smallest = std::min(units.smallest, std::abs(number));
    units.largest = std::max(units.largest, std::abs(number));
  }
  return units;
}

bool AllOnes(const SpikingLayer& neurons, const double* parameter) {
  const size_t count = neurons.pitch == 0 ? neurons.lanes : neurons.size();
  for (size_t i = 0; i < count; ++i) {
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
  if (!sums_up || !spikes_only) return std::nullopt;
  Units drive = InUnits(neurons, neurons.drive.get());
  Units threshold = InUnits(neurons, neurons.threshold.get());
  Units reset_value = InUnits(neurons, neurons.reset_value.get());
  Units floor = InUnits(neurons, neurons.floor.get());
  if (!drive.whole || !threshold.whole || !reset_value.whole || !floor.whole) return std::nullopt;
  if (neurons.several && threshold.smallest < kSmallestThreshold) return std::nullopt;

  WholeNeurons whole;
  // Between the floor and the threshold a potential stays by itself. Otherwise half of the range is
  // for potentials, and half for input.
  whole.bounded = neurons.several && neurons.subtracts && !floor.any_infinite;
  const double needed = std::max({threshold.largest, reset_value.largest, floor.largest});
  const double largest = whole.bounded ? needed : std::max(needed, 0x1p30);
  whole.largest_potential = static_cast<int32_t>(largest);
  whole.largest_input = kLargestInt - largest - drive.largest;
  if (whole.largest_input <= 0) return std::nullopt;
  const size_t count = neurons.pitch == 0 ? neurons.lanes : neurons.size();
  whole.highest = AllocateAligned<int32_t>(count);
  for (size_t i = 0; i < count; ++i) {
    const bool beyond = threshold.numbers[i] == std::numeric_limits<int32_t>::max();
    whole.highest[i] = threshold.numbers[i] - (neurons.several && !beyond ? 1 : 0);
  }
  whole.drive = std::move(drive.numbers);
  whole.threshold = std::move(threshold.numbers);
  whole.reset_value = std::move(reset_value.numbers);
  whole.floor = std::move(floor.numbers);
  return whole;
}

}  // namespace cssrun::internal
