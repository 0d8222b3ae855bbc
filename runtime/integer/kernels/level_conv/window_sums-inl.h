// The starting values of sums, and the sums of levels that weight offsets multiply: see
// level_conv.h.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The sum of all levels in the window of each target column.
#if HWY_TARGET == HWY_SCALAR
inline void SumWindows(const TileRow& row, const ColumnRange& columns, int32_t* sums) {
  for (size_t column = columns.first; column < columns.last; ++column) {
    const uint8_t* of_rows = row.levels + column * row.position_pitch;
    sums[column] = 0;
    for (size_t ky = 0; ky < row.kernel_rows; ++ky, of_rows += row.levels_pitch) {
      for (size_t kx = 0; kx < row.kernel_columns; ++kx) {
        const uint8_t* levels = of_rows + kx * row.tap_pitch;
        for (size_t i = 0; i < row.quads * kQuad; ++i) sums[column] += levels[i];
      }
    }
  }
}
#else
using Sum64 = hn::Full128<uint64_t>;

// Adds both halves of a vector until two sums are left.
template <class D>
HWY_INLINE hn::Vec<Sum64> Folded(D /*d*/, hn::Vec<D> sums) {
  if constexpr (hn::MaxLanes(D()) == 2) {
    return sums;
  } else {
    const hn::Half<D> half;
    return Folded(half, hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums)));
  }
}

// Adds whole quads of bytes to two sums; which of the two does not matter.
HWY_INLINE hn::Vec<Sum64> AddBytes(const uint8_t* from, size_t bytes, hn::Vec<Sum64> sums) {
  const hn::CappedTag<uint8_t, 64> d;
  const hn::Full128<uint8_t> d8;
  const hn::Repartition<uint64_t, decltype(d)> d64;
  size_t i = 0;
  if (hn::Lanes(d) > hn::Lanes(d8) && bytes >= hn::Lanes(d)) {
    auto wide = hn::Zero(d64);
    for (; i + hn::Lanes(d) <= bytes; i += hn::Lanes(d)) {
      wide = hn::Add(wide, hn::SumsOf8(hn::LoadU(d, from + i)));
    }
    sums = hn::Add(sums, Folded(d64, wide));
  }
  for (; i + hn::Lanes(d8) <= bytes; i += hn::Lanes(d8)) {
    sums = hn::Add(sums, hn::SumsOf8(hn::LoadU(d8, from + i)));
  }
  for (size_t some = 0; i < bytes; i += some) {
    uint64_t rest = 0;
    some = bytes - i >= sizeof(rest) ? sizeof(rest) : size_t{kQuad};
    std::memcpy(&rest, from + i, some);
    const auto eight = hn::ZeroExtendVector(Sum64(), hn::Set(hn::Half<Sum64>(), rest));
    sums = hn::Add(sums, hn::SumsOf8(hn::BitCast(d8, eight)));
  }
  return sums;
}

// The window of one target column, as two sums.
struct AnyWindow {
  static HWY_INLINE hn::Vec<Sum64> Sum(const TileRow& row, const uint8_t* of_rows) {
    auto sums = hn::Zero(Sum64());
    for (size_t ky = 0; ky < row.kernel_rows; ++ky, of_rows += row.levels_pitch) {
      for (size_t kx = 0; kx < row.kernel_columns; ++kx) {
        sums = AddBytes(of_rows + kx * row.tap_pitch, row.quads * kQuad, sums);
      }
    }
    return sums;
  }
};
// One tap, with so few bytes that a loop would take longer.
template <size_t kBytes>
struct FewBytes {
  static HWY_INLINE hn::Vec<Sum64> Sum(const TileRow& /*row*/, const uint8_t* bytes) {
    return AddBytes(bytes, kBytes, hn::Zero(Sum64()));
  }
};

template <class Window>
HWY_NOINLINE void SumWindowsBy(const TileRow& row, const ColumnRange& columns,
                               int32_t* HWY_RESTRICT sums) {
  const hn::Full128<int32_t> d;
  const size_t pitch = row.position_pitch;
  const uint8_t* from = row.levels + columns.first * pitch;
  size_t column = columns.first;
  for (; column + 4 <= columns.last; column += 4, from += 4 * pitch) {
    const auto a = Window::Sum(row, from);
    const auto b = Window::Sum(row, from + pitch);
    const auto c = Window::Sum(row, from + 2 * pitch);
    const auto e = Window::Sum(row, from + 3 * pitch);
    const auto ab = hn::Add(hn::InterleaveLower(Sum64(), a, b), hn::InterleaveUpper(Sum64(), a, b));
    const auto ce = hn::Add(hn::InterleaveLower(Sum64(), c, e), hn::InterleaveUpper(Sum64(), c, e));
    hn::StoreU(hn::ConcatEven(d, hn::BitCast(d, ce), hn::BitCast(d, ab)), d, sums + column);
  }
  for (; column < columns.last; ++column, from += pitch) {
    sums[column] =
        static_cast<int32_t>(hn::GetLane(hn::SumOfLanes(Sum64(), Window::Sum(row, from))));
  }
}

inline void SumWindows(const TileRow& row, const ColumnRange& columns, int32_t* sums) {
  const size_t bytes = row.kernel_rows * row.kernel_columns == 1 ? row.quads * kQuad : 0;
  switch (bytes) {
    case 16:
      return SumWindowsBy<FewBytes<16>>(row, columns, sums);
    case 24:
      return SumWindowsBy<FewBytes<24>>(row, columns, sums);
    case 32:
      return SumWindowsBy<FewBytes<32>>(row, columns, sums);
    default:
      return SumWindowsBy<AnyWindow>(row, columns, sums);
  }
}
#endif

// The correction for a zero byte that is not level 0 (see LevelFrame), and for the shift of levels
// before multiplying. In large layers it wraps around, and the sums wrap back.
inline void StartTile(const LevelConv& kernel, size_t tile, const TapRange& taps, int32_t shift,
                      int32_t zero, int32_t* start) {
  const auto rows = static_cast<size_t>(taps.last - taps.first);
  const size_t row_bytes = size_t{kernel.quads} * kQuad * kernel.window.kernel_x();
  const hn::CappedTag<int32_t, kTileTargets> d;
  const hn::RebindToUnsigned<decltype(d)> du;  // which may wrap around
  const auto each = hn::Set(du, static_cast<uint32_t>(shift - zero));
  const int32_t* of_rows =
      &kernel.row_sums[(tile * kernel.kernel_rows() + static_cast<size_t>(taps.first)) *
                       kernel.targets];
  const bool shifts_offsets = shift != 0 && !kernel.weight_offsets.empty();
  // Of the weights as they are stored.
  const auto shifted =
      hn::Set(du, static_cast<uint32_t>(shift) * static_cast<uint32_t>(rows * row_bytes));
  for (size_t k = 0; k < kernel.targets; k += hn::Lanes(d)) {
    auto sum = hn::Zero(du);
    for (size_t ky = 0; ky < rows; ++ky) {
      sum = hn::Add(sum, hn::BitCast(du, hn::LoadU(d, of_rows + ky * kernel.targets + k)));
    }
    sum = hn::Mul(sum, each);
    if (shifts_offsets) {
      const int32_t* offsets = &kernel.weight_offsets[tile * kernel.targets];
      const auto offset = hn::BitCast(du, hn::LoadU(d, offsets + k));
      sum = hn::Sub(sum, hn::Mul(shifted, offset));
    }
    hn::StoreU(hn::BitCast(d, sum), d, start + k);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINDOW_SUMS_INL_H_
