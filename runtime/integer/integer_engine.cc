#include "runtime/integer/integer_engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "format/geometry.h"

namespace cssrun::internal {
namespace {

using format::NodeKind;

constexpr uint32_t kTrainBits = 16;  // of a train that the encoder keeps at hand

// Columns that the spikes of one list reach, summed up.
uint64_t CountColumns(const IntegerSynapses& s, std::span<const uint16_t> spikes) {
  uint64_t columns = 0;
  if (s.fan_out_edges.empty()) {
    for (const uint16_t spike : spikes) columns += s.column_fan_out[spike];
    return columns;
  }
  // Lists ascend: between two edges all spikes reach the same number.
  auto begin = spikes.begin();
  uint32_t first = 0;
  for (const uint32_t edge : s.fan_out_edges) {
    const auto end = edge == s.column_fan_out.size()
                         ? spikes.end()
                         : std::lower_bound(begin, spikes.end(), static_cast<uint16_t>(edge));
    columns += static_cast<uint64_t>(end - begin) * s.column_fan_out[first];
    begin = end;
    first = edge;
  }
  return columns;
}

}  // namespace

IntegerEngine::IntegerEngine(const ExecutionNetwork& network, bool profile, uint32_t chunk)
    : network_(network),
      integers_(*network.integers),
      profile_(profile),
      chunk_(chunk == 0 ? network.latency_steps : std::min(chunk, network.latency_steps)),
      growth_(Growth::Of(network.beta)) {
  size_t most_synapses = 0;
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const IntegerLayer& integers = integers_.layers[i];
    LayerState state;
    size_t stride = layer.extent.channels();  // the encoder's
    if (layer.kind == NodeKind::Neurons) {
      stride = integers.layout.stride();
      most_synapses = std::max(most_synapses, integers.synapses.size());
      state.membrane_lanes = integers.layout.blocks * integers.block_lanes();
      state.membranes = hwy::AllocateAligned<int16_t>(state.membrane_lanes + kChunkLanes);
      if (integers.rectify) {
        const size_t row = (integers.spike_columns * stride + kChunkLanes - 1) / kChunkLanes;
        state.sent_lanes = integers.spike_rows * row * kChunkLanes;
        state.sent = hwy::AllocateAligned<int16_t>(state.sent_lanes + kChunkLanes);
      }
    }
    if (layer.kind != NodeKind::Readout) {
      for (uint32_t index = 0; index < network.timesteps; ++index) {
        state.spikes.emplace_back(layer.extent.height(), layer.extent.width(),
                                  layer.extent.width() * stride);
      }
    }
    states_.push_back(std::move(state));
  }
  inputs_.resize(most_synapses);
  logits_.resize(integers_.logit_stride);
  // Whole vectors are read: some slack at the end.
  const size_t pixels = Neurons(network.layers.front().extent) + kChunkLanes;
  positive_trains_.resize(pixels);
  negative_trains_.resize(pixels);
}

void IntegerEngine::Reset() {
  for (size_t i = 0; i < states_.size(); ++i) {
    LayerState& state = states_[i];
    const IntegerLayer& layer = integers_.layers[i];
    if (state.membranes != nullptr) {
      for (size_t block = 0; block < layer.layout.blocks; ++block) {
        const int16_t* start = layer.start.get() + block * kChunkLanes;
        int16_t* membranes = state.membranes.get() + block * layer.block_lanes();
        for (size_t chunk = 0; chunk < layer.block_lanes(); chunk += kChunkLanes) {
          std::copy_n(start, kChunkLanes, membranes + chunk);
        }
      }
    }
    if (state.sent != nullptr) std::fill_n(state.sent.get(), state.sent_lanes, int16_t{0});
  }
  std::fill(logits_.begin(), logits_.end(), 0.0F);
}

void IntegerEngine::SetImage(std::span<const uint8_t> pixels, uint32_t first_bit) {
  const size_t channels = network_.layers.front().extent.channels();
  const uint64_t* positive = integers_.encoder.positive.data();
  const uint64_t* negative = integers_.encoder.negative.data();
  for (size_t i = 0; i < pixels.size(); i += channels) {
    for (size_t c = 0; c < channels; ++c) {
      const size_t entry = c * 256 + pixels[i + c];
      positive_trains_[i + c] = static_cast<uint16_t>(positive[entry] >> first_bit);
      negative_trains_[i + c] = static_cast<uint16_t>(negative[entry] >> first_bit);
    }
  }
}

void IntegerEngine::Run(std::span<const uint8_t> pixels, Answer& answer) {
  using Clock = std::chrono::steady_clock;
  answer.layers.assign(network_.layers.size(), LayerStatistics());
  pixels_ = pixels;
  Reset();
  for (uint32_t first = 0; first < network_.latency_steps; first += chunk_) {
    const uint32_t last = std::min(first + chunk_, network_.latency_steps);
    for (size_t layer = 0; layer < network_.layers.size(); ++layer) {
      LayerStatistics& statistics = answer.layers[layer];
      const Clock::time_point start = profile_ ? Clock::now() : Clock::time_point();
      for (uint32_t step = first; step < last; ++step) StepLayer(layer, step, statistics);
      if (profile_) {
        statistics.seconds += std::chrono::duration<double>(Clock::now() - start).count();
      }
    }
  }
  answer.logits.assign(logits_.begin(),
                       logits_.begin() + network_.layers.back().extent.channels());
  answer.steps = network_.latency_steps;
}

