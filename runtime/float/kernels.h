// The vector kernels of the float engine, behind plain functions.
//
// Each call covers a whole layer at one step and dispatches once to the best instruction set of the
// machine. It allocates only where a scratch vector must grow. Each lane is a separate sum, added
// tap by tap and event by event, so every instruction set gives the same bits. Membranes are
// [position][channel] with ChannelBlocks::stride() channels per position, aligned for vectors; the
// lanes beyond the real channels stay 0.
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

// The events that one tap brings to one target position: the rows of channels [0, positive) are
// added, those of the `negative` channels behind them are subtracted.
struct Tap {
  const uint16_t* channels = nullptr;
  uint32_t positive = 0;
  uint32_t negative = 0;
  const float* weights = nullptr;  // the row of source channel 0 in block 0
};

// The events that one kernel row brings to one target position: entries [first, last) of
// TapScratch::rows.
struct TapRow {
  uint32_t first = 0;
  uint32_t last = 0;
  ptrdiff_t offset = 0;  // to be added to the entries; then they count from the weights' beginning
};

// Scratch of Accumulate(). Grows to the largest numbers that a target position has.
struct TapScratch {
  std::vector<Tap> taps;
  std::vector<TapRow> tap_rows;
  // By event of a frame: where its row of weights begins, with 1 added where it is subtracted.
  std::vector<uint32_t> rows;
};

// Whether the events of a kernel row follow each other in the frame, so that one loop takes them:
// true where neighbouring taps see neighbouring positions.
bool TakesWholeRows(const SynapseLayout& synapses);

// membranes += synapses * events. `events` are those of the source at one step, `membranes` those
// of the target. `scratch` is overwritten.
void Accumulate(const SynapseLayout& synapses, const EventFrame& events, TapScratch& scratch,
                float* membranes);

// The state of a layer's neurons, with ChannelBlocks::stride() channels a position.
struct NeuronArrays {
  float* membranes = nullptr;  // h, [position of the potentials][channel]
  float* sent = nullptr;       // g, [position of the spikes][channel]
};

// The two halves of a neuron's step (runtime/neuron/neuron.h) for all neurons of a layer.

// Integrate(): h = beta h + bias. `bias` holds blocks.stride() numbers, or is null
// once all inputs have arrived. Accumulate() adds the spikes afterwards.
void IntegrateLayer(const Layer& layer, const ChannelBlocks& blocks, const float* bias,
                    const NeuronArrays& neurons);

// Fire() at spike index `index`; a pool fires from its largest membrane. Overwrites `events`.
void FireLayer(const Layer& layer, const ChannelBlocks& blocks, uint32_t index,
               const NeuronArrays& neurons, std::vector<uint16_t>& negative_scratch,
               EventFrame& events);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_KERNELS_H_
