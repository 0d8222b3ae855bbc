// The spikes of one layer at one spike index: two bits a neuron.
//
// Neurons are numbered along a row of the map: index = column * LaneLayout::stride() + channel.
// Every 32 neurons of a row are one word:
//
//     bit  0 .. 31   neuron 32 w + bit fired a positive spike
//     bit 32 .. 63   neuron 32 w + bit - 32 fired a negative spike
//
// Firing writes a word as two masks. Consumers list its bits, lowest first, or use the halves as
// masks. Lists of channel numbers would cost a compressing store for each vector and 16 times the
// memory.
#ifndef CSSRUN_RUNTIME_INTEGER_LAYOUT_SPIKE_FRAME_H_
#define CSSRUN_RUNTIME_INTEGER_LAYOUT_SPIKE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/assert.h"
#include "runtime/integer/layout/lane_layout.h"

namespace cssrun::internal {

struct SpikeFrame {
  SpikeFrame(size_t rows, size_t neurons_per_row)
      : words_per_row((neurons_per_row + kLineLanes - 1) / kLineLanes),
        words(rows * words_per_row),
        counts(rows) {}

  uint64_t* Row(size_t row) {
    CSSRUN_ASSERT(row < rows());
    return words.data() + row * words_per_row;
  }
  const uint64_t* Row(size_t row) const {
    CSSRUN_ASSERT(row < rows());
    return words.data() + row * words_per_row;
  }
  size_t rows() const { return counts.size(); }

  uint64_t count() const {
    uint64_t sum = 0;
    for (const uint32_t count : counts) sum += count;
    return sum;
  }

  size_t words_per_row;
  std::vector<uint64_t> words;   // [row][word]
  std::vector<uint32_t> counts;  // spikes of each row, once CountSpikes() was called
};

// Sets `counts` of all rows.
void CountSpikes(SpikeFrame& spikes);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAYOUT_SPIKE_FRAME_H_
