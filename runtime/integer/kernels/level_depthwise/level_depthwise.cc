// Sums the levels of depthwise convolutions, for every instruction set: see level_depthwise.h.
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/level_depthwise/level_depthwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/neurons/potential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Some lanes of one block over one row. Target column x at tap (ky, kx) reads the lanes at
//
//     rows[ky] + x * position_pitch + kx * tap_pitch
struct LaneRow {
  const uint8_t* rows[kMostLevelDepthwiseRows] = {};
  TapRange taps;  // kernel rows on the map
  ptrdiff_t position_pitch = 0;
  ptrdiff_t tap_pitch = 0;
  size_t kernel_columns = 0;
  const float* weights = nullptr;  // of these lanes, [ky][kx][kLineLanes]
  const float* start = nullptr;    // what zero brings that is no level
  const RowPotentials* potentials = nullptr;
  int16_t* membranes = nullptr;  // [column][lane]
  // Where sums times scale go instead; null: to membranes.
  float* floats = nullptr;
  const float* float_scale = nullptr;
  size_t lane_pitch = 0;  // from one target column to the next
  size_t lane = 0;        // of the block
};

template <class DF>
HWY_INLINE hn::Vec<DF> Levels(DF df, const uint8_t* levels) {
  const hn::Rebind<uint8_t, DF> d8;
  const hn::Rebind<int32_t, DF> d32;
  return hn::ConvertTo(df, hn::PromoteTo(d32, hn::LoadU(d8, levels)));
}

template <class DF>
HWY_INLINE void HandOn(DF df, hn::Vec<DF> sum, const LaneRow& row, size_t column) {
  if (row.floats != nullptr) {
    float* to = row.floats + column * row.lane_pitch;
    const auto brought = hn::Mul(sum, hn::LoadU(df, row.float_scale));
    hn::StoreU(hn::Add(hn::LoadU(df, to), brought), df, to);
    return;
  }
  StoreNeurons(df, sum, *row.potentials, column, row.lane, row.membranes + column * row.lane_pitch);
}

// Hands on the sums of `columns` neighbouring columns, [column][lane].
template <class DF>
HWY_INLINE void HandOnColumns(DF df, const float* sums, const LaneRow& row, size_t column,
                              size_t columns) {
#if CSSRUN_STORES_LEVELS
  if constexpr (hn::MaxLanes(df) == hn::MaxLanes(Narrowing::D32())) {
    if (row.floats == nullptr && StoreLevels<1>(sums, *row.potentials, row.lane, column, columns)) {
      return;
    }
  }
#endif
  for (size_t i = 0; i < columns; ++i) {
    HandOn(df, hn::Load(df, sums + i * hn::MaxLanes(df)), row, column + i);
  }
}

constexpr size_t kSlidingColumns = 8;

// Whole windows of 3 x 3, each one column beside the other: a vector of levels is loaded once for
// the three windows that see it. The sums are whole numbers that are exact in any order.
template <class DF>
HWY_NOINLINE void SumSlidingWindows(DF df, const LaneRow& row, size_t column) {
  hn::Vec<DF> sums[kSlidingColumns];
  HWY_UNROLL(8)
  for (size_t i = 0; i < kSlidingColumns; ++i) sums[i] = hn::LoadU(df, row.start);
  for (size_t ky = 0; ky < 3; ++ky) {
    const float* weights = row.weights + 3 * ky * kLineLanes;
    const auto left = hn::LoadU(df, weights);
    const auto middle = hn::LoadU(df, weights + kLineLanes);
    const auto right = hn::LoadU(df, weights + 2 * kLineLanes);
    const uint8_t* levels = row.rows[ky] + static_cast<ptrdiff_t>(column) * row.position_pitch;
    HWY_UNROLL(10)
    for (size_t i = 0; i < kSlidingColumns + 2; ++i) {
      const auto seen = Levels(df, levels + static_cast<ptrdiff_t>(i) * row.position_pitch);
      if (i < kSlidingColumns) sums[i] = hn::MulAdd(seen, left, sums[i]);
      if (i >= 1 && i <= kSlidingColumns) sums[i - 1] = hn::MulAdd(seen, middle, sums[i - 1]);
      if (i >= 2) sums[i - 2] = hn::MulAdd(seen, right, sums[i - 2]);
    }
  }
  HWY_ALIGN float finished[kSlidingColumns * hn::MaxLanes(df)];
  HWY_UNROLL(8)
  for (size_t i = 0; i < kSlidingColumns; ++i) {
    hn::Store(sums[i], df, finished + i * hn::MaxLanes(df));
  }
  HandOnColumns(df, finished, row, column, kSlidingColumns);
}

