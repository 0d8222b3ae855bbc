// The readout: spikes of the last layers times weights, in float.
//
// It is small, and its sums are the answer. Spikes that share a row of weights, as those of all
// positions under a mean do, are counted first; logits then grow by count times row, in the order
// of the rows, without fused multiply-adds: the same bits on every machine.
#ifndef CSSRUN_RUNTIME_INTEGER_READOUT_READOUT_H_
#define CSSRUN_RUNTIME_INTEGER_READOUT_READOUT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "network_generated.h"
#include "runtime/geometry/source_view.h"
#include "runtime/integer/kernels/fan_out.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

// Logits are rounded up to the widest vector of floats.
constexpr uint32_t kLogitLanes = 16;

struct ReadoutSynapses {
  uint32_t source = 0;                // layer index
  std::vector<uint8_t> row_is_read;   // by source row
  std::vector<uint32_t> row_weights;  // by source row: the first of its rows of weights
  std::vector<uint32_t> neurons;      // by source neuron of a row: its row of weights from there
  std::vector<uint32_t> fan_out;      // by source neuron of a row: 0 for what nothing reads
  // Of a mean over the map, with one row of weights for each channel at every position that is
  // read: words of a position. 0: something else.
  size_t mean_words = 0;
  size_t weight_rows = 0;
  size_t row_size = 0;                         // logits, a multiple of kLogitLanes
  hwy::AlignedFreeUniquePtr<float[]> weights;  // [weight row][logit]
};

// What synapses of the readout are made from.
struct ReadoutShape {
  uint32_t logits = 0;
  size_t row_size = 0;
  format::Extent source;
  LaneLayout source_lanes;
  SourceView view;  // disjoint
};

// `weights`: those of `synapses`. Throws std::bad_alloc.
ReadoutSynapses MakeReadoutSynapses(const ReadoutShape& shape, const format::Synapses& synapses,
                                    std::span<const float> weights);

// Adds all levels by row of weights: what CountReadoutSpikes() gives for all steps, each weighed.
// Returns the synaptic operations of their spikes.
uint64_t AddReadoutLevels(const ReadoutSynapses& synapses, const CountedLevels& source,
                          std::span<int32_t> counts);

// Counts the spikes of one step by row of weights. Returns their synaptic operations.
uint64_t CountReadoutSpikes(const ReadoutSynapses& synapses, const SpikeFrame& spikes,
                            std::span<int32_t> counts);

// Logits [first, last), multiples of kLogitLanes.
struct LogitRange {
  size_t first = 0;
  size_t last = 0;
};

// logits += counts[i] * row i of the weights, for each i in order. Of `range`, so that threads may
// share the logits.
void AddReadout(const ReadoutSynapses& synapses, std::span<const int32_t> counts,
                const LogitRange& range, float* logits);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_READOUT_READOUT_H_
