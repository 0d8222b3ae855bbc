// What sums begin with, and the sums of levels that weight offsets are multiplied with: see
// level_conv.h.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
// Adds as many of `bytes` bytes as fill vectors. Returns how many.
template <class D>
HWY_INLINE size_t AddBytes(D d, const uint8_t* from, size_t bytes, int32_t* sum) {
  if (bytes < hn::Lanes(d)) return 0;
  const hn::Repartition<uint64_t, D> d64;
  auto eights = hn::SumsOf8(hn::LoadU(d, from));
  size_t i = hn::Lanes(d);
  for (; i + hn::Lanes(d) <= bytes; i += hn::Lanes(d)) {
    eights = hn::Add(eights, hn::SumsOf8(hn::LoadU(d, from + i)));
  }
  *sum += static_cast<int32_t>(hn::GetLane(hn::SumOfLanes(d64, eights)));
  return i;
}
#endif

// Whether targets of a tile have weights that don't fit a byte.
bool HasOffsets(const int32_t* offsets, size_t targets) {
  int32_t any = 0;
  for (size_t k = 0; k < targets; ++k) any |= offsets[k];
  return any != 0;
}

// The sum of all levels in the window of each target column.
HWY_NOINLINE void SumWindows(const TileRow& row, const ColumnRange& columns,
                             int32_t* HWY_RESTRICT sums) {
  const size_t bytes = row.quads * kQuad;
  for (size_t column = columns.first; column < columns.last; ++column) {
    int32_t sum = 0;
    for (size_t ky = 0; ky < row.kernel_rows; ++ky) {
      for (size_t kx = 0; kx < row.kernel_columns; ++kx) {
        const uint8_t* levels =
            row.levels + ky * row.levels_pitch + kx * row.tap_pitch + column * row.position_pitch;
        size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
        i += AddBytes(hn::CappedTag<uint8_t, 64>(), levels, bytes, &sum);
        i += AddBytes(hn::CappedTag<uint8_t, 16>(), levels + i, bytes - i, &sum);
#endif
        for (; i < bytes; ++i) sum += levels[i];
      }
    }
    sums[column] = sum;
  }
}

// What is added for the zero that is no level (see LevelFrame), and for the shift of levels that
// are multiplied. Large layers wrap around, and their sums back.
void StartTile(const LevelConv& kernel, size_t tile, const TapRange& taps, int32_t shift,
               int32_t zero, int32_t* start) {
  const auto rows = static_cast<size_t>(taps.last - taps.first);
  const size_t row_bytes = size_t{kernel.quads} * kQuad * kernel.window.kernel_x();
  const auto each = static_cast<uint32_t>(shift - zero);
  const int32_t* row =
      &kernel.row_sums[(tile * kernel.kernel_rows() + static_cast<size_t>(taps.first)) *
                       kernel.targets];
  for (size_t k = 0; k < kernel.targets; ++k, ++row) {
    uint32_t sum = 0;
    for (size_t ky = 0; ky < rows; ++ky) sum += static_cast<uint32_t>(row[ky * kernel.targets]);
    sum *= each;
    if (shift != 0 && !kernel.weight_offsets.empty()) {
      // Of the weights as they are stored.
      const auto offset = static_cast<uint32_t>(kernel.weight_offsets[tile * kernel.targets + k]);
      sum -= static_cast<uint32_t>(shift) * offset * static_cast<uint32_t>(rows * row_bytes);
    }
    start[k] = static_cast<int32_t>(sum);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
