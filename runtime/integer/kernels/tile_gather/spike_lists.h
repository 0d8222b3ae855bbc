// Spikes as lists of table rows: room that TileGather fills at each step.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_SPIKE_LISTS_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_SPIKE_LISTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/integer/layout/lane_layout.h"

namespace cssrun::internal {

// The spikes that reach each tile of one target row, as rows of the tile's table.
struct TileLists {
  struct Range {
    uint32_t first = 0;
    uint32_t count = 0;
  };
  std::vector<uint16_t> table_rows;
  std::vector<Range> ranges;  // by tile
};

// The spikes of a frame by source position, as neuron indices. Positive and negative ones apart, or
// all in `up` where the table has rows for both signs.
struct SpikeLists {
  // Whole vectors are written: this many entries beyond the end are scratch.
  static constexpr size_t kSlack = size_t{2} * kLineLanes;

  std::vector<uint16_t> up, down;
  std::vector<uint32_t> up_bounds, down_bounds;  // by [row][column][word], and the end
  TileLists tile_up, tile_down;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_SPIKE_LISTS_H_
