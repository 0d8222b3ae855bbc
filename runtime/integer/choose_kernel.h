// Which kernel synapses take and how wide its weights are. Decided once, from shapes alone, before
// quantization. Thresholds are in choose_kernel.cc, beside the measurements that chose them.
#ifndef CSSRUN_RUNTIME_INTEGER_CHOOSE_KERNEL_H_
#define CSSRUN_RUNTIME_INTEGER_CHOOSE_KERNEL_H_

#include <cstdint>
#include <span>

#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/network.h"

namespace cssrun::internal {

// The alternatives of the variant Kernel.
enum class KernelKind : uint8_t {
  kTileGather,
  kRowScatter,
  kDepthwise,
  kEventShortcut,
  kLevelConv,
  kLevelDepthwise,
  kLevelShortcut,
};

// Whether levels are multiplied by weights.
constexpr bool IsLevelSum(KernelKind kind) {
  return kind == KernelKind::kLevelConv || kind == KernelKind::kLevelDepthwise;
}

struct KernelChoice {
  KernelKind kind = KernelKind::kTileGather;
  WeightWidth width = WeightWidth::kNarrow;
};

// A row scatter is only a wish: if the quantized weights are so large that the sums of a row may
// not fit 16 bits (SumsFit), a tile gather replaces it. Both have the same width of weights, so
// scales do not depend on which one it is.
KernelChoice ChooseKernel(const Connection& connection, const TargetLayer& target,
                          uint32_t timesteps);

// Whether one level kernel computes all sums of a settled layer, so that they become potentials
// while they are in registers.
bool SumsStayInRegisters(const TargetLayer& target, std::span<const KernelChoice> choices);

// How many blocks of the layer a part must keep together: IntegerLayer::blocks_together.
uint32_t ChooseBlocksTogether(const IntegerLayer& layer);

// Shapes, as each kernel's planner takes them.
RowScatterShape RowScatterShapeOf(const Connection& connection, const TargetLayer& target);
LevelConvShape LevelConvShapeOf(const Connection& connection, const TargetLayer& target);
LevelDepthwiseShape LevelDepthwiseShapeOf(const Connection& connection, const TargetLayer& target);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_CHOOSE_KERNEL_H_
