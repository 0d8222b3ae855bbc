// Sums the levels of depthwise convolutions, for every instruction set: see level_depthwise.h.
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/aligned.h"
#include "runtime/assert.h"
#include "runtime/dot_products.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/simd_variant.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/level_depthwise/level_depthwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_depthwise/groups-inl.h"
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
  bool sets_floats = false;  // else they are added
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
    BringToFloats(df, sum, row.float_scale, row.sets_floats, row.floats + column * row.lane_pitch);
    return;
  }
  StoreNeurons(df, sum, *row.potentials, column, row.lane, row.membranes + column * row.lane_pitch);
}

template <class DF>
HWY_NOINLINE void SumWindows(DF df, const LaneRow& given, const ColumnRange& columns) {
  const LaneRow row = given;
  ptrdiff_t at = static_cast<ptrdiff_t>(columns.first) * row.position_pitch;
  for (size_t column = columns.first; column < columns.last; ++column, at += row.position_pitch) {
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

// The correction for a zero byte that is not level 0, for all lanes of a block. `zero`: of the
// bytes that are multiplied.
void StartSums(const LevelDepthwise& kernel, size_t block, const TapRange& taps, int zero,
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
                          const LevelTarget& target, size_t row, const ColumnRange& range) {
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
  HWY_ALIGN float start[kLineLanes];
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    StartSums(kernel, block, sums.taps, levels.layout.zero, start);
    RowPotentials potentials(settled, *target.inputs, block, lanes);
    if (target.mode == SumMode::kLevels) {
      potentials.WriteLevelsTo(target.levels, *target.rule, target.bounds);
    }
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
      if (ToFloats(target.mode)) {
        sums.sets_floats = target.mode == SumMode::kSetFloats;
        sums.floats = target.floats + block * target.block_floats + lane;
        sums.float_scale = kernel.float_scale.get() + block * kLineLanes + lane;
      }
      SumWindows(df, sums, range);
    }
  }
}

#if HWY_TARGET != HWY_SCALAR

// Whether SumGroups() may take a row whose kernel rows `taps` are on the map.
bool TakesGroups(const LevelDepthwise& kernel, const LevelTarget& target, const TapRange& taps) {
  const PotentialInputs& inputs = *target.inputs;
  return kernel.bytes != nullptr && taps.first < taps.last && target.mode == SumMode::kLevels &&
         !target.joins_floats && inputs.floats == nullptr && inputs.shortcut_count == 0;
}

// Vectors of D32, kStep source columns from one to the next.
template <class P, class D32, size_t kSide, size_t kStep>
HWY_INLINE void SumGroupBy(const DepthwiseGroup<kSide>& group, size_t first, size_t steps,
                           uint8_t* to) {
  group.IsPlain() ? SumGroup<P, D32, kSide, kStep, true>(group, first, steps, to)
                  : SumGroup<P, D32, kSide, kStep, false>(group, first, steps, to);
}
template <class D32, size_t kSide, size_t kStep>
HWY_INLINE void SumGroup(const DepthwiseGroup<kSide>& group, size_t first, size_t steps,
                         uint8_t* to) {
#if CSSRUN_DEPTHWISE_QUADS
  const size_t blocks =
      kGroupVectors * hn::MaxLanes(D32()) > kLineLanes ? 1 + group.channels.next : 1;
  if (CSSRUN_TARGET_VNNI || HasAvxVnni()) {
    const uint8_t* fits = group.kernel->fits_bytes.data() + group.channels.block;
    if (fits[0] != 0 && fits[blocks - 1] != 0) {
      SumGroupBy<ByteLanes<D32>, D32, kSide, kStep>(group, first, steps, to);
    } else {
      SumGroupBy<WordLanes<D32>, D32, kSide, kStep>(group, first, steps, to);
    }
    return;
  }
#endif
#if CSSRUN_TARGET_NEON
  if (group.in_bytes) {
    SumGroupBy<NeonBytes<D32>, D32, kSide, kStep>(group, first, steps, to);
    return;
  }
  DepthwiseGroup<kSide> half = group;
  for (size_t k = 0; k < kGroupVectors; k += NeonWords<D32>::kVectors) {
    SumGroupBy<NeonWords<D32>, D32, kSide, kStep>(half, first, steps, to);
    half.SkipChannels(NeonWords<D32>::kChannels);
    to += NeonWords<D32>::kChannels;
  }
#elif !CSSRUN_TARGET_VNNI
  SumGroupBy<FloatLanes<D32>, D32, kSide, kStep>(group, first, steps, to);
#endif
}