void IntegerEngine::StepLayer(size_t layer_index, uint32_t step, LayerStatistics& statistics) {
  const Layer& layer = network_.layers[layer_index];
  if (step < layer.input_offset) return;
  const uint32_t index = step - layer.input_offset;
  switch (layer.kind) {
    case NodeKind::Encoder:
      if (index < network_.timesteps) StepEncoder(index, statistics);
      break;
    case NodeKind::Neurons:
      if (index < network_.timesteps + network_.silent_steps) {
        StepNeurons(layer_index, index, statistics);
      }
      break;
    case NodeKind::Readout:
      if (index < network_.timesteps) StepReadout(index, statistics);
      break;
  }
}

void IntegerEngine::StepEncoder(uint32_t index, LayerStatistics& statistics) {
  const format::Extent& extent = network_.layers.front().extent;
  const uint32_t bit = index % kTrainBits;
  if (bit == 0) SetImage(pixels_, index);
  SpikeFrame& spikes = states_.front().spikes[index];
  const uint32_t neurons = extent.width() * extent.channels();
  for (size_t row = 0; row < extent.height(); ++row) {
    EncodeRow(&positive_trains_[row * neurons], &negative_trains_[row * neurons], neurons, bit, row,
              spikes);
  }
  statistics.spikes += spikes.count();
  if (observe_spikes_) observe_spikes_(0, index, spikes);
}

void IntegerEngine::StepNeurons(size_t layer_index, uint32_t index, LayerStatistics& statistics) {
  const IntegerLayer& integers = integers_.layers[layer_index];
  LayerState& state = states_[layer_index];
  const bool input_arrives = index < network_.timesteps;
  const bool fires = index >= network_.silent_steps;
  LayerStep step;
  step.layer = &integers;
  step.membranes = state.membranes.get();
  step.sent = state.sent.get();
  step.growth = growth_;
  step.negative_spikes = network_.negative_spikes;
  step.round_up = index % 2 != 0;
  if (input_arrives) {
    for (size_t s = 0; s < integers.synapses.size(); ++s) {
      inputs_[s] = &states_[integers.synapses[s].source].spikes[index];
      statistics.synops += CountSynops(integers.synapses[s], *inputs_[s]);
    }
    step.inputs = inputs_.data();
  }
  const size_t parameters = integers.parameter_lanes();
  if (index + 1 < network_.timesteps) step.biases = integers.biases.get() + parameters * (index + 1);
  if (fires) {
    const uint32_t spike_index = index - network_.silent_steps;
    step.spikes = &state.spikes[spike_index];
    step.thresholds = integers.thresholds.get() + parameters * spike_index;
  }
  RunLayerStep(step);
  if (!fires) return;
  statistics.spikes += step.spikes->count();
  if (observe_spikes_) observe_spikes_(layer_index, index - network_.silent_steps, *step.spikes);
}

void IntegerEngine::StepReadout(uint32_t index, LayerStatistics& statistics) {
  const Layer& layer = network_.layers.back();
  const size_t stride = integers_.logit_stride;
  float* logits = logits_.data();
  const float* bias = layer.bias.get();
  for (size_t k = 0; k < layer.extent.channels(); ++k) {
    logits[k] = network_.beta * (index == 0 ? layer.initial_potential : logits[k]) + bias[k];
  }
  for (const ReadoutSynapses& s : integers_.readout) {
    const SpikeFrame& spikes = states_[s.source].spikes[index];
    for (size_t row = 0; row < s.rows.size(); ++row) {
      if (s.row_read[row] == 0) continue;
      const float* weights = s.weights.get() + s.rows[row];
      for (const uint16_t spike : spikes.PositiveOf(row)) {
        statistics.synops += s.fan_out[spike];
        if (s.fan_out[spike] == 0) continue;
        const float* from = weights + s.neurons[spike];
        for (size_t k = 0; k < stride; ++k) logits[k] += from[k];
      }
      for (const uint16_t spike : spikes.NegativeOf(row)) {
        statistics.synops += s.fan_out[spike];
        if (s.fan_out[spike] == 0) continue;
        const float* from = weights + s.neurons[spike];
        for (size_t k = 0; k < stride; ++k) logits[k] -= from[k];
      }
    }
  }
}

uint64_t IntegerEngine::CountSynops(const IntegerSynapses& s, const SpikeFrame& spikes) const {
  uint64_t reads = 0;
  for (size_t row = 0; row < s.rows.size(); ++row) {
    if (s.rows[row].readers == 0) continue;
    reads += s.rows[row].readers * (CountColumns(s, spikes.PositiveOf(row)) +
                                    CountColumns(s, spikes.NegativeOf(row)));
  }
  return reads * s.target_channels;
}

}  // namespace cssrun::internal
