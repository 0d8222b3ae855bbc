#include "runtime/integer/layer_state.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <variant>

#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/neuron/settled.h"

namespace cssrun::internal {
namespace {

using format::NodeKind;

// Membranes of a part before input index 0.
void StartMembranes(const IntegerLayer& layer, const LayerPart& part, int16_t* all_membranes) {
  const MembraneLayout& layout = layer.membranes;
  const size_t lanes = size_t{part.last_row - part.first_row} * layout.row_lanes;
  for (size_t block = part.first_block; block < part.last_block; ++block) {
    const int16_t* start = layer.start.get() + block * kLineLanes;
    int16_t* membranes = all_membranes + layout.RowAt(block, part.first_row) - layout.guard_lanes;
    for (size_t line = 0; line < lanes; line += kLineLanes) {
      std::memcpy(membranes + line, start, kLineLanes * sizeof(int16_t));
    }
    if (layer.pools.disjoint()) continue;
    // Members of a pool beyond the map get the lowest value, and keep it.
    for (size_t row = part.first_row; row < part.last_row; ++row, membranes += layout.row_lanes) {
      for (size_t column = 0; column < layout.columns; ++column) {
        if (layer.pools.y.positions[row] >= 0 && layer.pools.x.positions[column] >= 0) continue;
        std::fill_n(membranes + layout.guard_lanes + column * layout.lanes.lanes,
                    layout.lanes.lanes, std::numeric_limits<int16_t>::min());
      }
    }
  }
}

// The columns of the map to which the given membranes belong.
ColumnRange MapColumns(const PoolAxis& pools, const ColumnRange& membranes) {
  if (pools.disjoint) return membranes;
  ColumnRange map{std::numeric_limits<uint32_t>::max(), 0};
  for (size_t column = membranes.first; column < membranes.last; ++column) {
    if (pools.positions[column] < 0) continue;
    const auto at = static_cast<uint32_t>(pools.positions[column]);
    map = {std::min(map.first, at), std::max(map.last, at + 1)};
  }
  return {std::min(map.first, map.last), map.last};
}

// Computes what pixels add to some columns of one row of membranes, see LayerState::floats.
void StartPixelRow(const Layer& described, const IntegerLayer& layer, uint32_t row,
                   const ColumnRange& columns, std::span<float> pixel_row, LayerState& state) {
  const MembraneLayout& layout = layer.membranes;
  if (described.direct.empty()) {  // shortcuts are added to zeros
    const size_t first_lane = size_t{columns.first} * layout.lanes.lanes;
    const size_t last_lane = size_t{columns.last} * layout.lanes.lanes;
    for (size_t block = 0; block < layout.lanes.blocks; ++block) {
      std::fill_n(state.floats.get() + layout.MapRowAt(block, row) + first_lane,
                  last_lane - first_lane, 0.0F);
    }
    return;
  }
  const size_t stride = described.direct.front().weight_stride();
  CSSRUN_ASSERT(pixel_row.size() >= PixelRowSize(described));
  CSSRUN_ASSERT(layer.pixel_scale != nullptr);
  const int64_t map_row = layer.pools.y.positions[row];
  if (map_row >= 0) {
    const ColumnRange map = MapColumns(layer.pools.x, columns);
    std::fill_n(pixel_row.begin() + static_cast<std::ptrdiff_t>(stride * map.first),
                stride * (map.last - map.first), 0.0F);
    for (size_t s = 0; s < described.direct.size(); ++s) {
      AddDirectRow(described.direct[s], state.images[s], static_cast<uint32_t>(map_row), stride,
                   pixel_row.data(), map);
    }
  }
  const size_t lanes = layout.lanes.lanes;
  const size_t channels = described.potential.channels();
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    const size_t first = layout.MapRowAt(block, row);
    const float* scale = layer.pixel_scale.get() + block * kLineLanes;
    const size_t count = std::min(lanes, channels - block * kLineLanes);
    if (state.carry != nullptr) std::fill_n(state.carry.get() + first, layout.map_lanes(), 0.0F);
    for (size_t column = columns.first; column < columns.last; ++column) {
      const int64_t map_column = layer.pools.x.positions[column];
      if (map_row < 0 || map_column < 0) continue;
      const float* from =
          pixel_row.data() + static_cast<size_t>(map_column) * stride + block * kLineLanes;
      float* to = state.floats.get() + first + column * lanes;
      for (size_t lane = 0; lane < count; ++lane) to[lane] = from[lane] * scale[lane];
    }
  }
}

// Nothing has been sent yet.
void ClearSent(const IntegerLayer& layer, const LayerPart& part, LayerState& state) {
  const uint32_t stride = layer.pools.y.stride;
  CSSRUN_ASSERT(part.first_row % stride == 0);
  const size_t first = std::min(part.first_row / stride, layer.pools.rows);
  const size_t last = std::min((part.last_row + stride - 1) / stride, layer.pools.rows);
  int16_t* sent = state.sent.get() + first * state.sent_row;
  const size_t blocks = layer.membranes.lanes.blocks;
  const size_t part_lanes = size_t{part.last_block - part.first_block} * kLineLanes;
  if (part_lanes == blocks * kLineLanes) {
    std::fill_n(sent, (last - first) * state.sent_row, int16_t{0});
    return;
  }
  const size_t positions = (last - first) * layer.pools.columns;
  for (size_t position = 0; position < positions; ++position) {
    std::fill_n(sent + (position * blocks + part.first_block) * kLineLanes, part_lanes, int16_t{0});
  }
}

}  // namespace

