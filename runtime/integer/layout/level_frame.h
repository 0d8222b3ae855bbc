// The levels of one layer: for each neuron its whole spike train as one signed byte.
//
// With beta = 2, spike index k of T weighs 2^(T-1-k), so a train is a whole number, its level, from
// -(2^T - 1) to 2^T - 1; a rectifying layer has levels of 0 and more. Settled layers write their
// levels together with their spikes; level kernels read them.
//
// Rows hold neurons in the order of their words of spikes, between zeros for what the windows of
// readers see beyond the map:
//
//     row:  | before: zeros | neuron 0, 1, ... | zeros |
#ifndef CSSRUN_RUNTIME_INTEGER_LAYOUT_LEVEL_FRAME_H_
#define CSSRUN_RUNTIME_INTEGER_LAYOUT_LEVEL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/assert.h"

namespace cssrun::internal {

struct LevelLayout {
  uint32_t before = 0;    // bytes of a row before the first neuron
  uint32_t row_size = 0;  // bytes from one row to the next; 0: nothing reads these levels
};

struct LevelFrame {
  LevelFrame() = default;
  LevelFrame(size_t rows, const LevelLayout& level_layout)
      : layout(level_layout), levels(rows * level_layout.row_size) {}

  bool empty() const { return levels.empty(); }
  // The first neuron of a row.
  int8_t* Row(size_t row) {
    CSSRUN_ASSERT((row + 1) * layout.row_size <= levels.size() && layout.before < layout.row_size);
    return levels.data() + row * layout.row_size + layout.before;
  }
  const int8_t* Row(size_t row) const {
    CSSRUN_ASSERT((row + 1) * layout.row_size <= levels.size() && layout.before < layout.row_size);
    return levels.data() + row * layout.row_size + layout.before;
  }

  LevelLayout layout;
  std::vector<int8_t> levels;  // [row][byte]
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAYOUT_LEVEL_FRAME_H_
