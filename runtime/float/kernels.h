// What the engine spends its time on, behind plain functions.
//
// Each call covers a whole layer at one step and dispatches once to the best instruction set of the
// machine. None allocates. Sums are taken in a fixed order, tap by tap and event by event, lanes
// apart, so every instruction set gives the same bits. Membranes are [position][channel] with
// ChannelBlocks::stride() channels a position.
#ifndef CSSRUN_RUNTIME_FLOAT_KERNELS_H_
#define CSSRUN_RUNTIME_FLOAT_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/float/events.h"
#include "runtime/float/synapse_layout.h"
#include "runtime/network/loaded_network.h"
#include "runtime/neuron/neuron.h"

namespace cssrun::internal {

// The events that one tap brings to one target position.
struct Tap {
  const uint16_t* channels = nullptr;
  uint32_t positive = 0;           // the first so many add their row,
  uint32_t negative = 0;           // the next so many subtract it
  const float* weights = nullptr;  // row of source channel 0 in block 0
};

// The taps of one target position; grows to the most that any position has.
using TapScratch = std::vector<Tap>;

// membranes += synapses * events.
void Accumulate(const SynapseLayout& synapses, const EventFrame& events, TapScratch& scratch,
                float* membranes);

// The state of a layer's neurons, with ChannelBlocks::stride() channels a position.
struct NeuronArrays {
  float* membranes = nullptr;  // h, [position of the potentials][channel]
  float* sent = nullptr;       // g, [position of the spikes][channel]
};

// The two halves of a neuron's step, for all neurons of a layer: neuron.h in vectors of channels.

// Integrate() without the spikes; `bias` is null once all inputs have arrived.
void IntegrateLayer(const Layer& layer, const ChannelBlocks& blocks, const float* bias,
                    const NeuronArrays& neurons);

// Fire() at spike index `index`, from the largest membrane of each pool.
void FireLayer(const Layer& layer, const ChannelBlocks& blocks, uint32_t index,
               const NeuronArrays& neurons, std::vector<uint16_t>& negative_scratch,
               EventFrame& events);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_KERNELS_H_
