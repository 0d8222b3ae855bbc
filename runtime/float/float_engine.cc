#include "runtime/float/float_engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/float/recording.h"
#include "runtime/interruption.h"
#include "runtime/reading.h"
#include "runtime/recording.h"

namespace cssrun::internal {
namespace {

using format::NodeKind;

// Borders count only synapses that exist.
uint64_t CountSynops(const SynapseLayout& synapses, const EventFrame& events) {
  uint64_t synops = 0;
  const bool clipped = synapses.kind == format::SynapseKind::Identity;
  const ChannelRange range = clipped ? IdentityChannels(synapses) : ChannelRange();
  for (size_t position = 0; position < synapses.fan_out.size(); ++position) {
    uint64_t count = events.count(position);
    if (clipped && count != 0) {
      const uint16_t* first = events.channels.data() + events.bounds[2 * position];
      count = static_cast<uint64_t>(std::count_if(first, first + count, [&](uint16_t channel) {
        return channel >= range.first && channel < range.last;
      }));
    }
    synops += count * synapses.fan_out[position];
  }
  return synops;
}

}  // namespace

FloatEngine::FloatEngine(const ExecutionNetwork& network, const SessionOptions& options)
    : network_(network), options_(options), encoder_(network) {
  for (const Layer& layer : network.layers) {
    LayerState state;
    if (layer.kind != NodeKind::Encoder) {
      state.membranes = AllocateAligned<float>(Positions(layer.potential) * layer.blocks.stride());
    }
    if (layer.kind == NodeKind::Neurons) {
      state.sent = AllocateAligned<float>(Positions(layer.extent) * layer.blocks.stride());
    }
    if (layer.kind != NodeKind::Readout) {
      state.spikes = DelayLine(layer.kept_steps, Positions(layer.extent), layer.extent.channels());
    }
    states_.push_back(std::move(state));
    for (const SynapseLayout& s : layer.synapses) {
      const auto members = [](const format::Window& w) {
        return static_cast<size_t>(w.kernel_y()) * static_cast<size_t>(w.kernel_x());
      };
      const size_t seen = s.average.has_value() ? members(*s.average) : 1;
      // Windows of a file may be far larger than its maps.
      constexpr size_t kMostReserved = 1 << 16;
      taps_.reserve(std::min(members(s.window), kMostReserved) * std::min<size_t>(seen, 64));
    }
  }
}

void FloatEngine::Reset() {
  for (size_t i = 0; i < states_.size(); ++i) {
    const Layer& layer = network_.layers[i];
    LayerState& state = states_[i];
    const size_t stride = layer.blocks.stride();
    if (state.sent != nullptr) {
      std::fill_n(state.sent.get(), Positions(layer.extent) * stride, 0.0F);
    }
    if (state.membranes != nullptr) {
      const size_t positions = Positions(layer.potential);
      std::fill_n(state.membranes.get(), positions * stride, 0.0F);
      if (layer.initial_potential == 0) continue;
      for (size_t position = 0; position < positions; ++position) {
        std::fill_n(&state.membranes[position * stride], layer.potential.channels(),
                    layer.initial_potential);
      }
    }
  }
}

Status FloatEngine::Run(const Input& input, Answer& answer) {
  using Clock = std::chrono::steady_clock;
  const Interruption interruption(options_);
  answer.layers.assign(network_.layers.size(), LayerStatistics());
  answer.ending = Ending::kComplete;
  ClearRecordings(network_, options_, answer);
  Reset();
  input_ = &input;
  if (input.kind != InputKind::kSpikes) encoder_.SetImage(input);
  const Layer& readout = network_.layers.back();
  const std::span<const float> potentials(states_.back().membranes.get(),
                                          readout.extent.channels());
  for (uint32_t step = 0; step < network_.latency_steps; ++step) {
    for (size_t layer = 0; layer < network_.layers.size(); ++layer) {
      const Interrupted interrupted = interruption.Now();
      if (interrupted == Interrupted::kCancelled) return CancelledAt(step);
      if (interrupted == Interrupted::kLate) {
        if (step <= readout.input_offset) return LateAt(step);
        ReadLogits(network_, potentials, step - 1 - readout.input_offset, answer.logits);
        answer.ending = Ending::kLate;
        return Status::Ok();
      }
      LayerStatistics& statistics = answer.layers[layer];
      const Clock::time_point start = options_.profile ? Clock::now() : Clock::time_point();
      StepLayer(layer, step, statistics);
      if (options_.profile) {
        statistics.seconds += std::chrono::duration<double>(Clock::now() - start).count();
      }
    }
    answer.steps = step + 1;
    Record(step, answer);
    if (step >= readout.input_offset &&
        ReadAndDecide(network_, options_, potentials, step - readout.input_offset, step, reading_,
                      answer)) {
      return Status::Ok();
    }
  }
  answer.logits.assign(potentials.begin(), potentials.end());
  return Status::Ok();
}

void FloatEngine::StepLayer(size_t layer_index, uint32_t step, LayerStatistics& statistics) {
  const Layer& layer = network_.layers[layer_index];
  LayerState& state = states_[layer_index];
  if (layer.kind == NodeKind::Encoder) {
    StepEncoder(step, statistics);
    return;
  }
  const bool fires = layer.kind == NodeKind::Neurons;
  const uint32_t last_index = network_.timesteps + (fires ? network_.silent_steps : 0);
  const uint32_t index = step - layer.input_offset;  // meaningful once the input has arrived
  const bool active = step >= layer.input_offset && index < last_index;
  if (active) Integrate(layer_index, step, index, statistics);
  if (!fires) return;

  EventFrame& events = state.spikes.At(step);
  if (!active || index < network_.silent_steps) {
    events.Clear();
    return;
  }
  const uint32_t spike_index = index - network_.silent_steps;
  Fire(layer, spike_index, network_.beta, network_.spike_weight, network_.negative_spikes,
       state.membranes.get(), state.sent.get(), negative_scratch_, events);
  statistics.spikes += events.count();
  if (observe_spikes_) observe_spikes_(layer_index, spike_index, events);
}

void FloatEngine::StepEncoder(uint32_t step, LayerStatistics& statistics) {
  EventFrame& events = states_.front().spikes.At(step);
  if (step >= network_.timesteps) {
    events.Clear();
    return;
  }
  if (input_->kind == InputKind::kSpikes) {
    WriteSpikes(input_->SpikesOf(step), events);
  } else {
    encoder_.Step(step, events);
  }
  statistics.spikes += events.count();
  if (observe_spikes_) observe_spikes_(0, step, events);
}

void FloatEngine::Integrate(size_t layer_index, uint32_t step, uint32_t index,
                            LayerStatistics& statistics) {
  const Layer& layer = network_.layers[layer_index];
  LayerState& state = states_[layer_index];
  const bool input_arrives = index < network_.timesteps;
  Decay(layer.blocks, Positions(layer.potential), network_.beta,
        input_arrives ? layer.bias.get() : nullptr, state.membranes.get());
  if (!input_arrives) return;
  for (const SynapseLayout& synapses : layer.synapses) {
    if (synapses.delay > step) continue;
    const EventFrame& events = states_[synapses.source].spikes.At(step - synapses.delay);
    Accumulate(synapses, events, taps_, state.membranes.get());
    statistics.synops += CountSynops(synapses, events);
  }
}

void FloatEngine::Record(uint32_t step, Answer& answer) const {
  for (size_t i = 0; i < options_.record.size(); ++i) {
    const RecordRequest& request = options_.record[i];
    const Layer& layer = network_.layers[request.layer];
    const LayerState& state = states_[request.layer];
    Recording& recording = answer.recordings[i];
    const size_t neurons = Neurons(layer.extent);
    if (!recording.spikes.empty() && step >= layer.offset &&
        step - layer.offset < network_.timesteps) {
      RecordSpikes(layer.extent, state.spikes.At(step),
                   recording.spikes.data() + (step - layer.offset) * neurons);
    }
    if (!recording.membranes.empty() && step >= layer.input_offset &&
        step - layer.input_offset < network_.timesteps + network_.silent_steps) {
      RecordMembranes(layer, network_.spike_weight, state.membranes.get(), state.sent.get(),
                      recording.membranes.data() + (step - layer.input_offset) * neurons);
    }
  }
}

}  // namespace cssrun::internal
