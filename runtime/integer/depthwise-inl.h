// Depthwise convolution: every channel sees only itself, so that a word of spikes and the weights
// of its channels meet lane by lane. No spike is looked for: each tap is two masked additions
// of 32.
#if defined(CSSRUN_RUNTIME_INTEGER_DEPTHWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_DEPTHWISE_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_DEPTHWISE_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_DEPTHWISE_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// All spikes that reach target row `row`. The sum of one kernel row cannot overflow; it joins the
// membrane saturating.
inline HWY_NOINLINE void DepthwiseRow(const IntegerSynapses& s, const IntegerLayer& layer,
                                      const SpikeFrame& frame, size_t row, int16_t* membranes) {
  const Lanes16 d;
  const WindowShape& shape = s.window;
  const size_t blocks = layer.layout.blocks;
  const size_t taps = static_cast<size_t>(shape.kernel_y) * static_cast<size_t>(shape.kernel_x);
  const int64_t origin = static_cast<int64_t>(row) * shape.stride_y - shape.pad_top;
  for (int64_t ky = 0; ky < shape.kernel_y; ++ky) {
    const int64_t y = origin + ky * shape.dilation_y;
    if (y < 0 || y >= static_cast<int64_t>(s.rows.size())) continue;
    const uint64_t* HWY_RESTRICT words = frame.Row(static_cast<size_t>(y));
    for (size_t block = 0; block < blocks; ++block) {
      const int16_t* HWY_RESTRICT weights =
          s.wide.get() +
          (block * taps + static_cast<size_t>(ky) * static_cast<size_t>(shape.kernel_x)) *
              kChunkLanes;
      int16_t* HWY_RESTRICT to =
          membranes + block * layer.block_lanes() + row * layer.row_lanes + layer.guard_lanes;
      for (size_t column = 0; column < layer.columns; ++column, to += kChunkLanes) {
        const int64_t left = static_cast<int64_t>(column) * shape.stride_x - shape.pad_left;
        for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
          auto sum = hn::Zero(d);
          for (int64_t kx = 0; kx < shape.kernel_x; ++kx) {
            const int64_t x = left + kx * shape.dilation_x;
            if (x < 0 || x >= s.source_columns) continue;
            const uint64_t word = words[static_cast<size_t>(x) * blocks + block];
            const auto weight = hn::Load(d, weights + static_cast<size_t>(kx) * kChunkLanes + i);
            const auto up = MaskOf(static_cast<uint32_t>(word), i);
            const auto down = MaskOf(static_cast<uint32_t>(word >> kChunkLanes), i);
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

#endif  // CSSRUN_RUNTIME_INTEGER_DEPTHWISE_INL_H_
