// Plain twins of counting: spikes and synaptic operations, one spike after another.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_FAN_OUT_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_FAN_OUT_REFERENCE_H_

#include <cstddef>
#include <cstdint>

#include "network_generated.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

void CountSpikesReference(SpikeFrame& spikes);

// What FanOut is made from: a set of synapses as the file has it.
struct FanOutShape {
  const format::Synapses* synapses = nullptr;
  format::Extent source;
  format::Extent target;  // the map of its membranes
  LaneLayout source_lanes;
};

// SyOPs of the spikes of source rows [first, last): for each spike, every target and tap that reads
// its neuron, itself or in a mean.
uint64_t CountSynopsReference(const FanOutShape& shape, const SpikeFrame& frame, size_t first,
                              size_t last);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_FAN_OUT_REFERENCE_H_