// A whole window of 3 x 3: the weights stay in registers.
template <class DF>
HWY_NOINLINE void SumThreeByThree(DF df, const LaneRow& given, const ColumnRange& columns) {
  const LaneRow row = given;  // a copy that no store can change
  hn::Vec<DF> weights[9];
  HWY_UNROLL(9)
  for (size_t k = 0; k < 9; ++k) weights[k] = hn::LoadU(df, row.weights + k * kLineLanes);
  const auto start = hn::LoadU(df, row.start);
  size_t column = columns.first;
  if (row.position_pitch == row.tap_pitch) {
    for (; column + kSlidingColumns <= columns.last; column += kSlidingColumns) {
      SumSlidingWindows(df, row, column);
    }
  }
  ptrdiff_t at = static_cast<ptrdiff_t>(column) * row.position_pitch;
  for (; column < columns.last; ++column, at += row.position_pitch) {
    auto sum = start;
    HWY_UNROLL(9)
    for (size_t k = 0; k < 9; ++k) {
      const uint8_t* levels = row.rows[k / 3] + at + static_cast<ptrdiff_t>(k % 3) * row.tap_pitch;
      sum = hn::MulAdd(Levels(df, levels), weights[k], sum);
    }
    HandOn(df, sum, row, column);
  }
}

template <class DF>
HWY_NOINLINE void SumWindows(DF df, const LaneRow& given, const ColumnRange& columns) {
  const LaneRow row = given;
  ptrdiff_t at = static_cast<ptrdiff_t>(columns.first) * row.position_pitch;
  for (size_t column = columns.first; column < columns.last;
       ++column, at += row.position_pitch) {
    auto sum = hn::LoadU(df, row.start);
    for (int64_t ky = row.taps.first; ky < row.taps.last; ++ky) {
      const float* weights =
          row.weights + static_cast<size_t>(ky) * row.kernel_columns * kLineLanes;
      const uint8_t* levels = row.rows[ky] + at;
      for (size_t kx = 0; kx < row.kernel_columns; ++kx) {
        sum = hn::MulAdd(Levels(df, levels), hn::LoadU(df, weights), sum);
        weights += kLineLanes;
        levels += row.tap_pitch;
      }
    }
    HandOn(df, sum, row, column);
  }
}

// What zero brings that is no level, of all lanes of a block.
void StartSums(const LevelDepthwise& kernel, size_t block, const TapRange& taps, uint8_t zero,
               float* start) {
  std::fill_n(start, kLineLanes, 0.0F);
  if (zero == 0) return;
  const auto rows = static_cast<size_t>(kernel.window.kernel_y());
  for (auto ky = static_cast<size_t>(taps.first); ky < static_cast<size_t>(taps.last); ++ky) {
    const float* sums = kernel.row_sums.get() + (block * rows + ky) * kLineLanes;
    for (size_t i = 0; i < kLineLanes; ++i) start[i] -= static_cast<float>(zero) * sums[i];
  }
}

template <class DF>
HWY_INLINE void SumBlocks(DF df, const LevelDepthwise& kernel, const LevelFrame& levels,
                          const LevelTarget& target, size_t row) {
  const SettledRow& settled = *target.settled;
  const MembraneLayout& layout = *settled.layout;
  const WindowAxis y = RowsOf(kernel.window);
  const WindowAxis x = ColumnsOf(kernel.window);
  const auto stride = static_cast<int64_t>(layout.lanes.stride());
  const size_t lanes = layout.lanes.lanes;
  LaneRow sums;
  sums.taps = y.TapsInside(static_cast<int64_t>(row), kernel.source_rows);
  sums.position_pitch = static_cast<ptrdiff_t>(x.stride * stride);
  sums.tap_pitch = static_cast<ptrdiff_t>(x.dilation * stride);
  sums.kernel_columns = static_cast<size_t>(x.kernel);
  sums.lane_pitch = lanes;
  const bool whole = sums.taps.first == 0 && sums.taps.last == 3 && y.kernel == 3 && x.kernel == 3;
  const ColumnRange all{0, layout.columns};
  const std::span<const ColumnRange> ranges =
      target.columns.empty() ? std::span(&all, 1) : target.columns;
  HWY_ALIGN float start[kLineLanes];
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    StartSums(kernel, block, sums.taps, levels.layout.zero, start);
    RowPotentials potentials(settled, *target.inputs, block, lanes);
    if (target.mode == SumMode::kLevels) potentials.WriteLevelsTo(target.levels, *target.rule);
    sums.potentials = &potentials;
    for (size_t lane = 0; lane < lanes; lane += hn::Lanes(df)) {
      for (int64_t ky = sums.taps.first; ky < sums.taps.last; ++ky) {
        const auto source_row = static_cast<size_t>(y.SourceOf(static_cast<int64_t>(row), ky));
        sums.rows[ky] = levels.Row(source_row) - x.pad * stride + block * lanes + lane;
      }
      sums.weights = kernel.weights.get() + block * kernel.taps() * kLineLanes + lane;
      sums.start = start + lane;
      sums.lane = lane;
      sums.membranes = settled.membranes + layout.RowAt(block, row) + lane;
      if (target.mode == SumMode::kAddFloats) {
        sums.floats = target.floats + block * target.block_floats + lane;
        sums.float_scale = kernel.float_scale.get() + block * kLineLanes + lane;
      }
      for (const ColumnRange& range : ranges) {
        whole ? SumThreeByThree(df, sums, range) : SumWindows(df, sums, range);
      }
    }
  }
}

