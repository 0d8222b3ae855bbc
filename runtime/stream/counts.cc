#include "runtime/stream/counts.h"

#include <algorithm>
#include <variant>

#include "runtime/assert.h"
#include "runtime/stream/changes.h"

namespace cssrun::internal {
namespace {

// Rows that are counted together, because starting a count costs as much as counting some rows.
constexpr size_t kCountedRows = 8;

bool AnyInRows(const PositionBits& bits, size_t first, size_t last) {
  for (size_t row = first; row < last; ++row) {
    if (bits.AnyInRow(row)) return true;
  }
  return false;
}

}  // namespace

StreamCounts::StreamCounts(const LoadedNetwork& network, const std::vector<bool>& levels_alone,
                           bool all)
    : network_(network),
      levels_alone_(levels_alone),
      all_(all),
      of_layer_(network.layers.size()),
      readers_(network.layers.size()) {
  if (!all) return;
  const IntegerNetwork& integers = network.integers();
  for (size_t i = 0; i < integers.layers.size(); ++i) {
    for (const IntegerSynapses& s : integers.layers[i].synapses) {
      Reader reader{i, &s.fan_out, nullptr, {}};
      const size_t rows = network.layers[s.source].extent.height();
      reader.band_synops.resize((rows + kCountedRows - 1) / kCountedRows);
      readers_[s.source].push_back(std::move(reader));
      of_layer_[i].synapses += s.fan_out.synapses;
    }
  }
  for (size_t i = 0; i < integers.readouts.size(); ++i) {
    const auto* vector = std::get_if<VectorReadout>(&integers.readouts[i]);
    if (vector == nullptr) continue;
    const size_t layer = network.first_readout() + i;
    for (const ReadoutSynapses& s : vector->synapses) {
      readers_[s.source].push_back({layer, nullptr, &s, {}});
      uint64_t of_row = 0;
      for (const uint32_t reached : s.fan_out) of_row += reached;
      for (const uint8_t read : s.row_is_read) of_layer_[layer].synapses += read != 0 ? of_row : 0;
    }
  }
}

void StreamCounts::StartFrame() {
  for (OfLayer& of_layer : of_layer_) of_layer.changed = of_layer.updates = 0;
}

void StreamCounts::AddChanges(size_t layer, size_t row, std::span<const uint32_t> changed,
                              uint64_t count, LayerState& state) {
  of_layer_[layer].changed.fetch_add(count, std::memory_order_relaxed);
  if (!levels_alone_[layer]) {  // kernels skip rows without spikes
    for (SpikeFrame& spikes : state.spikes) CountRowSpikes(spikes, row);
  }
  if (!all_) return;
  for (const Reader& reader : readers_[layer]) {
    const uint64_t updates = reader.fan_out != nullptr
                                 ? CountUpdates(*reader.fan_out, row, changed, count)
                                 : CountUpdates(*reader.readout, row, changed);
    of_layer_[reader.layer].updates.fetch_add(updates, std::memory_order_relaxed);
  }
  if (!levels_alone_[layer]) return;
  const size_t neurons =
      size_t{network_.layers[layer].extent.width()} * network_.integers().layouts[layer].stride();
  CountLevelSpikes(state.levels, *network_.integers().layers[layer].level_rule, neurons,
                   std::span(state.row_spikes).subspan(row, 1), row);
}

void StreamCounts::FinishLayer(size_t layer, const LayerState& state, const PositionBits& changed) {
  if (!all_) return;
  OfLayer& of_layer = of_layer_[layer];
  of_layer.spikes = 0;
  if (levels_alone_[layer]) {
    for (const uint32_t spikes : state.row_spikes) of_layer.spikes += spikes;
  } else {
    for (const SpikeFrame& spikes : state.spikes) of_layer.spikes += spikes.count();
  }
  for (Reader& reader : readers_[layer]) {
    if (reader.fan_out == nullptr) continue;
    uint64_t& synops = of_layer_[reader.layer].synops;
    for (size_t band = 0; band < reader.band_synops.size(); ++band) {
      const size_t first = band * kCountedRows;
      const size_t last = std::min(changed.rows(), first + kCountedRows);
      if (!AnyInRows(changed, first, last)) continue;
      uint64_t of_band = 0;
      if (levels_alone_[layer]) {
        const CountedLevels counted{&state.levels, &*network_.integers().layers[layer].level_rule,
                                    state.row_spikes};
        of_band = CountLevelSynops(*reader.fan_out, counted, first, last);
      } else {
        for (const SpikeFrame& spikes : state.spikes) {
          of_band += CountSynops(*reader.fan_out, spikes, first, last);
        }
      }
      synops += of_band - reader.band_synops[band];
      reader.band_synops[band] = of_band;
    }
  }
}

}  // namespace cssrun::internal
