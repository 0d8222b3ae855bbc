// Shared by the plans of LevelConv.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PLAN_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PLAN_H_

#include <cstddef>
#include <cstdint>

#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {

// Everything but weights, which are 0. Throws std::bad_alloc.
LevelConv PlanLevelConv(const LevelConvShape& shape, uint32_t planes);

// The weight of a plane from source channel `source`, which the target's tile reads, to `target` at
// the first tap. Successive taps are kernel.tap_size() apart.
int8_t* WeightsAt(LevelConv& kernel, size_t plane, size_t target, size_t source);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PLAN_H_
