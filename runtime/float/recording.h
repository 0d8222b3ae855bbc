// Spikes and membranes of the float engine as a Recording shows them: [channel, row, column].
#ifndef CSSRUN_RUNTIME_FLOAT_RECORDING_H_
#define CSSRUN_RUNTIME_FLOAT_RECORDING_H_

#include <cstdint>

#include "runtime/float/events.h"
#include "runtime/float/kernels.h"
#include "runtime/float/synapse_layout.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// `out` must be 0.
void RecordSpikes(const format::Extent& extent, const EventFrame& events, int8_t* out);

// What a neuron has not sent after the step, in spikes: its drive over the weight of a spike.
float Residual(const Layer& layer, const ChannelBlocks& blocks, const NeuronArrays& neurons,
               uint32_t y, uint32_t x, size_t channel);

// The same of all neurons.
void RecordMembranes(const Layer& layer, const ChannelBlocks& blocks, const NeuronArrays& neurons,
                     float* out);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_RECORDING_H_
