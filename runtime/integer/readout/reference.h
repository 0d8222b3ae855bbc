// Plain twins of the readout's functions. They take the shape and the synapses of the file instead
// of the layout made from them.
#ifndef CSSRUN_RUNTIME_INTEGER_READOUT_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_READOUT_REFERENCE_H_

#include <cstdint>
#include <span>

#include "network_generated.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/integer/readout/readout.h"

namespace cssrun::internal {

// Counts the spikes of one step by position of the view and channel, [y][x][channel], positive ones
// less negative ones, as far as a logit reads them. Returns their synaptic operations.
uint64_t CountReadoutSpikesReference(const ReadoutShape& shape, const format::Synapses& synapses,
                                     const SpikeFrame& spikes, std::span<int32_t> counts);

// The same for levels, which are added instead of spikes; `spikes`: of each byte.
uint64_t AddReadoutLevelsReference(const ReadoutShape& shape, const format::Synapses& synapses,
                                   const LevelFrame& levels, const LevelRule& rule,
                                   std::span<int32_t> counts);

// Adds counts times weights to the logits in the order of the counts.
void AddReadoutReference(const ReadoutShape& shape, const format::Synapses& synapses,
                         std::span<const int32_t> counts, float* logits);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_READOUT_REFERENCE_H_
