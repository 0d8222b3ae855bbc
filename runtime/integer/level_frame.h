// The spikes of one settled layer, all steps together: a signed byte a neuron, the sum of
// 2^(T-1-k) over its spikes. Written with the last of them, beside the frames of bits.
//
// Rows hold neurons in the order of their words of spikes, between zeros for what windows see
// beyond the map.
#ifndef CSSRUN_RUNTIME_INTEGER_LEVEL_FRAME_H_
#define CSSRUN_RUNTIME_INTEGER_LEVEL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cssrun::internal {

struct LevelLayout {
  uint32_t before = 0;    // bytes of a row before the first neuron
  uint32_t row_size = 0;  // 0: nobody reads levels
};

struct LevelFrame {
  LevelFrame() = default;
  LevelFrame(size_t rows, const LevelLayout& level_layout)
      : layout(level_layout), levels(rows * level_layout.row_size) {}

  // The first neuron of a row.
  int8_t* Row(size_t row) { return levels.data() + row * layout.row_size + layout.before; }
  const int8_t* Row(size_t row) const {
    return levels.data() + row * layout.row_size + layout.before;
  }

  LevelLayout layout;
  std::vector<int8_t> levels;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LEVEL_FRAME_H_
