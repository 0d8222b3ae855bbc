// Spikes as lists of numbers, for synapses that gather: see gather.h.
#ifndef CSSRUN_RUNTIME_INTEGER_SPIKE_LISTS_H_
#define CSSRUN_RUNTIME_INTEGER_SPIKE_LISTS_H_

#include <cstdint>
#include <vector>

#include "runtime/integer/integer_network.h"
#include "runtime/integer/lane_layout.h"

namespace cssrun::internal {

// Of a target row: the spikes that reach each tile, as numbers of rows of its table.
struct TileLists {
  struct Range {
    uint32_t first = 0;
    uint32_t count = 0;
  };
  std::vector<uint16_t> numbers;
  std::vector<Range> ranges;  // by tile
};

// The spikes of a frame. Positive and negative ones apart, or all in `up` where the plan has rows
// for both signs.
struct SpikeLists {
  // Whole vectors are written: so many numbers beyond the end are scratch.
  static constexpr size_t kSlack = size_t{2} * kChunkLanes;

  std::vector<uint16_t> up, down;
  std::vector<uint32_t> up_bounds, down_bounds;  // by [row][column][word], and the end
  TileLists tile_up, tile_down;
};

// Makes room for all spikes that `synapses` can see; never shrinks.
void Reserve(const IntegerSynapses& synapses, SpikeLists& lists);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_SPIKE_LISTS_H_