// As many channels as a vector of D32 has bytes, at the columns of `range`.
template <class D32, size_t kSide>
void SumChannels(const DepthwiseGroup<kSide>& group, size_t stride, const ColumnRange& range) {
  const size_t steps = range.last - range.first;
  uint8_t* to = group.levels + range.first * group.target_position;
  if (stride == 1) {
    SumGroup<D32, kSide, 1>(group, range.first, steps, to);
  } else {
    SumGroup<D32, kSide, 2>(group, 2 * size_t{range.first}, steps, to);
  }
}

// All channels, a vector holding `columns` target columns. The last vector may compute some columns
// again. Needs as many.
template <class D32, size_t kSide>
void SumColumns(DepthwiseGroup<kSide> group, size_t columns, const ColumnRange& range) {
  const size_t size = group.target_position;
  group.channels.next = 0;
  group.target_position *= columns;
  size_t first = range.first;
  size_t steps = (range.last - range.first) / columns;
  for (;;) {
    uint8_t* to = group.levels + first * size;
    // A column is 8 bytes or more.
    constexpr size_t kMost = kGroupVectors * hn::MaxLanes(D32()) / 8;
    if (columns == 2) {
      SumGroup<D32, kSide, 2>(group, first, steps, to);
    } else if (columns == 4) {
      if constexpr (kMost >= 4) SumGroup<D32, kSide, 4>(group, first, steps, to);
    } else {
      if constexpr (kMost >= 8) SumGroup<D32, kSide, 8>(group, first, steps, to);
    }
    if (first + steps * columns >= range.last) return;
    first = range.last - columns;
    steps = 1;
  }
}

// The same with vectors as wide as there are columns to fill. Returns false if one column would
// have to be computed alone and fills no vector.
template <class D32, size_t kSide>
bool SumFewChannels(const DepthwiseGroup<kSide>& group, const ColumnRange& range) {
  const size_t columns = kGroupVectors * hn::MaxLanes(D32()) / group.target_position;
  if (columns > 1 && range.last - range.first >= columns) {
    SumColumns<D32>(group, columns, range);
    return true;
  }
  if (columns == 1) {
    SumChannels<D32>(group, 1, range);
    return true;
  }
  if constexpr (hn::MaxLanes(D32()) > 4) {
    return SumFewChannels<hn::CappedTag<int32_t, hn::MaxLanes(D32()) / 2>>(group, range);
  }
  return false;
}

using WidestLanes = hn::CappedTag<int32_t, 16>;
constexpr size_t kWidestGroup = kGroupVectors * hn::MaxLanes(WidestLanes());

template <size_t kSide>
struct RowOfGroups {
  RowOfGroups(const LevelDepthwise& kernel, const LevelFrame& levels, const LevelTarget& target,
              size_t row, const TapRange& kernel_rows)
      : settled(*target.settled), taps(kernel_rows), zero(levels.layout.zero) {
    const WindowAxis y = RowsOf(kernel.window);
    const int64_t size = settled.layout->lanes.stride();
    group.kernel = &kernel;
    group.position = static_cast<size_t>(size);
    group.target_position = static_cast<size_t>(size);
    group.rectify = settled.rectify;
    group.rule = target.rule;
    group.bounds = target.bounds;
    for (size_t ky = 0; ky < kSide; ++ky) {
      const auto tap = static_cast<int64_t>(ky);
      bool& inside = group.rows.inside[ky];
      inside = tap >= taps.first && tap < taps.last;
      group.rows.whole = group.rows.whole && inside;
      const int64_t source = y.SourceOf(static_cast<int64_t>(row), inside ? tap : taps.first);
      rows[ky] = levels.Row(static_cast<size_t>(source)) - ColumnsOf(kernel.window).pad * size;
    }
    row_levels = target.levels;
  }

