// Level kernel of depthwise convolutions between settled layers: every channel sees only itself.
//
// Levels and weights of neighbouring channels meet lane by lane. Sums are whole numbers below 2^24,
// exact in 32 bits and in float: neither the order of additions matters, nor whether a
// multiplication is fused with an addition. That leaves room for weights of 12 bits and more.
//
// Common windows whose sums become levels have special code (groups-inl.h): in bytes if the machine
// multiplies them and the weights fit, otherwise in 16 bits or in float (products-inl.h). All other
// windows and modes are summed in float.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_LEVEL_DEPTHWISE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_LEVEL_DEPTHWISE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "network_generated.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/weights.h"

namespace cssrun::internal {

struct LevelDepthwise {
  static constexpr KernelTraits kTraits = {
      .name = "level_depthwise", .role = KernelRole::kSumsLevels, .nanoseconds = 0.03};
  static bool Takes(const Connection& connection, const TargetLayer& target);
  static std::optional<LevelDepthwise> Build(const KernelRequest& request, std::string& reason);
  StoredWeights Stored(const LaneLayout& target) const;

  uint32_t source_rows = 0;
  uint32_t blocks = 0;  // of source and target alike
  uint32_t lanes = 0;
  format::Window window;
  // What the windows read of a row of levels, in bytes, as in LevelConv.
  uint32_t left = 0;
  uint32_t right = 0;
  hwy::AlignedFreeUniquePtr<float[]> weights;  // whole numbers, [block][ky][kx][lane]
  // The same for windows with special code; null for others. In the order of products-inl.h: by
  // quads of kernel rows, the last one filled up with zeros.
  //
  //     bytes    [block][quad][kx][4 of a half's 16 lanes][half][lane of the 4][row of the quad]
  //     words    [block][quad][rows 0 and 2, 1 and 3][kx][4 of ...][half][lane of the 4][row of 2]
  hwy::AlignedFreeUniquePtr<int8_t[]> bytes;
  hwy::AlignedFreeUniquePtr<int16_t[]> words;
  std::vector<uint8_t> fits_bytes;              // by block: whether `bytes` are the weights
  hwy::AlignedFreeUniquePtr<float[]> row_sums;  // of weights: [block][ky][lane]
  // Settled units per unit, by parameter lane, for ToFloats(mode). Null: not needed.
  hwy::AlignedFreeUniquePtr<float[]> float_scale;

  size_t taps() const {
    return static_cast<size_t>(window.kernel_y()) * static_cast<size_t>(window.kernel_x());
  }
};

struct LevelDepthwiseShape {
  format::Extent source;
  LaneLayout lanes;
  uint32_t target_columns = 0;
  format::Window window;
};

// The largest weight with which sums are always exact; below 2 if there is none.
int LargestDepthwiseWeight(const format::Window& window);

// Kernel rows up to here: a row of levels each.
constexpr int kMostLevelDepthwiseRows = 16;

// No unit exceeds LargestDepthwiseWeight(). Throws std::bad_alloc.
LevelDepthwise MakeLevelDepthwise(const LevelDepthwiseShape& shape, const ScaledWeights& weights);

// Sums all levels that reach target row `row`, in any mode except kStore and kJoin. Looked up once
// a layer, called once a row.
using SumDepthwiseFunction = void (*)(const LevelDepthwise& kernel, const LevelFrame& levels,
                                      const LevelTarget& target, size_t row);
SumDepthwiseFunction Resolve(const LevelDepthwise& kernel);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_LEVEL_DEPTHWISE_H_
