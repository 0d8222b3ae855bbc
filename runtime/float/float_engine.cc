#include "runtime/float/float_engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
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
    : network_(network), options_(options) {
  if (network.direct_input.has_value()) {
    image_.resize(Neurons(network.layers.front().extent));
  } else {
    encoder_.emplace(network);
  }
  for (const Layer& layer : network.layers) {
    LayerState state;
    if (layer.kind != NodeKind::Encoder) {
      state.membranes = AllocateAligned<float>(Positions(layer.potential) * layer.blocks.stride());
    }
    if (!layer.direct.empty()) {
      const size_t size = Positions(layer.potential) * layer.blocks.stride();
      state.direct = AllocateAligned<float>(size);
      state.seen.resize(layer.direct.size());
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

void FloatEngine::SetImage(const Input& input) {
  if (encoder_.has_value()) {
    if (input.kind != InputKind::kSpikes) encoder_->SetImage(input);
    return;
  }
  network_.direct_input->Apply(input, network_.layers.front().extent, image_);
  for (size_t i = 0; i < states_.size(); ++i) {
    const Layer& layer = network_.layers[i];
    LayerState& state = states_[i];
    if (layer.direct.empty()) continue;
    const size_t stride = layer.blocks.stride();
    const size_t row_size = layer.potential.width() * stride;
    std::fill_n(state.direct.get(), layer.potential.height() * row_size, 0.0F);
    for (size_t s = 0; s < layer.direct.size(); ++s) {
      const std::span<const float> seen = SeenImage(layer.direct[s], image_, state.seen[s]);
      for (uint32_t row = 0; row < layer.potential.height(); ++row) {
        AddDirectRow(layer.direct[s], seen, row, stride, state.direct.get() + row * row_size);
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
  ClearReadings(network_, options_, answer);
  Reset();
  input_ = &input;
  SetImage(input);
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

void FloatEngine::Residuals(size_t layer_index, std::vector<float>& residuals) const {
  const Layer& layer = network_.layers[layer_index];
  const LayerState& state = states_[layer_index];
  const format::Window pool = layer.pool.value_or(UnitWindow());
  const size_t stride = layer.blocks.stride();
  const size_t channels = layer.extent.channels();
  residuals.clear();
  for (int64_t y = 0; y < layer.extent.height(); ++y) {
    for (int64_t x = 0; x < layer.extent.width(); ++x) {
      const float* sent =
          state.sent.get() + static_cast<size_t>(y * layer.extent.width() + x) * stride;
      for (size_t c = 0; c < channels; ++c) {
        float top = layer.rectify ? 0.0F : std::numeric_limits<float>::lowest();
        for (int64_t ky = 0; ky < pool.kernel_y(); ++ky) {
          for (int64_t kx = 0; kx < pool.kernel_x(); ++kx) {
            const int64_t row = y * pool.stride_y() - pool.pad_top() + ky;
            const int64_t column = x * pool.stride_x() - pool.pad_left() + kx;
            if (row < 0 || row >= layer.potential.height() || column < 0 ||
                column >= layer.potential.width()) {
              continue;
            }
            const auto position = static_cast<size_t>(row * layer.potential.width() + column);
            top = std::max(top, state.membranes[position * stride + c]);
          }
        }
        residuals.push_back(std::abs(top - sent[c]) / network_.spike_weight);
      }
    }
  }
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

  if (!active || index < network_.silent_steps) return;
  EventFrame& events = state.spikes.At(step);
  const uint32_t spike_index = index - network_.silent_steps;
  Fire(layer, spike_index, network_.beta, network_.spike_weight, network_.negative_spikes,
       state.membranes.get(), state.sent.get(), negative_scratch_, events);
  statistics.spikes += events.count();
  if (observe_spikes_) observe_spikes_(layer_index, spike_index, events);
}

void FloatEngine::StepEncoder(uint32_t step, LayerStatistics& statistics) {
  if (step >= network_.timesteps || !encoder_.has_value()) return;
  EventFrame& events = states_.front().spikes.At(step);
  if (input_->kind == InputKind::kSpikes) {
    WriteSpikes(input_->SpikesOf(step), events);
  } else {
    encoder_->Step(step, events);
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
  if (state.direct != nullptr) {
    const size_t size = Positions(layer.potential) * layer.blocks.stride();
    for (size_t i = 0; i < size; ++i) state.membranes[i] += state.direct[i];
    if (index == 0) {
      for (const DirectSynapses& s : layer.direct) statistics.macs += s.macs;
    }
  }
  for (const SynapseLayout& synapses : layer.synapses) {
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