  // Goes to the channels from `c` on.
  void StartAt(size_t c) {
    const LevelDepthwise& kernel = *group.kernel;
    const size_t block = c / kLineLanes;
    group.channels = {block, c % kLineLanes, 1};
    for (size_t ky = 0; ky < kSide; ++ky) group.rows.rows[ky] = rows[ky] + c;
    group.in_bytes = CSSRUN_TARGET_NEON && HasDotProducts() && kernel.fits_bytes[block] != 0;
    const int zero_of_bytes = group.in_bytes ? zero - kShiftOfBytes : zero;
    group.start = zero_of_bytes != 0 ? start + group.channels.lane : nullptr;
    if (zero_of_bytes != 0) {
      const size_t blocks = kWidestGroup > kLineLanes / 2 ? 2 : 1;
      for (size_t b = 0; b < std::min(blocks, kernel.blocks - block); ++b) {
        StartSums(kernel, block + b, taps, zero_of_bytes, start + b * kLineLanes);
      }
    }
    group.scale = settled.neurons->scale.get() + c;
    group.bias = settled.neurons->bias.get() + c;
    group.levels = row_levels + c;
  }

  const SettledRow& settled;
  TapRange taps;
  uint8_t zero;
  const uint8_t* rows[kSide];
  uint8_t* row_levels;
  DepthwiseGroup<kSide> group;
  HWY_ALIGN float start[2 * kLineLanes];
};

// Columns `range` of a row. Returns false where they cannot be computed so.
template <size_t kSide>
bool SumGroups(const LevelDepthwise& kernel, const LevelFrame& levels, const LevelTarget& target,
               size_t row, const TapRange& taps, const ColumnRange& range) {
  RowOfGroups<kSide> groups(kernel, levels, target, row, taps);
  const DepthwiseGroup<kSide>& group = groups.group;
  const auto stride = static_cast<size_t>(kernel.window.stride_x());
  if (kernel.blocks == 1 && stride == 1) {
    groups.StartAt(0);
    return SumFewChannels<WidestLanes>(group, range);
  }
  if (kernel.lanes < 16) return false;
  const size_t channels = group.position;
  for (size_t c = 0; c < channels;) {
    groups.StartAt(c);
    const size_t rest = channels - c;
    if (rest >= kWidestGroup) {
      SumChannels<WidestLanes>(group, stride, range);
      c += kWidestGroup;
    } else if (kWidestGroup > 32 && rest >= 32) {
      SumChannels<hn::CappedTag<int32_t, 8>>(group, stride, range);
      c += 32;
    } else {
      SumChannels<hn::CappedTag<int32_t, 4>>(group, stride, range);
      c += 16;
    }
  }
  return true;
}
#endif

// Sums some columns of a row for any kernel.
void SumColumnsOf(const LevelDepthwise& kernel, const LevelFrame& levels, const LevelTarget& target,
                  size_t row, const ColumnRange& range) {
#if HWY_TARGET != HWY_SCALAR
  const TapRange taps =
      RowsOf(kernel.window).TapsInside(static_cast<int64_t>(row), kernel.source_rows);
  if (TakesGroups(kernel, target, taps)) {
    const bool done = kernel.window.kernel_x() == 3
                          ? SumGroups<3>(kernel, levels, target, row, taps, range)
                          : SumGroups<5>(kernel, levels, target, row, taps, range);
    if (done) return;
  }
#endif
  if (kernel.lanes == 8) {
    SumBlocks(hn::CappedTag<float, 8>(), kernel, levels, target, row, range);
  } else {
    SumBlocks(hn::CappedTag<float, 16>(), kernel, levels, target, row, range);
  }
}

