// What changes while a network runs on events: one EventState for each node.
#ifndef CSSRUN_RUNTIME_EVENTS_EVENT_STATE_H_
#define CSSRUN_RUNTIME_EVENTS_EVENT_STATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "runtime/events/event_network.h"

namespace cssrun::internal {

// A spike on its way, or several of one neuron at one step.
struct EventSpike {
  uint32_t position = 0;  // row * width + column
  uint32_t channel = 0;
  double value = 0;  // how many; of a node that sends values, the value
};

// A set of positions of a map, by rows of 64-bit words.
class PositionSet {
 public:
  static constexpr size_t kWordBits = 64;

  PositionSet() = default;
  PositionSet(size_t rows, size_t columns)
      : words_per_row_((columns + kWordBits - 1) / kWordBits),
        words_(rows * words_per_row_),
        rows_((rows + kWordBits - 1) / kWordBits) {}

  bool empty() const {
    return std::all_of(rows_.begin(), rows_.end(), [](uint64_t word) { return word == 0; });
  }
  size_t words_per_row() const { return words_per_row_; }
  // The sets of columns of a row.
  uint64_t* Row(size_t row) { return words_.data() + row * words_per_row_; }
  const uint64_t* Row(size_t row) const { return words_.data() + row * words_per_row_; }
  // The set of rows that have columns.
  std::vector<uint64_t>& rows() { return rows_; }

  void Add(size_t row, size_t first, size_t count) {
    rows_[row / kWordBits] |= uint64_t{1} << row % kWordBits;
    uint64_t* words = Row(row);
    while (count > 0) {
      const size_t bit = first % kWordBits;
      const size_t bits = std::min(count, kWordBits - bit);
      words[first / kWordBits] |= (~uint64_t{0} >> (kWordBits - bits)) << bit;
      first += bits;
      count -= bits;
    }
  }
  bool Has(size_t row, size_t column) const {
    return (Row(row)[column / kWordBits] >> column % kWordBits & 1) != 0;
  }
  void Clear() {
    std::fill(words_.begin(), words_.end(), 0);
    std::fill(rows_.begin(), rows_.end(), 0);
  }

 private:
  size_t words_per_row_ = 0;
  std::vector<uint64_t> words_;
  std::vector<uint64_t> rows_;
};

struct EventState {
  explicit EventState(const SpikingLayer& neurons, bool is_input);

  // As before the first step.
  void Clear(const SpikingLayer& neurons);

  // [position][lane]; unset for the input.
  hwy::AlignedFreeUniquePtr<double[]> potentials;
  hwy::AlignedFreeUniquePtr<double[]> currents;  // unset without currents
  hwy::AlignedFreeUniquePtr<double[]> inputs;    // what arrived at this step; 0 between steps
  // By position: the steps that its potentials have had.
  std::vector<uint64_t> done;
  // During a step: the positions that something reached. Between steps: those that are above their
  // threshold still, and fire at the next step without any input.
  PositionSet reached;
  std::vector<EventSpike> spikes;   // of this step
  std::vector<EventSpike> delayed;  // of the step before, where a delayed connection reads them
  std::vector<uint64_t> counts;     // [position][lane]: spikes sent
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EVENTS_EVENT_STATE_H_
