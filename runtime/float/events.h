// The spikes of one layer at one step: for every position the channels that fired.
//
// This is the layout that firing produces and that the next layer's synapses consume: 16-bit
// channel numbers, those of positive spikes first, then those of negative ones, ascending in both
// runs.
#ifndef CSSRUN_RUNTIME_FLOAT_EVENTS_H_
#define CSSRUN_RUNTIME_FLOAT_EVENTS_H_

#include <cstdint>
#include <vector>

namespace cssrun::internal {

struct EventFrame {
  // Room for every neuron of `positions` positions with `neurons_per_position` channels.
  EventFrame(uint64_t positions, uint64_t neurons_per_position)
      : channels(positions * neurons_per_position), bounds(2 * positions + 1, 0) {}

  // Channels of position p: positive in [bounds[2p], bounds[2p+1]), negative up to bounds[2p+2].
  std::vector<uint16_t> channels;
  std::vector<uint32_t> bounds;

  uint32_t count() const { return bounds.back(); }
  uint32_t count(uint64_t position) const {
    return bounds[2 * position + 2] - bounds[2 * position];
  }
  void Clear() {
    if (count() != 0) bounds.assign(bounds.size(), 0);
  }
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_EVENTS_H_
