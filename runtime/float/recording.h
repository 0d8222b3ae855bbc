// Copies the float engine's spikes and membranes into the order of a Recording: [channel][row]
// [column], the column fastest.
#ifndef CSSRUN_RUNTIME_FLOAT_RECORDING_H_
#define CSSRUN_RUNTIME_FLOAT_RECORDING_H_

#include <cstdint>

#include "runtime/float/events.h"
#include "runtime/float/kernels.h"
#include "runtime/float/synapse_layout.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Writes +1 or -1 for each spike of one step. `out` has room for Neurons(extent) numbers, all 0.
void RecordSpikes(const format::Extent& extent, const EventFrame& events, int8_t* out);

// What a neuron has not sent after a step, in spikes: its drive divided by the weight of a spike.
// `y`, `x` and `channel` name the neuron on the map of spikes.
float Residual(const Layer& layer, const ChannelBlocks& blocks, const NeuronArrays& neurons,
               uint32_t y, uint32_t x, size_t channel);

// Residual() of all neurons of the layer. `out` has room for Neurons(layer.extent) numbers.
void RecordMembranes(const Layer& layer, const ChannelBlocks& blocks, const NeuronArrays& neurons,
                     float* out);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_RECORDING_H_
