// The readouts of the integer engine.
#include <algorithm>
#include <utility>
#include <variant>

#include "format/geometry.h"
#include "runtime/integer/integer_engine.h"
#include "runtime/neuron/settled.h"

namespace cssrun::internal {

IntegerEngine::ReadoutState IntegerEngine::MakeReadoutState(size_t layer) {
  const Layer& described = network_.layers[layer];
  const IntegerReadout& readout = integers_.readouts[layer - network_.first_readout()];
  if (const auto* vector = std::get_if<VectorReadout>(&readout)) {
    VectorReadoutState state;
    state.logits.resize(vector->logit_stride);
    if (!described.direct.empty()) state.pixels.resize(vector->logit_stride);
    const bool settled = IsSettled(network_.beta, network_.timesteps, network_.silent_steps);
    if (SumsAreWide(settled, network_.timesteps)) {
      for (const ReadoutSynapses& s : vector->synapses) {
        state.level_counts.emplace_back(s.weight_rows);
      }
      state.base.resize(vector->logit_stride);
    }
    return state;
  }
  const auto& floats = std::get<FloatLayer>(readout);
  std::vector<MapSource*> sources;
  for (const SynapseLayout& s : floats.synapses) {
    auto source = map_sources_.find(s.source);
    if (source == map_sources_.end()) {
      const format::Extent& extent = network_.layers[s.source].extent;
      MapSource made{extent, EventFrame(Positions(extent), extent.channels())};
      source = map_sources_.emplace(s.source, std::move(made)).first;
    }
    sources.push_back(&source->second);
  }
  return MapReadoutState(described, floats, std::move(sources));
}

void IntegerEngine::StartReadout(size_t layer) {
  const Layer& described = network_.layers[layer];
  ReadoutState& readout = readouts_[layer - network_.first_readout()];
  if (auto* map = std::get_if<MapReadoutState>(&readout)) {
    map->Reset();
    map->SetImage(states_[layer].images);
    return;
  }
  auto& vector = std::get<VectorReadoutState>(readout);
  std::ranges::fill(vector.logits, 0.0F);
  std::ranges::fill(vector.pixels, 0.0F);
  for (size_t s = 0; s < described.direct.size(); ++s) {
    AddDirectRow(described.direct[s], states_[layer].images[s], 0, vector.pixels.size(),
                 vector.pixels.data());
  }
}

void IntegerEngine::StepReadout(size_t layer, uint32_t index, LayerStatistics& statistics) {
  const size_t number = layer - network_.first_readout();
  const IntegerReadout& readout = integers_.readouts[number];
  if (const auto* vector = std::get_if<VectorReadout>(&readout)) {
    statistics.synops +=
        StepVectorReadout(layer, index, *vector, std::get<VectorReadoutState>(readouts_[number]));
    return;
  }
  const auto& floats = std::get<FloatLayer>(readout);
  auto& map = std::get<MapReadoutState>(readouts_[number]);
  map.Grow();
  for (size_t s = 0; s < floats.synapses.size(); ++s) {
    const uint32_t source = floats.synapses[s].source;
    statistics.synops +=
        map.Add(s, states_[source].spikes[index], integers_.layouts[source].stride());
  }
}

uint64_t IntegerEngine::StepVectorReadout(size_t layer_index, uint32_t index,
                                          const VectorReadout& readout, VectorReadoutState& state) {
  const Layer& layer = network_.layers[layer_index];
  const bool together = !state.level_counts.empty();  // steps share one multiplication
  float* logits = together ? state.base.data() : state.logits.data();
  const float* bias = layer.bias.get();
  for (size_t k = 0; k < layer.extent.channels(); ++k) {
    logits[k] = network_.beta * (index == 0 ? layer.initial_potential : logits[k]) + bias[k];
  }
  if (!state.pixels.empty()) {
    for (size_t k = 0; k < layer.extent.channels(); ++k) logits[k] += state.pixels[k];
  }
  if (together) return StepLongReadout(index, readout, state);
  uint64_t synops = 0;
  for (const ReadoutSynapses& s : readout.synapses) {
    synops += CountReadoutSpikes(s, states_[s.source].spikes[index], counts_);
    AddToLogits(s, counts_, logits);
    std::fill_n(counts_.begin(), s.weight_rows, 0);
  }
  return synops;
}

void IntegerEngine::AddToLogits(const ReadoutSynapses& synapses, std::span<const int32_t> counts,
                                float* logits) {
  const size_t lines = synapses.row_size / kLogitLanes;
  const bool shared = synapses.weight_rows * synapses.row_size >= sharing_.fewest_synapses;
  const size_t parts = shared ? std::min<size_t>(lines, team_.threads()) : 1;
  team_.ForEach(static_cast<uint32_t>(parts), [&](uint32_t part) {
    const LogitRange range{lines * part / parts * kLogitLanes,
                           lines * (part + 1) / parts * kLogitLanes};
    AddReadout(synapses, counts, range, logits);
  });
}

uint64_t IntegerEngine::StepLongReadout(uint32_t index, const VectorReadout& readout,
                                        VectorReadoutState& state) {
  const bool read = reads_steps_ || index + 1 == network_.timesteps;
  if (read) std::copy(state.base.begin(), state.base.end(), state.logits.begin());
  uint64_t synops = 0;
  for (size_t i = 0; i < readout.synapses.size(); ++i) {
    const ReadoutSynapses& s = readout.synapses[i];
    std::vector<int32_t>& counts = state.level_counts[i];
    if (index == 0) std::fill(counts.begin(), counts.end(), 0);
    for (int32_t& count : counts) count *= 2;
    const LayerState& source = states_[s.source];
    if (!levels_alone_[s.source]) {
      synops += CountReadoutSpikes(s, source.spikes[index], counts);
    } else if (index + 1 == network_.timesteps) {
      synops += AddReadoutLevels(s, LevelsOf(s.source), counts);
    }
    if (read) AddToLogits(s, counts, state.logits.data());
  }
  return synops;
}

}  // namespace cssrun::internal