void SumDepthwise(const LevelDepthwise& kernel, const LevelFrame& levels, const LevelTarget& target,
                  size_t row) {
  CSSRUN_ASSERT(target.mode != SumMode::kStore && target.mode != SumMode::kJoin);
  CSSRUN_ASSERT(target.inputs != nullptr);
  CSSRUN_ASSERT(target.mode != SumMode::kAddFloats || target.floats != nullptr);
  CSSRUN_ASSERT(kernel.left <= levels.layout.before);
  CSSRUN_ASSERT(levels.layout.before + kernel.right <= levels.layout.row_size);
  if (kernel.lanes == 8) {
    SumBlocks(hn::CappedTag<float, 8>(), kernel, levels, target, row);
  } else {
    SumBlocks(hn::CappedTag<float, 16>(), kernel, levels, target, row);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(SumDepthwise);

namespace {

constexpr double kExactInFloat = 1 << 24;
constexpr double kLargestByte = 255;
// More bits than this gain nothing beside levels of 8.
constexpr double kLargestUseful = 4095;

hwy::AlignedFreeUniquePtr<float[]> Zeros(size_t size) {
  auto zeros = AllocateAligned<float>(size);
  std::fill_n(zeros.get(), size, 0.0F);
  return zeros;
}

}  // namespace

int LargestDepthwiseWeight(const format::Window& window) {
  const double taps = static_cast<double>(window.kernel_y()) * window.kernel_x();
  // Bytes of a source that doesn't rectify hold level + zero: sums twice as large come up.
  return static_cast<int>(std::min(kLargestUseful, kExactInFloat / (2 * kLargestByte * taps)));
}

LevelDepthwise MakeLevelDepthwise(const LevelDepthwiseShape& shape, const ScaledWeights& weights) {
  LevelDepthwise kernel;
  kernel.source_rows = shape.source.height();
  kernel.blocks = shape.lanes.blocks;
  kernel.lanes = shape.lanes.lanes;
  kernel.window = shape.window;
  const WindowAxis x = ColumnsOf(shape.window);
  const int64_t seen = x.SourceOf(int64_t{shape.target_columns} - 1, x.kernel - 1) + 1;
  const int64_t stride = shape.lanes.stride();
  kernel.left = static_cast<uint32_t>(std::max<int64_t>(x.pad, 0) * stride);
  kernel.right = static_cast<uint32_t>(std::max<int64_t>(seen, 0) * stride);
  const size_t taps = kernel.taps();
  const auto rows = static_cast<size_t>(shape.window.kernel_y());
  const auto kernel_x = static_cast<size_t>(x.kernel);
  kernel.weights = Zeros(kernel.blocks * taps * kLineLanes);
  kernel.row_sums = Zeros(kernel.blocks * rows * kLineLanes);
  size_t index = 0;
  for (size_t c = 0; c < shape.source.channels(); ++c) {
    const size_t block = c / kLineLanes;
    const size_t lane = c % kLineLanes;
    for (size_t tap = 0; tap < taps; ++tap) {
      const auto units = static_cast<float>(weights.Units(c, index++));
      CSSRUN_ASSERT(std::abs(units) <= static_cast<float>(LargestDepthwiseWeight(shape.window)));
      kernel.weights[(block * taps + tap) * kLineLanes + lane] = units;
      kernel.row_sums[(block * rows + tap / kernel_x) * kLineLanes + lane] += units;
    }
  }
  return kernel;
}

SumDepthwiseFunction Resolve(const LevelDepthwise&) { return &HWY_DYNAMIC_DISPATCH(SumDepthwise); }

}  // namespace cssrun::internal
#endif  // HWY_ONCE
