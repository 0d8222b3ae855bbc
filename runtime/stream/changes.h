// Compares what a layer sends now with what it sent before, and takes what changed.
#ifndef CSSRUN_RUNTIME_STREAM_CHANGES_H_
#define CSSRUN_RUNTIME_STREAM_CHANGES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/integer/network.h"
#include "runtime/stream/position_bits.h"

namespace cssrun::internal {

// What a layer sends.
struct SentFrames {
  LevelFrame* levels = nullptr;       // may be empty where there are spikes
  std::span<SpikeFrame> spikes = {};  // by spike index; empty where levels go alone
};

// Copies what differs in some columns of a row, in whole lines of 32 neurons, from `fresh` to
// `kept`. Adds a bit for each neuron that sends something else to `changed`, by line, unless that
// is empty, and one for its position to `positions`. Returns how many do.
uint64_t TakeChanges(const SentFrames& fresh, const SentFrames& kept, size_t row,
                     const ColumnRange& columns, const LaneLayout& layout,
                     std::span<uint32_t> changed, std::span<uint64_t> positions);

// Sets the count of one row.
void CountRowSpikes(SpikeFrame& spikes, size_t row);

// The synapses of the changed neurons of a source row.
uint64_t CountUpdates(const FanOut& fan_out, size_t row, std::span<const uint32_t> changed,
                      uint64_t count);
uint64_t CountUpdates(const ReadoutSynapses& synapses, size_t row,
                      std::span<const uint32_t> changed);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_CHANGES_H_
