// Event kernel of depthwise convolutions: every channel sees only itself.
//
// A word of spikes and the weights of its 32 channels meet lane by lane, so no spike is looked for:
// each tap is two masked additions for 32 channels, whether they fire or not.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_DEPTHWISE_DEPTHWISE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_DEPTHWISE_DEPTHWISE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "network_generated.h"
#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/layout/lane_layout.h"

namespace cssrun::internal {

struct Depthwise {
  static constexpr KernelTraits kTraits = {
      .name = "depthwise", .width = WeightWidth::kWide, .nanoseconds = 0.012, .takes_lines = true};
  static bool Takes(const Connection& connection, const TargetLayer& target);
  static std::optional<Depthwise> Build(const KernelRequest& request, std::string& reason);
  StoredWeights Stored(const LaneLayout& target) const;

  uint32_t source_rows = 0;
  uint32_t source_columns = 0;
  format::Window window;
  WideWeights weights;  // [block][ky][kx][lane]
};

// So wide a kernel row has sums that fit 16 bits.
constexpr int kMostDepthwiseColumns = 32767 / kLargestWideWeight;

// The weights of `channels` channels. Throws std::bad_alloc.
void FillDepthwise(const ScaledWeights& weights, uint32_t channels, Depthwise& kernel);

EventFunctions<Depthwise> Resolve(const Depthwise& kernel);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_DEPTHWISE_DEPTHWISE_H_
