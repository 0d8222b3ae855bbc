// How the channels of a layer lie in memory.
//
// Membranes are 16-bit lanes. 32 of them are a line: one cache line, the widest vector, and the
// neurons of one word of spikes. The layout is the same on every machine, whatever its vectors.
//
//     more than 16 channels    line = 32 channels of one position; blocks of 32 channels
//     9 to 16 channels         line = 2 positions of 16 lanes; one block
//     up to 8 channels         line = 4 positions of 8 lanes; one block
//     image of up to 4         line = 8 positions of 4 lanes; one block
#ifndef CSSRUN_RUNTIME_INTEGER_LAYOUT_LANE_LAYOUT_H_
#define CSSRUN_RUNTIME_INTEGER_LAYOUT_LANE_LAYOUT_H_

#include <cstddef>
#include <cstdint>

namespace cssrun::internal {

constexpr uint32_t kLineLanes = 32;

// Lanes in whole lines.
constexpr size_t RoundUpToLines(size_t lanes) {
  return (lanes + kLineLanes - 1) / kLineLanes * kLineLanes;
}

struct LaneLayout {
  uint32_t lanes = kLineLanes;  // of one position in one block: 4, 8, 16 or 32
  uint32_t blocks = 1;          // more than one only with 32 lanes

  static LaneLayout For(uint32_t channels) {
    LaneLayout layout;
    layout.lanes = channels <= 8 ? 8 : channels <= 16 ? 16 : kLineLanes;
    layout.blocks = (channels + layout.lanes - 1) / layout.lanes;
    return layout;
  }
  static LaneLayout ForImage(uint32_t channels) {
    LaneLayout layout = For(channels);
    if (channels <= 4) layout.lanes = 4;
    return layout;
  }
  // Neuron indices of one position in a row of spikes: channels, and lanes without one.
  uint32_t stride() const { return lanes * blocks; }
  // Positions of one line.
  uint32_t positions() const { return kLineLanes / lanes; }
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAYOUT_LANE_LAYOUT_H_
