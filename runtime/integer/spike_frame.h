// The spikes of one layer at one spike index, as the integer engine carries them: for every row of
// the map a list of the neurons that fired, positive and negative apart.
//
// A neuron is a 16-bit number within its row, column * channel stride + channel: firing produces it
// with one compress-store per vector, and a table of the consumer turns it into a place in the
// target's membranes and one in the weights. One long list a row, not one a position: ends of short
// lists are mispredicted branches.
#ifndef CSSRUN_RUNTIME_INTEGER_SPIKE_FRAME_H_
#define CSSRUN_RUNTIME_INTEGER_SPIKE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hwy/aligned_allocator.h"

namespace cssrun::internal {

struct SpikeFrame {
  // Writers store whole vectors: so many numbers beyond a list's end are scratch.
  static constexpr size_t kSlack = 32;

  // `neurons_per_row` <= 65536.
  SpikeFrame(size_t rows, size_t columns_per_row, size_t neurons_per_row)
      : capacity(neurons_per_row + kSlack),
        columns(columns_per_row),
        positive(hwy::AllocateAligned<uint16_t>(rows * capacity)),
        negative(hwy::AllocateAligned<uint16_t>(rows * capacity)),
        counts(2 * rows, 0),
        bounds(hwy::AllocateAligned<uint32_t>(rows * columns_per_row * 2)) {}

  uint16_t* Positive(size_t row) { return positive.get() + row * capacity; }
  uint16_t* Negative(size_t row) { return negative.get() + row * capacity; }
  std::span<const uint16_t> PositiveOf(size_t row) const {
    return {positive.get() + row * capacity, counts[2 * row]};
  }
  std::span<const uint16_t> NegativeOf(size_t row) const {
    return {negative.get() + row * capacity, counts[2 * row + 1]};
  }
  uint64_t count() const {
    uint64_t sum = 0;
    for (const uint32_t count : counts) sum += count;
    return sum;
  }

  size_t capacity;
  size_t columns;
  hwy::AlignedFreeUniquePtr<uint16_t[]> positive;  // ascending in each row
  hwy::AlignedFreeUniquePtr<uint16_t[]> negative;
  std::vector<uint32_t> counts;  // of each row: positive, negative
  // Of each row and column: the ends of its positive and of its negative spikes in the row's lists.
  // Written only for layers of more than one channel block, whose positions have long lists.
  hwy::AlignedFreeUniquePtr<uint32_t[]> bounds;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_SPIKE_FRAME_H_
