// How the channels of a layer lie in memory.
#ifndef CSSRUN_RUNTIME_INTEGER_LANE_LAYOUT_H_
#define CSSRUN_RUNTIME_INTEGER_LANE_LAYOUT_H_

#include <cstdint>

namespace cssrun::internal {

// Neurons of a word of spikes; membranes lie in chunks of as many 16-bit lanes, one cache line: the
// widest vector, and the same on every machine, so that the layout does not depend on it.
constexpr uint32_t kChunkLanes = 32;

// Up to 8 or 16 channels a position (4 of an image), several positions a chunk; more channels in
// blocks of one chunk.
struct LaneLayout {
  uint32_t lanes = kChunkLanes;  // of one position in one block
  uint32_t blocks = 1;

  static LaneLayout For(uint32_t channels) {
    LaneLayout layout;
    layout.lanes = channels <= 8 ? 8 : channels <= 16 ? 16 : kChunkLanes;
    layout.blocks = (channels + layout.lanes - 1) / layout.lanes;
    return layout;
  }
  static LaneLayout ForImage(uint32_t channels) {
    LaneLayout layout = For(channels);
    if (channels <= 4) layout.lanes = 4;
    return layout;
  }
  uint32_t stride() const { return lanes * blocks; }          // numbers of neurons at one position
  uint32_t positions() const { return kChunkLanes / lanes; }  // of one chunk
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LANE_LAYOUT_H_
