// What changes while a network runs on events: one EventState for each node.
#ifndef CSSRUN_RUNTIME_EVENTS_EVENT_STATE_H_
#define CSSRUN_RUNTIME_EVENTS_EVENT_STATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "runtime/assert.h"
#include "runtime/events/event_network.h"
#include "runtime/position_bits.h"

namespace cssrun::internal {

// Neighbouring entries of a SpikeList that have the same position.
struct Spot {
  uint32_t position = 0;
  uint32_t end = 0;    // its entries begin at the end of the spot before
  uint64_t times = 0;  // how often weights are added for all entries before `end`
};

// What a node sends at one step, one entry per neuron, position after position (the input's entries
// are in any order). Kernels write whole vectors, so there is room beyond the end.
struct SpikeList {
  static constexpr size_t kRoom = 64;
  static constexpr uint32_t kNowhere = ~uint32_t{0};

  // Sets aside memory for `count` entries.
  void Reserve(size_t count, bool with_values) {
    positions.resize(count + kRoom);
    channels.resize(count + kRoom);
    numbers.resize(count + kRoom);
    spots.resize(count + 1);
    if (with_values) values.resize(count + kRoom);
  }
  bool empty() const { return size == 0; }
  size_t capacity() const { return positions.size() - kRoom; }
  void Clear() {
    size = 0;
    spot_count = 0;
    largest = 0;
    total = 0;
  }

  // Lists the spots of all entries. times(i): how often weights are added for entry i. Without
  // branches, since the number of entries of a spot is practically random.
  template <class Times>
  void ListSpots(Times times) {
    CSSRUN_ASSERT(size < positions.size() && size < spots.size());
    positions[size] = kNowhere;
    Spot* spot = spots.data();
    uint64_t sum = 0;
    for (size_t i = 0; i < size; ++i) {
      sum += times(i);
      *spot = {positions[i], static_cast<uint32_t>(i + 1), sum};
      spot += positions[i + 1] == positions[i] ? 0 : 1;
    }
    spot_count = static_cast<size_t>(spot - spots.data());
  }

  size_t size = 0;
  std::vector<Spot> spots;  // spot_count of them
  size_t spot_count = 0;
  std::vector<uint32_t> positions;  // row * width + column
  std::vector<uint32_t> channels;
  std::vector<int32_t> numbers;  // of spikes
  // With `valued`, this is sent instead: the values of a node that sends values, or events of the
  // input that are not whole numbers.
  bool valued = false;
  std::vector<double> values;
  // The largest absolute number, and the sum of the absolute numbers.
  double largest = 0;
  double total = 0;
};

// Positions of a map that something reached, with a summary, since mostly few rows have any.
class ReachedPositions {
 public:
  ReachedPositions() = default;
  ReachedPositions(size_t rows, size_t columns) : bits_(rows, columns), rows_(1, rows) {}

  bool empty() const { return !rows_.Any(); }
  // The words of a row's columns, PositionBits::words_per_row() of them, and of the rows that have
  // columns. Whoever sets or clears some there keeps the other in step.
  PositionBits& bits() { return bits_; }
  std::span<uint64_t> rows() { return rows_.Row(0); }

  // At least one column, from `first` on.
  void Add(size_t row, size_t first, size_t count) {
    rows_.Set(0, row);
    bits_.SetRange(row, first, first + count);
  }
  bool Has(size_t row, size_t column) const { return bits_.Get(row, column); }
  void Clear() {
    bits_.Clear();
    rows_.Clear();
  }

 private:
  PositionBits bits_;
  PositionBits rows_;  // one row: a bit for each row of bits_
};

// How often neurons fired lately. If most vectors of neurons are silent, a branch skips them; if
// many fire, the branch is often mispredicted and costs more than it saves.
struct FiringRate {
  // Adds the counts of a step: vectors of neurons that were updated, and neurons that fired.
  void Add(uint64_t step_vectors, uint64_t step_spikes) {
    vectors += step_vectors;
    spikes += step_spikes;
    if (vectors < kVectors) return;
    rare = 4 * spikes < vectors;
    vectors = spikes = 0;
  }

  static constexpr uint64_t kVectors = 256;
  uint64_t vectors = 0;
  uint64_t spikes = 0;
  bool rare = false;
};

struct EventState {
  explicit EventState(const SpikingLayer& neurons, bool is_input);

  // Restores the state before the first step.
  void Clear(const SpikingLayer& neurons);
  // Keeps potentials in double precision from now on, or in whole numbers if they allow it.
  void LeaveWhole(const SpikingLayer& neurons);
  void TryWhole(const SpikingLayer& neurons);
  double PotentialAt(const SpikingLayer& neurons, size_t index) const {
    return is_whole ? neurons.unit * whole_potentials[index] : potentials[index];
  }

  // [position][lane]; unset for the input.
  hwy::AlignedFreeUniquePtr<double[]> potentials;         // where not is_whole
  hwy::AlignedFreeUniquePtr<int32_t[]> whole_potentials;  // in units; unset without WholeNeurons
  hwy::AlignedFreeUniquePtr<double[]> currents;           // unset without currents
  // What arrived at this step, in units, and the same if it does not fit 32 bits (`wide`). 0
  // between steps.
  hwy::AlignedFreeUniquePtr<int32_t[]> sums;
  hwy::AlignedFreeUniquePtr<double[]> inputs;
  bool is_whole = false;
  bool wide = false;
  uint64_t steps_in_double = 0;  // since LeaveWhole()
  FiringRate rate;               // of whole potentials
  // By position: the number of steps applied to its potentials, for neurons that forget.
  std::vector<uint64_t> done;
  // During a step: the positions that something reached. Between steps: those still above their
  // threshold, which fire at the next step without any input.
  ReachedPositions reached;
  std::vector<uint32_t> listed;  // the same as a list; has room for a vector beyond it
  SpikeList spikes;              // of this step
  SpikeList delayed;             // of the step before, where a delayed connection reads them
  std::vector<uint64_t> counts;  // [position][lane]: spikes sent
  // For the input: by neuron, 1 + its entry in `spikes` while events of a step are taken, else 0.
  std::vector<uint32_t> entries;
};

// Lists the spots of what a node sends.
void ListSpots(const SpikingLayer& sender, SpikeList& spikes);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EVENTS_EVENT_STATE_H_
