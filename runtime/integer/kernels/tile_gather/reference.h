// The plain twin of TileGather. It takes the shape and the weights in place of the kernel that is
// laid out from them.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_REFERENCE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/tile_gather/tile_gather.h"

namespace cssrun::internal {

// What one membrane gets in one step, kept apart by sign.
struct GatheredSum {
  int64_t up = 0;    // the contributions above zero
  int64_t down = 0;  // those below
};

// All that one position of the membranes gets.
struct GatheredPosition {
  std::vector<GatheredSum> sums;  // by target channel
  // Of all channels, as often as the window reads them: an upper bound of what a position adds to
  // the list of its tile.
  uint64_t spikes = 0;
};

GatheredPosition GatherPositionReference(const TileGatherShape& shape, const ScaledWeights& weights,
                                         const SpikeFrame& spikes, size_t row, size_t column);

// All spikes that reach target row `row` of the part's blocks. Each membrane gets its whole sum in
// one saturating addition. The kernel does the same where a tile's spikes are at most
// `most_spikes`; with more, it joins parts of the sum one after another, which differs where one of
// them saturates and another one leads back.
void GatherRowReference(const TileGatherShape& shape, const ScaledWeights& weights,
                        const EventInput& input, const EventTarget& target, size_t row);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_REFERENCE_H_
