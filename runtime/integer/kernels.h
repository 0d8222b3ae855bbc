// The integer engine's kernels, behind plain functions that choose the best instruction set of the
// machine once a call. None allocates. All integer arithmetic is exact or saturates, in an order
// that the network alone decides, so every instruction set gives the same bits.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/integer/integer_network.h"
#include "runtime/integer/level_frame.h"
#include "runtime/integer/spike_frame.h"
#include "runtime/integer/spike_lists.h"

namespace cssrun::internal {

// How a membrane grows from step to step.
struct Growth {
  float beta = 1.5F;
  int16_t fraction = 0;  // of a beta that is neither 1.5 nor 2: beta - whole, in 1/32768
  int whole = 1;

  static Growth Of(float beta);
};

// What a settled layer needs at its last input index.
struct SettledStep {
  uint32_t timesteps = 0;
  SpikeFrame* const* spikes = nullptr;        // all T of them
  LevelFrame* levels = nullptr;               // the same; null if nobody reads them
  const LevelFrame* const* inputs = nullptr;  // by synapses
};

// Some rows of some blocks of a layer. Parts touch nothing of each other, so that threads may share
// them.
struct LayerPart {
  uint32_t first_row = 0;  // of the membranes: whole pools
  uint32_t last_row = 0;   // one beyond
  uint32_t first_block = 0;
  uint32_t last_block = 0;  // one beyond: as many as IntegerLayer::blocks_together, or all
};

// What a part of a layer does at one input index.
struct LayerStep {
  uint64_t synops = 0;  // counted up with the first block: over all rows those of the layer

  const IntegerLayer* layer = nullptr;
  LayerPart part;
  const SpikeFrame* const* inputs = nullptr;  // by synapses; null when no input arrives any more
  SpikeLists* lists = nullptr;                // by synapses: room for a source's spikes
  int16_t* membranes = nullptr;
  int16_t* sent = nullptr;  // g, [spike row][neuron]; null if it does not rectify
  // What pixels bring at each step, in units, and what rounding has kept back of it so far:
  // [block][row][IntegerLayer::map_lanes()]. Null without direct synapses or when no input arrives.
  const float* direct = nullptr;
  float* direct_owed = nullptr;
  // What pixels and shortcuts bring to a settled layer, in settled units, laid out as `direct`.
  float* real = nullptr;
  const SettledStep* settled = nullptr;  // at a settled layer's last input index
  SpikeFrame* spikes = nullptr;          // null in the silent period
  const int16_t* thresholds = nullptr;   // of this spike index
  const int16_t* biases = nullptr;       // of the next input index; null after the last
  Growth growth;
  bool negative_spikes = true;
  bool round_up = false;  // beta 1.5: which way halves are rounded, in turn
};

// Adds the inputs, fires, and lets membranes and what was sent grow to the next index. Does not
// count the spikes.
void RunLayerStep(LayerStep& step);

// Sets `counts` of all rows.
void CountSpikes(SpikeFrame& spikes);

// Sets the levels of a layer whose spikes of all steps are there.
void FillLevels(std::span<const SpikeFrame> steps, LevelFrame& levels);

// One step of the encoder: bit `bit` of the trains of a row's neurons, a multiple of 32.
void EncodeRow(const uint16_t* positive, const uint16_t* negative, uint32_t neurons, uint32_t bit,
               size_t row, SpikeFrame& spikes);

// logits += counts[i] * row i of the weights, for each i; `stride` logits, a multiple of 16. Counts
// are zero afterwards.
void AddReadout(const float* weights, size_t stride, std::span<int32_t> counts, float* logits);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_H_
