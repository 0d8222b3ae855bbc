#include "runtime/events/event_state.h"

#include <cmath>

#include "runtime/aligned.h"

namespace cssrun::internal {
namespace {

void Fill(double* numbers, size_t count) {
  if (numbers != nullptr) std::fill_n(numbers, count, 0.0);
}

void Fill(int32_t* numbers, size_t count) {
  if (numbers != nullptr) std::fill_n(numbers, count, 0);
}

}  // namespace

EventState::EventState(const SpikingLayer& neurons, bool is_input) : counts(neurons.size()) {
  const size_t neurons_at_once = neurons.positions() * neurons.extent.channels();
  const bool with_values = is_input || neurons.sending == format::EventSending::Values;
  spikes.Reserve(neurons_at_once, with_values);
  spikes.valued = delayed.valued = neurons.sending == format::EventSending::Values;
  if (neurons.delays) delayed.Reserve(neurons_at_once, with_values);
  if (is_input) {
    entries.resize(neurons.size());
  } else {
    potentials = AllocateAligned<double>(neurons.size());
    inputs = AllocateAligned<double>(neurons.size());
    sums = AllocateAligned<int32_t>(neurons.size());
    if (neurons.whole.has_value()) whole_potentials = AllocateAligned<int32_t>(neurons.size());
    if (neurons.current_decay != nullptr) currents = AllocateAligned<double>(neurons.size());
    done.resize(neurons.positions());
    reached = ReachedPositions(neurons.extent.height(), neurons.extent.width());
    listed.resize(neurons.positions() + SpikeList::kRoom);
    Fill(inputs.get(), neurons.size());
    Fill(sums.get(), neurons.size());
  }
  Clear(neurons);
}

void EventState::Clear(const SpikingLayer& neurons) {
  Fill(potentials.get(), neurons.size());
  Fill(whole_potentials.get(), neurons.size());
  Fill(currents.get(), neurons.size());
  is_whole = whole_potentials != nullptr;
  steps_in_double = 0;
  rate = FiringRate();
  std::fill(done.begin(), done.end(), 0);
  std::fill(counts.begin(), counts.end(), 0);
  reached.Clear();
  spikes.Clear();
  delayed.Clear();
}

void EventState::LeaveWhole(const SpikingLayer& neurons) {
  for (size_t i = 0; i < neurons.size(); ++i) potentials[i] = PotentialAt(neurons, i);
  is_whole = false;
  steps_in_double = 0;
}

void EventState::TryWhole(const SpikingLayer& neurons) {
  if (!neurons.whole.has_value()) return;
  const double largest = neurons.whole->largest_potential;
  for (size_t i = 0; i < neurons.size(); ++i) {
    const double units = potentials[i] / neurons.unit;
    if (!(std::abs(units) <= largest) || std::rint(units) != units) return;
    whole_potentials[i] = static_cast<int32_t>(units);
  }
  is_whole = true;
}

void ListSpots(const SpikingLayer& sender, SpikeList& spikes) {
  if (sender.sending == format::EventSending::Values) {
    spikes.ListSpots([](size_t) { return uint64_t{1}; });
  } else if (spikes.valued) {
    spikes.ListSpots([&spikes](size_t i) {
      return static_cast<uint64_t>(std::max(1.0, std::abs(spikes.values[i])));
    });
  } else {
    spikes.ListSpots([&spikes](size_t i) {
      return static_cast<uint64_t>(std::max<int64_t>(1, std::abs(int64_t{spikes.numbers[i]})));
    });
  }
}

}  // namespace cssrun::internal