void SumDepthwise(const LevelDepthwise& kernel, const LevelFrame& levels, const LevelTarget& target,
                  size_t row) {
  CSSRUN_ASSERT(target.mode != SumMode::kStore && target.mode != SumMode::kJoin);
  CSSRUN_ASSERT(target.inputs != nullptr);
  CSSRUN_ASSERT(!ToFloats(target.mode) || target.floats != nullptr);
  CSSRUN_ASSERT(kernel.left <= levels.layout.before);
  CSSRUN_ASSERT(levels.layout.before + kernel.right <= levels.layout.row_size);
  const ColumnRange all{0, target.settled->layout->columns};
  const std::span<const ColumnRange> ranges =
      target.columns.empty() ? std::span(&all, 1) : target.columns;
  for (const ColumnRange& range : ranges) SumColumnsOf(kernel, levels, target, row, range);
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(SumDepthwise);

namespace {

constexpr double kExactInFloat = 1 << 24;
constexpr double kLargestByte = 255;
// More bits than this gain nothing with levels of 8 bits.
constexpr double kLargestUseful = 4095;

hwy::AlignedFreeUniquePtr<float[]> Zeros(size_t size) {
  auto zeros = AllocateAligned<float>(size);
  std::fill_n(zeros.get(), size, 0.0F);
  return zeros;
}

// Windows whose weights are also laid out in quads.
bool HasQuads(const format::Window& window) {
  const int side = window.kernel_x();
  return (side == 3 || side == 5) && window.kernel_y() == side && window.dilation_x() == 1 &&
         window.stride_x() <= 2;
}

// Where a weight is in `bytes`, and in `words`.
struct QuadPlace {
  QuadPlace(size_t side, size_t c, size_t ky, size_t kx) {
    const size_t quads = (side + kQuad - 1) / kQuad;
    const size_t lane = c % kLineLanes;
    // [4 of a half's lanes][half][lane of the 4]
    const size_t place = lane % 16 / 4 * 8 + lane / 16 * 4 + lane % 4;
    const size_t quad = c / kLineLanes * quads + ky / kQuad;
    const size_t row = ky % kQuad;
    byte = ((quad * side + kx) * kLineLanes + place) * kQuad + row;
    word = (((quad * 2 + row % 2) * side + kx) * kLineLanes + place) * 2 + row / 2;
  }
  size_t byte;
  size_t word;
};

// From the weights as floats.
void LayOutQuads(LevelDepthwise& kernel) {
  const auto side = static_cast<size_t>(kernel.window.kernel_x());
  const size_t size = kernel.blocks * ((side + kQuad - 1) / kQuad) * side * kLineLanes * kQuad;
  kernel.bytes = AllocateAligned<int8_t>(size);
  kernel.words = AllocateAligned<int16_t>(size);
  std::fill_n(kernel.bytes.get(), size, int8_t{0});
  std::fill_n(kernel.words.get(), size, int16_t{0});
  kernel.fits_bytes.assign(kernel.blocks, 1);
  for (size_t c = 0; c < kernel.blocks * kLineLanes; ++c) {
    const size_t block = c / kLineLanes;
    for (size_t tap = 0; tap < kernel.taps(); ++tap) {
      const QuadPlace place(side, c, tap / side, tap % side);
      const auto units = static_cast<int>(
          kernel.weights[(block * kernel.taps() + tap) * kLineLanes + c % kLineLanes]);
      kernel.words[place.word] = static_cast<int16_t>(units);
      if (units >= -128 && units <= 127) {
        kernel.bytes[place.byte] = static_cast<int8_t>(units);
      } else {
        kernel.fits_bytes[block] = 0;
      }
    }
  }
}

}  // namespace

int LargestDepthwiseWeight(const format::Window& window) {
  const double taps = static_cast<double>(window.kernel_y()) * window.kernel_x();
  // Bytes of a source that does not rectify hold level + zero, so sums can be twice as large.
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
      // Where lanes are fewer than those of a line, they are repeated, as parameters are.
      for (size_t l = lane; l < kLineLanes; l += kernel.lanes) {
        kernel.weights[(block * taps + tap) * kLineLanes + l] = units;
        kernel.row_sums[(block * rows + tap / kernel_x) * kLineLanes + l] += units;
      }
    }
  }
  if (HasQuads(shape.window)) LayOutQuads(kernel);
  return kernel;
}

SumDepthwiseFunction Resolve(const LevelDepthwise&) { return &HWY_DYNAMIC_DISPATCH(SumDepthwise); }

}  // namespace cssrun::internal
#endif  // HWY_ONCE
