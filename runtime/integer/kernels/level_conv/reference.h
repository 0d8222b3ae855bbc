// The plain twin of LevelConv. It takes the shape and the weights instead of the kernel that is
// laid out from them.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REFERENCE_H_

#include <cstddef>

#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {

// Sums all levels that reach target row `row`. A sum is saturated to 16 bits before it is stored or
// joins a membrane, as in the kernel; potentials use all of its bits. Levels outside of the
// source's map are not read. `float_scale`: where ToFloats(mode), by parameter lane.
void SumLevelsReference(const LevelConvShape& shape, const ScaledWeights& weights,
                        const LevelFrame& levels, const LevelTarget& target, size_t row,
                        const float* float_scale = nullptr, std::span<const double> zeros = {});

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REFERENCE_H_