LayerState MakeLayerState(const LoadedNetwork& network, size_t index) {
  const Layer& described = network.layers[index];
  const IntegerNetwork& integers = network.integers();
  const IntegerLayer& layer = integers.layers[index];
  const MembraneLayout& layout = layer.membranes;
  const size_t stride = integers.layouts[index].stride();
  const bool fires = described.kind == NodeKind::Neurons;
  LayerState state;
  if (fires) {
    state.membranes = AllocateAligned<int16_t>(layout.size() + kLineLanes);
    if (layer.rectify && layer.settled() == nullptr) {
      state.sent_row = layer.pools.columns * stride;
      if (!layer.pools.pooled()) state.sent_row = RoundUpToLines(state.sent_row);
      state.sent = AllocateAligned<int16_t>(layer.pools.rows * state.sent_row + kLineLanes);
    }
  }
  const bool adds_floats = layer.settled() != nullptr && layer.settled()->adds_floats;
  // A readout keeps its own floats.
  if (fires && (!described.direct.empty() || adds_floats)) {
    const size_t size = layout.map_size();
    state.floats = AllocateAligned<float>(size);
    std::fill_n(state.floats.get(), size, 0.0F);
    if (layer.settled() == nullptr) state.carry = AllocateAligned<float>(size);
  }
  state.images.resize(described.direct.size());
  state.image_rooms.resize(described.direct.size());
  if (SendsSpikes(network, index)) {
    state.levels = LevelFrame(described.extent.height(), integers.level_layouts[index]);
    state.row_spikes.resize(described.extent.height());
  }
  return state;
}

std::vector<bool> LayersOfLevelsAlone(const LoadedNetwork& network,
                                      const std::vector<bool>& recorded) {
  const IntegerNetwork& integers = network.integers();
  std::vector<bool> alone(network.layers.size(), false);
  for (size_t i = 0; i < integers.layers.size(); ++i) {
    alone[i] = integers.layers[i].level_rule.has_value() && !recorded[i];
  }
  for (const IntegerLayer& layer : integers.layers) {
    for (const IntegerSynapses& s : layer.synapses) {
      if (!TraitsOf(s.kernel).reads_levels()) alone[s.source] = false;
    }
  }
  for (const IntegerReadout& readout : integers.readouts) {
    if (const auto* map = std::get_if<FloatLayer>(&readout)) {
      for (const SynapseLayout& s : map->synapses) alone[s.source] = false;
    } else if (!SumsAreWide(true, network.timesteps)) {  // each step is multiplied
      for (const ReadoutSynapses& s : std::get<VectorReadout>(readout).synapses) {
        alone[s.source] = false;
      }
    }
  }
  return alone;
}

void MakeSpikes(const LoadedNetwork& network, size_t index, LayerState& state) {
  if (!SendsSpikes(network, index) || !state.spikes.empty()) return;
  const format::Extent& extent = network.layers[index].extent;
  const size_t neurons = extent.width() * network.integers().layouts[index].stride();
  for (uint32_t step = 0; step < network.timesteps; ++step) {
    state.spikes.emplace_back(extent.height(), neurons);
  }
}

size_t PixelRowSize(const Layer& layer) {
  if (layer.direct.empty()) return 0;
  return layer.direct.front().weight_stride() * layer.potential.width();
}

void StartPart(const LoadedNetwork& network, size_t index, const LayerPart& part,
               std::span<float> pixel_row, LayerState& state, const RowRanges* columns) {
  const IntegerLayer& layer = network.integers().layers[index];
  // A layer that is idle until its last step overwrites its membranes in that step.
  if (!layer.idle_until_last_step()) StartMembranes(layer, part, state.membranes.get());
  if (state.floats != nullptr) {
    const ColumnRange whole{0, layer.membranes.columns};
    for (uint32_t row = part.first_row; row < part.last_row; ++row) {
      for (const ColumnRange& range :
           columns == nullptr ? std::span(&whole, 1) : columns->Of(row)) {
        StartPixelRow(network.layers[index], layer, row, range, pixel_row, state);
      }
    }
  }
  if (state.sent != nullptr) ClearSent(layer, part, state);
}

}  // namespace cssrun::internal
