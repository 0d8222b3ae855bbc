// The spikes of one layer at one spike index, as the integer engine carries them: two bits a
// neuron.
//
// Every 32 neurons of a row of the map are one word: bit k says that neuron k fired a positive
// spike, bit 32 + k a negative one. Firing writes a word with two stores of a mask; a consumer
// takes the spikes out one by one, lowest bit first, or uses the halves as masks. Neurons are
// numbered along the row, column * stride + channel.
#ifndef CSSRUN_RUNTIME_INTEGER_SPIKE_FRAME_H_
#define CSSRUN_RUNTIME_INTEGER_SPIKE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/integer/lane_layout.h"

namespace cssrun::internal {

struct SpikeFrame {
  SpikeFrame(size_t rows, size_t neurons_per_row)
      : words_per_row((neurons_per_row + kChunkLanes - 1) / kChunkLanes),
        words(rows * words_per_row),
        counts(rows) {}

  uint64_t* Row(size_t row) { return words.data() + row * words_per_row; }
  const uint64_t* Row(size_t row) const { return words.data() + row * words_per_row; }

  uint64_t count() const {
    uint64_t sum = 0;
    for (const uint32_t count : counts) sum += count;
    return sum;
  }

  size_t words_per_row;
  std::vector<uint64_t> words;
  std::vector<uint32_t> counts;  // spikes of each row
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_SPIKE_FRAME_H_
