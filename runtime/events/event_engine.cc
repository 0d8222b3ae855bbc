#include "runtime/events/event_engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/events/event_kernels.h"
#include "runtime/seconds_since.h"

namespace cssrun::internal {
namespace {

using Clock = std::chrono::steady_clock;

// Sums of at most this many units fit 32 bits.
constexpr double kLargestSum = std::numeric_limits<int32_t>::max();
// A layer that has left whole numbers tries them again after so many steps.
constexpr uint64_t kStepsInDouble = 64;

struct Place {
  size_t position = 0;
  size_t index = 0;  // [position][lane]
};

Place PlaceOf(const SpikingLayer& neurons, uint64_t neuron) {
  const auto position = static_cast<size_t>(neuron % neurons.positions());
  const auto channel = static_cast<size_t>(neuron / neurons.positions());
  return {position, position * neurons.lanes + channel};
}

// A bound of what a target can get from `spikes`, in units; exact only as far as `enough` needs.
double LargestInput(const EventConnection& connection, const SpikeList& spikes, double enough) {
  if (spikes.empty()) return 0;
  if (spikes.valued) return std::numeric_limits<double>::infinity();
  const double at_most =
      std::min(spikes.largest * connection.largest_sum, spikes.total * connection.largest_of_any);
  if (at_most <= enough) return at_most;
  double sum = 0;
  for (size_t i = 0; i < spikes.size; ++i) {
    sum += std::abs(static_cast<double>(spikes.numbers[i])) *
           connection.largest_of_spike[spikes.channels[i]];
  }
  return std::min(sum, at_most);
}

// Counts what the neurons of a layer have sent at this step, and lists its spots.
void CountSpikes(const SpikingLayer& neurons, EventState& state, EventLayer& layer) {
  SpikeList& spikes = state.spikes;
  const uint32_t* positions = spikes.positions.data();
  const uint32_t* channels = spikes.channels.data();
  const int32_t* numbers = spikes.numbers.data();
  uint64_t* counts = state.counts.data();
  const size_t lanes = neurons.lanes;
  uint64_t total = 0;
  int32_t largest = 0;
  spikes.ListSpots([&](size_t i) {
    const auto number = static_cast<uint64_t>(numbers[i]);
    counts[positions[i] * lanes + channels[i]] += number;
    total += number;
    largest = std::max(largest, numbers[i]);
    return number;
  });
  spikes.largest = largest;
  spikes.total = static_cast<double>(total);
  layer.spikes += total;
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
    CSSRUN_ASSERT(step >= now_);
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
  CSSRUN_ASSERT(next == events.size());
  now_ = until;
  return Status::Ok();
}

void EventEngine::TakeEvents(std::span<const TimedEvent> events) {
  const SpikingLayer& input = network_.nodes.front();
  EventState& state = states_.front();
  SpikeList& spikes = state.spikes;
  const auto positions = static_cast<uint32_t>(input.positions());
  for (const TimedEvent& event : events) {
    const uint32_t position = event.address % positions;
    const uint32_t channel = event.address / positions;
    CSSRUN_ASSERT(channel < input.extent.channels());
    const size_t index = position * input.lanes + channel;
    ++state.counts[index];
    if (state.entries[index] == 0) {
      spikes.positions[spikes.size] = position;
      spikes.channels[spikes.size] = channel;
      spikes.values[spikes.size] = 0;
      state.entries[index] = static_cast<uint32_t>(++spikes.size);
    }
    spikes.values[state.entries[index] - 1] += static_cast<double>(event.value);
  }
  spikes.valued = false;
  for (size_t i = 0; i < spikes.size; ++i) {
    const double value = spikes.values[i];
    state.entries[spikes.positions[i] * input.lanes + spikes.channels[i]] = 0;
    spikes.largest = std::max(spikes.largest, std::abs(value));
    spikes.total += std::abs(value);
    spikes.valued |= std::rint(value) != value;
    spikes.numbers[i] = static_cast<int32_t>(std::clamp(value, -kLargestSum, kLargestSum));
  }
  spikes.valued |= spikes.largest > kLargestSum;
  ListSpots(input, spikes);
  layers_.front().spikes += events.size();
}

void EventEngine::Step() {
  for (size_t i = 1; i < states_.size(); ++i) {
    const Clock::time_point start = options_.profile ? Clock::now() : Clock::time_point();
    StepNode(i);
    if (options_.profile) layers_[i].seconds += SecondsSince(start);
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    EventState& state = states_[i];
    if (network_.nodes[i].delays) std::swap(state.spikes, state.delayed);
    state.spikes.Clear();
  }
}

void EventEngine::ScatterTo(size_t node) {
  const SpikingLayer& neurons = network_.nodes[node];
  EventState& state = states_[node];
  const double enough =
      state.is_whole ? std::min(neurons.whole->largest_input, kLargestSum) : kLargestSum;
  double largest = 0;
  for (const EventConnection& connection : neurons.connections) {
    largest += LargestInput(connection, SpikesOf(connection), enough);
  }
  state.wide = largest > kLargestSum;
  if (state.is_whole && largest > enough) state.LeaveWhole(neurons);
  for (const EventConnection& connection : neurons.connections) {
    layers_[node].synops +=
        ScatterSpikes(connection, SpikesOf(connection),
                      network_.nodes[connection.source].extent.width(), neurons, state);
  }
}

const SpikeList& EventEngine::SpikesOf(const EventConnection& connection) const {
  const EventState& source = states_[connection.source];
  return connection.delayed ? source.delayed : source.spikes;
}

void EventEngine::StepNode(size_t node) {
  const SpikingLayer& neurons = network_.nodes[node];
  EventState& state = states_[node];
  EventLayer& layer = layers_[node];
  ScatterTo(node);
  if (neurons.stepped) {
    for (size_t row = 0; row < neurons.extent.height(); ++row) {
      state.reached.Add(row, 0, neurons.extent.width());
    }
  }
  layer.updates += UpdateReached(neurons, now_, state);
  if (neurons.sending == format::EventSending::Values) {
    layer.spikes += state.spikes.size;
    ListSpots(neurons, state.spikes);
  } else {
    CountSpikes(neurons, state, layer);
  }
  if (neurons.whole.has_value() && !state.is_whole &&
      ++state.steps_in_double % kStepsInDouble == 0) {
    state.TryWhole(neurons);
  }
}

double EventEngine::PotentialOf(size_t node, uint64_t neuron) const {
  const SpikingLayer& neurons = network_.nodes[node];
  const EventState& state = states_[node];
  const Place place = PlaceOf(neurons, neuron);
  const size_t lane = place.index - place.position * neurons.lanes;
  const double decay = neurons.decay[neurons.ParametersAt(place.position) + lane];
  return LeakFor(state.PotentialAt(neurons, place.index), decay, now_ - state.done[place.position]);
}

uint64_t EventEngine::CountOf(size_t node, uint64_t neuron) const {
  return states_[node].counts[PlaceOf(network_.nodes[node], neuron).index];
}

}  // namespace cssrun::internal
