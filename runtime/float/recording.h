// Spikes and membranes of the float engine as a Recording shows them: [channel, row, column].
#ifndef CSSRUN_RUNTIME_FLOAT_RECORDING_H_
#define CSSRUN_RUNTIME_FLOAT_RECORDING_H_

#include <cstdint>

#include "runtime/float/events.h"
#include "runtime/float/synapse_layout.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// `out` must be 0.
void RecordSpikes(const format::Extent& extent, const EventFrame& events, int8_t* out);

// max(h, 0) - g after the step, in spikes.
void RecordMembranes(const Layer& layer, const ChannelBlocks& blocks, float spike_weight,
                     const float* membranes, const float* sent, float* out);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_RECORDING_H_
