// Adds the spikes of depthwise convolutions, for every instruction set: see depthwise.h.
#include "runtime/integer/kernels/depthwise/depthwise.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/depthwise/depthwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// All spikes that reach target row `row`. The sum of one kernel row cannot overflow; it joins the
// membrane saturating.
void DepthwiseRow(const Depthwise& kernel, EventInput& input, const EventTarget& target,
                  size_t row) {
  const Lanes16 d;
  const MembraneLayout& layout = *target.layout;
  const WindowAxis y_axis = RowsOf(kernel.window);
  const WindowAxis x_axis = ColumnsOf(kernel.window);
  const size_t blocks = layout.lanes.blocks;
  const auto kernel_x = static_cast<size_t>(x_axis.kernel);
  const size_t taps = static_cast<size_t>(y_axis.kernel) * kernel_x;
  CSSRUN_ASSERT(layout.lanes.lanes == kLineLanes);
  CSSRUN_ASSERT(target.part.first_block == 0 && target.part.last_block == blocks);
  for (int64_t ky = 0; ky < y_axis.kernel; ++ky) {
    const int64_t y = y_axis.SourceOf(static_cast<int64_t>(row), ky);
    if (y < 0 || y >= kernel.source_rows) continue;
    const uint64_t* HWY_RESTRICT words = input.spikes->Row(static_cast<size_t>(y));
    for (size_t block = 0; block < blocks; ++block) {
      const int16_t* HWY_RESTRICT weights =
          kernel.weights.get() + (block * taps + static_cast<size_t>(ky) * kernel_x) * kLineLanes;
      int16_t* HWY_RESTRICT to = target.membranes + layout.RowAt(block, row);
      for (size_t column = 0; column < layout.columns; ++column, to += kLineLanes) {
        const int64_t left = x_axis.SourceOf(static_cast<int64_t>(column), 0);
        for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
          auto sum = hn::Zero(d);
          for (int64_t kx = 0; kx < x_axis.kernel; ++kx) {
            const int64_t x = left + kx * x_axis.dilation;
            if (x < 0 || x >= kernel.source_columns) continue;
            const uint64_t word = words[static_cast<size_t>(x) * blocks + block];
            const auto weight = hn::Load(d, weights + static_cast<size_t>(kx) * kLineLanes + i);
            const auto up = MaskOf(static_cast<uint32_t>(word), i);
            const auto down = MaskOf(static_cast<uint32_t>(word >> kLineLanes), i);
            sum = hn::Sub(hn::Add(sum, hn::IfThenElseZero(up, weight)),
                          hn::IfThenElseZero(down, weight));
          }
          hn::StoreU(hn::SaturatedAdd(hn::LoadU(d, to + i), sum), d, to + i);
        }
      }
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(DepthwiseRow);

void FillDepthwise(const ScaledWeights& weights, uint32_t channels, Depthwise& kernel) {
  const size_t taps =
      static_cast<size_t>(kernel.window.kernel_y()) * static_cast<size_t>(kernel.window.kernel_x());
  CSSRUN_ASSERT(weights.scales.size() == channels);
  CSSRUN_ASSERT(kernel.window.kernel_x() <= kMostDepthwiseColumns);
  const size_t size = RoundUpToLines(channels) * taps;
  kernel.weights = AllocateAligned<int16_t>(size);
  std::fill_n(kernel.weights.get(), size, int16_t{0});
  size_t index = 0;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t tap = 0; tap < taps; ++tap) {
      const double units = std::clamp(weights.Units(c, index++), -32767.0, 32767.0);
      kernel.weights[(c / kLineLanes * taps + tap) * kLineLanes + c % kLineLanes] =
          static_cast<int16_t>(units);
    }
  }
}

EventFunctions<Depthwise> Resolve(const Depthwise&) {
  return {&PrepareNothing<Depthwise>, &HWY_DYNAMIC_DISPATCH(DepthwiseRow)};
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
