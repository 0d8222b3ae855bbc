// The plain twin of LevelDepthwise. It takes the shape and the weights in place of the kernel that
// is laid out from them.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_REFERENCE_H_

#include <cstddef>

#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"

namespace cssrun::internal {

// Sums all levels that reach target row `row`, for all modes but kStore and kJoin. `float_scale`:
// where ToFloats(mode), by parameter lane.
void SumDepthwiseReference(const LevelDepthwiseShape& shape, const ScaledWeights& weights,
                           const LevelFrame& levels, const LevelTarget& target, size_t row,
                           const float* float_scale);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_REFERENCE_H_
