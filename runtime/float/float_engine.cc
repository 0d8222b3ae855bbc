#include "runtime/float/float_engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "format/geometry.h"
#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/float/float_layer.h"
#include "runtime/float/recording.h"

namespace cssrun::internal {
namespace {

using format::NodeKind;

}  // namespace

FloatEngine::FloatEngine(const LoadedNetwork& network, const SessionOptions& options)
    : Engine(network, options, 1), floats_(network.floats()) {
  CSSRUN_ASSERT(floats_.layers.size() == network.layers.size());
  if (network.direct_input.has_value()) {
    image_.resize(Neurons(network.layers.front().extent));
  } else {
    encoder_.emplace(network);
  }
  for (size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const FloatLayer& floats = floats_.layers[i];
    const size_t membranes = Positions(layer.potential) * floats.blocks.stride();
    LayerState state;
    if (layer.kind != NodeKind::Encoder) {
      state.membranes = AllocateAligned<float>(membranes);
    }
    if (!layer.direct.empty()) {
      state.direct = AllocateAligned<float>(membranes);
      state.seen.resize(layer.direct.size());
    }
    if (layer.kind == NodeKind::Neurons) {
      state.sent = AllocateAligned<float>(Positions(layer.extent) * floats.blocks.stride());
    }
    if (layer.kind != NodeKind::Readout) {
      state.spikes = DelayLine(floats.kept_steps, Positions(layer.extent), layer.extent.channels());
    }
    states_.push_back(std::move(state));
    ReserveTaps(floats, taps_);
  }
}

void FloatEngine::Reset() {
  for (size_t i = 0; i < states_.size(); ++i) {
    const Layer& layer = network_.layers[i];
    LayerState& state = states_[i];
    const size_t stride = floats_.layers[i].blocks.stride();
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
    const size_t stride = floats_.layers[i].blocks.stride();
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

void FloatEngine::StartImage(const Input& input) {
  Reset();
  input_ = &input;
  SetImage(input);
}

void FloatEngine::CopyPotentials(size_t layer, std::span<float> potentials) const {
  CopyPlanar(network_.layers[layer].extent, floats_.layers[layer].blocks,
             states_[layer].membranes.get(), potentials);
}

void FloatEngine::Residuals(size_t layer_index, std::vector<float>& residuals) const {
  const Layer& layer = network_.layers[layer_index];
  const LayerState& state = states_[layer_index];
  residuals.clear();
  for (uint32_t y = 0; y < layer.extent.height(); ++y) {
    for (uint32_t x = 0; x < layer.extent.width(); ++x) {
      for (uint32_t c = 0; c < layer.extent.channels(); ++c) {
        residuals.push_back(std::abs(
            Residual(layer, floats_.layers[layer_index].blocks, state.neurons(), y, x, c)));
      }
    }
  }
}

void FloatEngine::StepLayer(size_t layer, uint32_t first, uint32_t last,
                            LayerStatistics& statistics) {
  CSSRUN_ASSERT(layer < states_.size());
  CSSRUN_ASSERT(first < last);
  const NodeKind kind = network_.layers[layer].kind;
  for (uint32_t index = first; index < last; ++index) {
    if (kind == NodeKind::Encoder) {
      StepEncoder(index, statistics);
      continue;
    }
    Integrate(layer, index, statistics);
    if (kind == NodeKind::Neurons && index >= network_.silent_steps) {
      FireNeurons(layer, index - network_.silent_steps, statistics);
    }
  }
}

void FloatEngine::StepEncoder(uint32_t index, LayerStatistics& statistics) {
  if (!encoder_.has_value()) return;
  CSSRUN_ASSERT(input_ != nullptr);
  CSSRUN_ASSERT(network_.layers.front().offset == 0);  // so `index` is the global step, too
  EventFrame& events = states_.front().spikes.At(index);
  if (input_->kind == InputKind::kSpikes) {
    WriteSpikes(input_->SpikesOf(index), events);
  } else {
    encoder_->Step(index, events);
  }
  statistics.spikes += events.count();
  if (observe_spikes_) observe_spikes_(0, index, events);
}

void FloatEngine::Integrate(size_t layer_index, uint32_t index, LayerStatistics& statistics) {
  const Layer& layer = network_.layers[layer_index];
  const FloatLayer& floats = floats_.layers[layer_index];
  LayerState& state = states_[layer_index];
  const bool input_arrives = index < network_.timesteps;
  IntegrateLayer(layer, floats.blocks, input_arrives ? floats.bias.get() : nullptr,
                 state.neurons());
  if (!input_arrives) return;
  if (state.direct != nullptr) {
    const size_t size = Positions(layer.potential) * floats.blocks.stride();
    for (size_t i = 0; i < size; ++i) state.membranes[i] += state.direct[i];
  }
  const uint32_t step = layer.input_offset + index;
  for (const SynapseLayout& synapses : floats.synapses) {
    CSSRUN_ASSERT(synapses.source < layer_index);
    const EventFrame& events = states_[synapses.source].spikes.At(step - synapses.delay);
    Accumulate(synapses, events, taps_, state.membranes.get());
    statistics.synops += CountSynops(synapses, events);
  }
}

void FloatEngine::FireNeurons(size_t layer_index, uint32_t spike_index,
                              LayerStatistics& statistics) {
  const Layer& layer = network_.layers[layer_index];
  LayerState& state = states_[layer_index];
  EventFrame& events = state.spikes.At(layer.offset + spike_index);
  FireLayer(layer, floats_.layers[layer_index].blocks, spike_index, state.neurons(),
            negative_scratch_, events);
  statistics.spikes += events.count();
  if (observe_spikes_) observe_spikes_(layer_index, spike_index, events);
}

void FloatEngine::RecordSpikes(size_t layer_index, uint32_t index, std::span<int8_t> spikes) const {
  const Layer& layer = network_.layers[layer_index];
  internal::RecordSpikes(layer.extent, states_[layer_index].spikes.At(layer.offset + index),
                         spikes.data());
}

void FloatEngine::RecordMembranes(size_t layer_index, uint32_t /*index*/,
                                  std::span<float> membranes) const {
  const LayerState& state = states_[layer_index];
  internal::RecordMembranes(network_.layers[layer_index], floats_.layers[layer_index].blocks,
                            state.neurons(), membranes.data());
}

}  // namespace cssrun::internal
