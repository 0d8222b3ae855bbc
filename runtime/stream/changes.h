// Compares what a layer sends now with what it sent before, and copies the differences.
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
#include "runtime/position_bits.h"

namespace cssrun::internal {

// Where the changes of a row are noted: a bit for each neuron that changed, by line of 32, unless
// `neurons` is empty, and a bit for its position. Bits are added to those that are set.
struct RowChanges {
  std::span<uint32_t> neurons;
  std::span<uint64_t> positions;
};

// Copies the levels of some columns of a row from `fresh` to `kept`. Returns how many differ.
// `apart`: see LevelBounds; unless it is 0, neurons keep levels within the bounds in `fresh`.
uint64_t TakeLevels(const LevelFrame& fresh, LevelFrame& kept, size_t row,
                    const ColumnRange& columns, const LaneLayout& layout, const RowChanges& changes,
                    size_t apart = 0);

// What a layer sends if its spikes are read.
struct SentSpikes {
  LevelFrame* levels = nullptr;  // may be empty
  std::span<SpikeFrame> spikes;  // by spike index
};
// The same for spike trains, in whole lines of 32 neurons.
uint64_t TakeSpikes(const SentSpikes& fresh, const SentSpikes& kept, size_t row,
                    const ColumnRange& columns, const LaneLayout& layout,
                    const RowChanges& changes);

// Sets the count of one row.
void CountRowSpikes(SpikeFrame& spikes, size_t row);

// The synapses of the changed neurons of a source row.
uint64_t CountUpdates(const FanOut& fan_out, size_t row, std::span<const uint32_t> changed,
                      uint64_t count);
uint64_t CountUpdates(const ReadoutSynapses& synapses, size_t row,
                      std::span<const uint32_t> changed);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_CHANGES_H_
