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

// membranes = beta * membranes + bias, the bias only while inputs arrive (null afterwards).
void Decay(const ChannelBlocks& blocks, size_t positions, float beta, const float* bias,
           float* membranes);

// Fires the neurons of `layer` at spike index `index` (TSA-ReLU, appendix A.7, in the form that
// keeps h, what came in, and g, what was sent): g *= beta; o = max over the pool's members of h,
// not below 0 if the layer rectifies, less g; a spike where |o| reaches the threshold; g += spike.
// `sent` is g, [position of the spikes][channel].
void Fire(const Layer& layer, const ChannelBlocks& blocks, uint32_t index, float beta,
          float spike_weight, bool negative_spikes, const float* membranes, float* sent,
          std::vector<uint16_t>& negative_scratch, EventFrame& events);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_KERNELS_H_
