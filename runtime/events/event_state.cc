#include "runtime/events/event_state.h"

#include "runtime/aligned.h"

namespace cssrun::internal {

EventState::EventState(const SpikingLayer& neurons, bool is_input) : counts(neurons.size()) {
  const size_t spikes_at_once = neurons.positions() * neurons.extent.channels();
  if (!is_input) {
    spikes.reserve(spikes_at_once);
    potentials = AllocateAligned<double>(neurons.size());
    inputs = AllocateAligned<double>(neurons.size());
    if (neurons.current_decay != nullptr) currents = AllocateAligned<double>(neurons.size());
    done.resize(neurons.positions());
    reached = PositionSet(neurons.extent.height(), neurons.extent.width());
  }
  if (neurons.delays) delayed.reserve(spikes_at_once);
  Clear(neurons);
}

void EventState::Clear(const SpikingLayer& neurons) {
  for (double* numbers : {potentials.get(), currents.get(), inputs.get()}) {
    if (numbers != nullptr) std::fill_n(numbers, neurons.size(), 0.0);
  }
  std::fill(done.begin(), done.end(), 0);
  std::fill(counts.begin(), counts.end(), 0);
  reached.Clear();
  spikes.clear();
  delayed.clear();
}

}  // namespace cssrun::internal
