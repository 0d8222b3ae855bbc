// Where saturating additions in another order give another membrane.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_ORDER_OF_ADDITIONS_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_ORDER_OF_ADDITIONS_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "runtime/integer/kernels/plain.h"
#include "runtime/integer/kernels/tile_gather/reference.h"
#include "tests/runtime/kernels/event_comparison.h"

namespace cssrun::internal {

inline bool OrderShows(const GatheredSum& sum, int16_t membrane) {
  if (sum.up == 0 || sum.down == 0) return false;
  return membrane + sum.up > std::numeric_limits<int16_t>::max() ||
         membrane + sum.down < std::numeric_limits<int16_t>::min();
}

// Marks the membranes where the order shows, of all lines of positions that get more than
// `most_spikes` spikes. The sums of any convolution are those that a TileGather of its shape has.
// Between the columns that the positions of a line read may lie others, whose spikes count, too.
template <class Kernel>
void MarkAmbiguous(const TileGatherShape& shape, const ScaledWeights& weights, uint64_t most_spikes,
                   EventComparison<Kernel>& c) {
  const MembraneLayout& layout = *c.layout;
  const uint32_t positions = layout.lanes.positions();
  c.ambiguous.assign(c.start.size(), 0);
  const format::Window& w = shape.window;
  const bool skips = positions > 1 && (w.dilation_x() > 1 || w.stride_x() > w.kernel_x());
  for (size_t row = 0; row < layout.rows; ++row) {
    for (size_t first = 0; first < layout.columns; first += positions) {
      std::vector<GatheredPosition> line;
      uint64_t spikes = 0;
      for (size_t i = first; i < std::min<size_t>(first + positions, layout.columns); ++i) {
        line.push_back(GatherPositionReference(shape, weights, *c.spikes, row, i));
        spikes += line.back().spikes;
      }
      if (spikes <= most_spikes && !skips) continue;
      for (size_t i = 0; i < line.size(); ++i) {
        for (size_t channel = 0; channel < shape.target_channels; ++channel) {
          const size_t at = MembraneAt(layout, row, first + i, channel);
          c.ambiguous[at] = OrderShows(line[i].sums[channel], c.start[at]) ? 1 : 0;
        }
      }
    }
  }
}

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_ORDER_OF_ADDITIONS_H_
