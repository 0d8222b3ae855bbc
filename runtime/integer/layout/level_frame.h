// The levels of one layer: for each neuron its whole spike train as one byte.
//
// With beta = 2, spike index k of T weighs 2^(T-1-k), so a train is a whole number, its level, from
// -(2^T - 1) to 2^T - 1; a rectifying layer has levels of 0 and more. A byte holds level + zero, in
// 0 to 255: zero is 0 for a layer that rectifies; otherwise it is chosen so that the lowest level
// fits. Settled layers write their levels together with their spikes; level kernels read them.
//
// Rows hold neurons in the order of their words of spikes. Before and after them are levels of 0,
// which the windows of readers see beyond the map:
//
//     row:  | before: zero | neuron 0, 1, ... | zero |
#ifndef CSSRUN_RUNTIME_INTEGER_LAYOUT_LEVEL_FRAME_H_
#define CSSRUN_RUNTIME_INTEGER_LAYOUT_LEVEL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/aligned.h"
#include "runtime/assert.h"

namespace cssrun::internal {

struct LevelLayout {
  uint32_t before = 0;    // bytes of a row before the first neuron
  uint32_t row_size = 0;  // bytes from one row to the next; 0: nothing reads these levels
  uint8_t zero = 0;       // the byte of level 0
};

struct LevelFrame {
  LevelFrame() = default;
  LevelFrame(size_t rows, const LevelLayout& level_layout)
      : layout(level_layout), levels(rows * level_layout.row_size, level_layout.zero) {}

  bool empty() const { return levels.empty(); }
  // The first neuron of a row.
  uint8_t* Row(size_t row) { return levels.data() + IndexOf(row); }
  const uint8_t* Row(size_t row) const { return levels.data() + IndexOf(row); }

  // From now on the frame holds the rows from `first` on, as many as it has room for, in this
  // layout. Their contents are left over from before.
  void StartAt(size_t first, const LevelLayout& level_layout) {
    first_row = first;
    layout = level_layout;
  }

  LevelLayout layout;
  size_t first_row = 0;
  std::vector<uint8_t, RoomAllocator<uint8_t>> levels;  // [row][byte]

 private:
  size_t IndexOf(size_t row) const {
    CSSRUN_ASSERT(row >= first_row && layout.before < layout.row_size);
    CSSRUN_ASSERT((row - first_row + 1) * layout.row_size <= levels.size());
    return (row - first_row) * layout.row_size + layout.before;
  }
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAYOUT_LEVEL_FRAME_H_
