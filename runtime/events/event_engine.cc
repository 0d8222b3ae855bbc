#include "runtime/events/event_engine.h"

#include <algorithm>
#include <chrono>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/events/event_kernels.h"

namespace cssrun::internal {
namespace {

using Clock = std::chrono::steady_clock;

struct Place {
  size_t position = 0;
  size_t index = 0;  // [position][lane]
};

Place PlaceOf(const SpikingLayer& neurons, uint64_t neuron) {
  const auto position = static_cast<size_t>(neuron % neurons.positions());
  const auto channel = static_cast<size_t>(neuron / neurons.positions());
  return {position, position * neurons.lanes + channel};
}

}  // namespace

EventEngine::EventEngine(const EventNetwork& network, const EventSessionOptions& options)
    : network_(network), options_(options), layers_(network.nodes.size()) {
  for (const SpikingLayer& neurons : network.nodes) {
    states_.emplace_back(neurons, states_.empty());
    stepped_ |= neurons.stepped;
  }
}

void EventEngine::Reset() {
  now_ = 0;
  for (size_t i = 0; i < states_.size(); ++i) states_[i].Clear(network_.nodes[i]);
  std::fill(layers_.begin(), layers_.end(), EventLayer());
}

bool EventEngine::IsBusy() const {
  return stepped_ || std::any_of(states_.begin(), states_.end(), [](const EventState& state) {
           return !state.delayed.empty() || !state.reached.empty();
         });
}

Status EventEngine::Feed(std::span<const TimedEvent> events, uint64_t until) {
  size_t next = 0;
  while (true) {
    uint64_t step = until;
    if (IsBusy()) {
      step = now_;
    } else if (next < events.size()) {
      step = events[next].step;
    }
    if (step >= until) break;
    if (options_.cancel != nullptr && options_.cancel->load(std::memory_order_relaxed)) {
      return Status::Cancelled("cancelled");
    }
    now_ = step;
    size_t end = next;
    while (end < events.size() && events[end].step == step) ++end;
    TakeEvents(events.subspan(next, end - next));
    next = end;
    Step();
    ++now_;
  }
  now_ = until;
  return Status::Ok();
}

void EventEngine::TakeEvents(std::span<const TimedEvent> events) {
  const SpikingLayer& input = network_.nodes.front();
  EventState& state = states_.front();
  const auto positions = static_cast<uint32_t>(input.positions());
  for (const TimedEvent& event : events) {
    const EventSpike spike{event.address % positions, event.address / positions,
                           static_cast<double>(event.value)};
    CSSRUN_ASSERT(spike.channel < input.extent.channels());
    ++state.counts[spike.position * input.lanes + spike.channel];
    state.spikes.push_back(spike);
  }
  layers_.front().spikes += events.size();
}

void EventEngine::Step() {
  for (size_t i = 1; i < states_.size(); ++i) {
    const Clock::time_point start = options_.profile ? Clock::now() : Clock::time_point();
    StepNode(i);
    if (options_.profile) {
      layers_[i].seconds += std::chrono::duration<double>(Clock::now() - start).count();
    }
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    EventState& state = states_[i];
    if (network_.nodes[i].delays) std::swap(state.spikes, state.delayed);
    state.spikes.clear();
  }
}

void EventEngine::StepNode(size_t node) {
  const SpikingLayer& neurons = network_.nodes[node];
  EventState& state = states_[node];
  EventLayer& layer = layers_[node];
  for (const EventConnection& connection : neurons.connections) {
    const EventState& source = states_[connection.source];
    const std::vector<EventSpike>& spikes = connection.delayed ? source.delayed : source.spikes;
    layer.synops += ScatterSpikes(connection, spikes,
                                  network_.nodes[connection.source].extent.width(), neurons, state);
  }
  if (neurons.stepped) {
    for (size_t row = 0; row < neurons.extent.height(); ++row) {
      state.reached.Add(row, 0, neurons.extent.width());
    }
  }
  layer.updates += UpdateReached(neurons, now_, state);
  if (neurons.sending == format::EventSending::Values) {
    layer.spikes += state.spikes.size();
  } else {
    for (const EventSpike& spike : state.spikes) layer.spikes += static_cast<uint64_t>(spike.value);
  }
}

double EventEngine::PotentialOf(size_t node, uint64_t neuron) const {
  const SpikingLayer& neurons = network_.nodes[node];
  const EventState& state = states_[node];
  const Place place = PlaceOf(neurons, neuron);
  const size_t lane = place.index - place.position * neurons.lanes;
  const double decay = neurons.decay[neurons.ParametersAt(place.position) + lane];
  return LeakFor(state.potentials[place.index], decay, now_ - state.done[place.position]);
}

uint64_t EventEngine::CountOf(size_t node, uint64_t neuron) const {
  return states_[node].counts[PlaceOf(network_.nodes[node], neuron).index];
}

}  // namespace cssrun::internal
