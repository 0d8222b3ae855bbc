// The spikes of one layer at one step: for every position, the channels that fired.
//
// Firing writes this layout and the synapses of the next layer read it. Each position has a run of
// 16-bit channel numbers for its positive spikes, then one for its negative spikes, both ascending.
// Here position 0 sends +2, +5 and -1, position 1 nothing, position 2 sends -0:
//
//     channels   2  5 | 1 || || 0
//     bounds     0      2   3  3  3  3  4       two per position, and the end
#ifndef CSSRUN_RUNTIME_FLOAT_EVENTS_H_
#define CSSRUN_RUNTIME_FLOAT_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/assert.h"

namespace cssrun::internal {

struct EventFrame {
  // Channel numbers are written by vectors, of which only the first lanes may count.
  static constexpr size_t kSlack = 16;

  // An empty frame with room for a spike of every neuron: nothing allocates later.
  EventFrame(uint64_t positions, uint64_t neurons_per_position)
      : channels(positions * neurons_per_position + kSlack), bounds(2 * positions + 1, 0) {}

  // Position p: positive spikes are channels[bounds[2p]] up to channels[bounds[2p+1] - 1], negative
  // ones follow up to channels[bounds[2p+2] - 1].
  std::vector<uint16_t> channels;
  std::vector<uint32_t> bounds;

  // Spikes of all positions.
  uint32_t count() const { return bounds.back(); }
  // Spikes of one position, of either sign.
  uint32_t count(uint64_t position) const {
    CSSRUN_ASSERT(2 * position + 2 < bounds.size());
    return bounds[2 * position + 2] - bounds[2 * position];
  }
  void Clear() {
    if (count() != 0) bounds.assign(bounds.size(), 0);
  }
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_EVENTS_H_
