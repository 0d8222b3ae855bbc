// Which kernel synapses take and how wide its weights are. Decided once, from shapes alone, before
// quantization. Each kernel says what it takes, in its build.cc, with the measurements behind it.
#ifndef CSSRUN_RUNTIME_INTEGER_CHOOSE_KERNEL_H_
#define CSSRUN_RUNTIME_INTEGER_CHOOSE_KERNEL_H_

#include <cstdint>
#include <span>

#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/list.h"
#include "runtime/integer/network.h"

namespace cssrun::internal {

struct KernelChoice {
  KernelKind kind;
  WeightWidth width = WeightWidth::kNarrow;
};

// A row scatter is only a wish: if the quantized weights are so large that the sums of a row may
// not fit 16 bits (SumsFit), a tile gather replaces it. Both have the same width of weights, so
// scales do not depend on which one it is.
KernelChoice ChooseKernel(const Connection& connection, const TargetLayer& target);

// Whether one level kernel computes all sums of a settled layer, so that they become potentials
// while they are in registers.
bool SumsStayInRegisters(const TargetLayer& target, std::span<const KernelChoice> choices);

// How many blocks of the layer a part must keep together: IntegerLayer::blocks_together.
uint32_t ChooseBlocksTogether(const IntegerLayer& layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_CHOOSE_KERNEL_H_
