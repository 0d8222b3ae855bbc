// What a layer in floats needs besides its kernels, for the float engine and for readouts of maps,
// which other engines run in floats.
#ifndef CSSRUN_RUNTIME_FLOAT_FLOAT_LAYER_H_
#define CSSRUN_RUNTIME_FLOAT_FLOAT_LAYER_H_

#include <cstdint>
#include <span>

#include "network_generated.h"
#include "runtime/float/events.h"
#include "runtime/float/float_network.h"
#include "runtime/float/kernels.h"
#include "runtime/float/synapse_layout.h"

namespace cssrun::internal {

// Synaptic operations of one frame: for each event, the synapses that exist. Those that a border or
// the end of an identity's channels cuts off do not count.
uint64_t CountSynops(const SynapseLayout& synapses, const EventFrame& events);

// Room for the taps of any target position of the layer, so that running allocates nothing.
void ReserveTaps(const FloatLayer& layer, TapScratch& taps);

// Copies membranes, [position][blocks.stride()], to [channel][row][column].
void CopyPlanar(const format::Extent& extent, const ChannelBlocks& blocks, const float* membranes,
                std::span<float> planar);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_FLOAT_LAYER_H_
