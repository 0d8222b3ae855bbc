// The plain twin of Depthwise. It takes the weights as they were given; of the kernel it reads the
// window and the size of the source, which nothing was laid out for.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_DEPTHWISE_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_DEPTHWISE_REFERENCE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/integer/kernels/depthwise/depthwise.h"
#include "runtime/integer/kernels/event_kernel.h"

namespace cssrun::internal {

// All spikes that reach target row `row` of `channels` channels. Kernel rows come in ascending
// order, and the sum of each joins the membranes in one saturating addition, as that of the kernel
// does.
void DepthwiseRowReference(const Depthwise& kernel, const ScaledWeights& weights, uint32_t channels,
                           const EventInput& input, const EventTarget& target, size_t row);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_DEPTHWISE_REFERENCE_H_
