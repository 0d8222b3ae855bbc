// Sums levels, for every instruction set: see level_conv.h.
#include "runtime/integer/kernels/level_conv/level_conv.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>

#include "runtime/assert.h"
#include "runtime/dot_products.h"
#include "runtime/geometry/window_axis.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/level_conv/level_conv.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"
#include "runtime/integer/kernels/level_conv/register_sums-inl.h"
#include "runtime/integer/kernels/level_conv/runs-inl.h"
#include "runtime/integer/kernels/level_conv/short_runs-inl.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"
#include "runtime/integer/kernels/level_conv/window_sums-inl.h"
#include "runtime/integer/kernels/level_conv/winograd-inl.h"
#include "runtime/integer/neurons/store_levels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
constexpr const char* kBestVariant = "scalar";

struct Scalar {
  static constexpr int32_t kShift = 0;
  static constexpr bool kSlides = false;
};
using Best = Scalar;

// What one plane of weights brings to a target at one column.
int32_t SumPlane(const TileRow& row, size_t column, const int8_t* quad) {
  int32_t sum = 0;
  for (size_t ky = 0; ky < row.kernel_rows; ++ky) {
    for (size_t kx = 0; kx < row.kernel_columns; ++kx) {
      const uint8_t* levels =
          row.levels + ky * row.levels_pitch + kx * row.tap_pitch + column * row.position_pitch;
      for (size_t q = 0; q < row.quads; ++q, quad += row.targets * kQuad) {
        for (size_t c = 0; c < kQuad; ++c) sum += levels[q * kQuad + c] * quad[c];
      }
    }
  }
  return sum;
}

template <class Scalar>
void SumTile(const TileRow& row, const ColumnRange& columns, const int8_t* weights,
             int16_t* membranes) {
  for (size_t column = columns.first; column < columns.last; ++column) {
    int32_t sums[2 * kTileTargets] = {};
    for (size_t target = 0; target < row.targets; ++target) {
      int32_t sum = SumPlane(row, column, weights + target * kQuad);
      if (row.planes == 2) {
        sum = sum * kPlane + SumPlane(row, column, weights + row.plane_size + target * kQuad);
      }
      sums[target] = row.Start(target, column) + sum;
    }
    FinishColumn(row, column, row.targets, sums, membranes + column * row.lanes);
  }
}

#else
#if CSSRUN_TARGET_RUNS
using Best = ByteRuns;
constexpr const char* kBestVariant = "8-bit products in 16-bit sums";

// The same with sums in memory, of 16 targets.
template <class P, size_t kPositions>
HWY_INLINE void SumByRuns(const TileRow& row, size_t column, const int8_t* HWY_RESTRICT weights,
                          int16_t* HWY_RESTRICT membranes) {
  HWY_ALIGN int32_t sums[kPositions * kTileTargets];
  const Taps taps{row.quads, row.targets, row.position_pitch};
  RunSums<P, kPositions> run_sums;
  if (row.planes == 1) {
    StartColumns<kPositions, kTileTargets>(row, column, sums);
  } else {
    std::fill_n(sums, kPositions * kTileTargets, 0);
  }
  for (size_t plane = 0;;) {
    const uint8_t* HWY_RESTRICT from = row.levels + column * row.position_pitch;
    const int8_t* HWY_RESTRICT of_tap = weights;
    const uint16_t* runs = row.runs[0][plane];
    for (size_t ky = 0; ky < row.kernel_rows; ++ky, from += row.levels_pitch) {
      const uint8_t* HWY_RESTRICT at = from;
      for (size_t kx = 0; kx < row.kernel_columns; ++kx, at += row.tap_pitch) {
        runs = AddRuns<P, kPositions>(taps, at, of_tap, runs, run_sums, sums);
        of_tap += row.quads * row.targets * kQuad;
      }
    }
    run_sums.MoveTo(sums);
    if (++plane == row.planes) break;
    weights += row.plane_size;
    for (size_t k = 0; k < kPositions * kTileTargets; ++k) {
      sums[k] = sums[k] * kPlane + row.start[k % kTileTargets];
    }
  }
  AddClassStarts<kPositions, kTileTargets>(row, column, sums);
  FinishColumns<kPositions, kTileTargets>(row, column, sums, membranes + column * row.lanes);
}

// The same with sums in registers: of one plane.
template <class P, size_t kPositions>
HWY_INLINE void SumByShortRuns(const TileRow& row, size_t column,
                               const int8_t* HWY_RESTRICT weights,
                               int16_t* HWY_RESTRICT membranes) {
  HWY_ALIGN int32_t sums[kPositions * kTileTargets];
  const Taps taps{row.quads, row.targets, row.position_pitch};
  StartColumns<kPositions, kTileTargets>(row, column, sums);
  ShortRunSums<P, kPositions> run_sums(sums);
  const uint8_t* HWY_RESTRICT from = row.levels + column * row.position_pitch;
  const uint16_t* runs = row.runs[0][0];
  for (size_t ky = 0; ky < row.kernel_rows; ++ky, from += row.levels_pitch) {
    const uint8_t* HWY_RESTRICT at = from;
    for (size_t kx = 0; kx < row.kernel_columns; ++kx, at += row.tap_pitch) {
      runs = run_sums.AddRuns(taps, at, weights, runs);
      weights += row.quads * row.targets * kQuad;
    }
  }
  run_sums.MoveTo(sums);
  AddClassStarts<kPositions, kTileTargets>(row, column, sums);
  FinishColumns<kPositions, kTileTargets>(row, column, sums, membranes + column * row.lanes);
}

#else
using Best = Products;
constexpr const char* kBestVariant = kVariant;
#endif

// Never inlined: in a function of all of them, GCC 12 keeps no array of sums in registers.
template <class P, size_t kPositions, size_t kTargets, bool kOneTap = false>
HWY_NOINLINE void SumColumns(const TileRow& row, size_t column, const int8_t* HWY_RESTRICT weights,
                             int16_t* HWY_RESTRICT membranes) {
#if CSSRUN_TARGET_RUNS
  if constexpr (kSumsRuns<P>) {
    static_assert(kTargets == kTileTargets);
    SumByRuns<P, kPositions>(row, column, weights, membranes);
  } else if constexpr (kSumsShortRuns<P>) {
    static_assert(kTargets == kTileTargets);
    SumByShortRuns<P, kPositions>(row, column, weights, membranes);
  } else {
    SumInRegisters<P, kPositions, kTargets, kOneTap>(row, column, weights, membranes);
  }
#else
  SumInRegisters<P, kPositions, kTargets, kOneTap>(row, column, weights, membranes);
#endif
}

// The next `wanted` columns, or as many fewer as there is code for. Returns how many.
template <class P, size_t kMost, size_t kTargets>
HWY_INLINE size_t SumSomeColumns(size_t wanted, const TileRow& row, size_t column,
                                 const int8_t* weights, int16_t* membranes) {
  // Of more than 8, every fourth: 16-channel maps mostly have powers of two.
  constexpr size_t kFewer = kMost > 8 ? kMost - 4 : kMost - 1;
  if constexpr (kMost > 1) {
    if (wanted < kMost) {
      return SumSomeColumns<P, kFewer, kTargets>(wanted, row, column, weights, membranes);
    }
  }
#if CSSRUN_TARGET_VNNI
  // Without the loops over taps and planes, GCC 12 has registers for all addresses.
  if (row.kernel_rows == 1 && row.kernel_columns == 1 && row.class_starts == nullptr) {
    SumColumns<P, kMost, kTargets, true>(row, column, weights, membranes);
    return kMost;
  }
#endif
  SumColumns<P, kMost, kTargets>(row, column, weights, membranes);
  return kMost;
}

// Neighbouring columns of a row, in as few and as equal parts as there are.
template <class P, size_t kTargets>
HWY_NOINLINE void SumTargets(const TileRow& row, const ColumnRange& columns, const int8_t* weights,
                             int16_t* membranes) {
  constexpr size_t kMost = std::max<size_t>(1, P::kPositions * kTileTargets / kTargets);
  for (size_t column = columns.first; column < columns.last;) {
    const size_t rest = columns.last - column;
    size_t part = rest;
    if (rest > kMost) {
      const size_t parts = (rest + kMost - 1) / kMost;
      part = (rest + parts - 1) / parts;
    }
    column += SumSomeColumns<P, kMost, kTargets>(part, row, column, weights, membranes);
  }
}

template <class P>
void SumTile(const TileRow& row, const ColumnRange& columns, const int8_t* weights,
             int16_t* membranes) {
  constexpr size_t kBoth = size_t{2} * kTileTargets;
  // Small vectors have no registers for the sums of both halves, and runs are for one half.
  if constexpr (P::kTakesBoth) {
    if (row.targets == kBoth) {
      SumTargets<P, kBoth>(row, columns, weights, membranes);
      return;
    }
  }
  if (row.targets == kTileTargets) {
    SumTargets<P, kTileTargets>(row, columns, weights, membranes);
    return;
  }
  for (size_t target = 0; target < row.targets; target += kTileTargets) {
    TileRow half = row.From(target);
    std::optional<RowPotentials> potentials;
    if (row.potentials != nullptr) {
      half.potentials = &potentials.emplace(*row.potentials);
      potentials->StartAt(target);
    }
    SumTargets<P, kTileTargets>(half, columns, weights + target * kQuad, membranes + target);
  }
}
#endif

template <class P>
void SumLevelsBy(const LevelConv& kernel, const LevelFrame& levels, const LevelTarget& target,
                 size_t row) {
  const SettledRow& settled = *target.settled;
  const MembraneLayout& layout = *settled.layout;
  const bool fused = target.mode == SumMode::kPotential || target.mode == SumMode::kLevels;
  CSSRUN_ASSERT(!fused || target.inputs != nullptr);
  const WindowAxis y = RowsOf(kernel.window);
  const WindowAxis x = ColumnsOf(kernel.window);
  const TapRange taps = y.TapsInside(static_cast<int64_t>(row), kernel.source_rows);
  const int64_t first_row = y.SourceOf(static_cast<int64_t>(row), taps.first);
  TileRow tile;
  if (taps.first < taps.last) {
    tile.levels = levels.Row(static_cast<size_t>(first_row)) -
                  x.pad * static_cast<int64_t>(kernel.source_stride);
  }
  tile.levels_pitch = static_cast<size_t>(y.dilation) * levels.layout.row_size;
  tile.tap_pitch = static_cast<size_t>(x.dilation) * kernel.source_stride;
  tile.position_pitch = static_cast<size_t>(x.stride) * kernel.source_stride;
  tile.kernel_rows = static_cast<size_t>(taps.last - taps.first);
  tile.kernel_columns = static_cast<size_t>(x.kernel);
  tile.quads = kernel.quads;
  tile.targets = kernel.targets;
  tile.lanes = layout.lanes.lanes;
  tile.joins = target.mode == SumMode::kJoin;
  tile.slides = tile.kernel_columns == kSlidingTaps && tile.tap_pitch == tile.position_pitch;
  const bool apart = P::kSlides && tile.slides;
  if (!apart && kernel.taps_adjoin()) {
    tile.quads *= tile.kernel_columns;
    tile.kernel_columns = 1;
  }
  CSSRUN_ASSERT(kernel.left <= levels.layout.before);
  CSSRUN_ASSERT(levels.layout.before + kernel.right <= levels.layout.row_size);
  CSSRUN_ASSERT(kernel.planes == 1 || !kernel.starts.empty());
  tile.planes = kernel.planes;
  tile.plane_size = kernel.plane_size();
  tile.column_classes = kernel.starts.column_classes.data();
  tile.class_pitch = kernel.starts.class_pitch;
  const int32_t zero = levels.layout.zero;
  const uint8_t* first_levels = tile.levels;
  std::optional<RowPotentials> potentials;
  int32_t of_zero[2 * kTileTargets];
  const int32_t* start = kZeroSums;
  const ColumnRange whole{0, layout.columns};
  const std::span<const ColumnRange> ranges =
      target.columns.empty() ? std::span(&whole, 1) : target.columns;
  const size_t last_tile = std::min(kernel.tiles, target.tiles.last);
  CSSRUN_ASSERT(target.winograd == nullptr || zero == 0);
  const bool by_winograd = target.winograd != nullptr;
  const size_t tile_size = by_winograd ? 2 * size_t{kernel.winograd.half_size} : kernel.tile_size();
  const auto weights_of = [&](size_t t) {
    return (by_winograd ? kernel.winograd.weights : kernel.weights).get() + t * tile_size;
  };
  bool windows_summed = false;
  for (size_t t = target.tiles.first; t < last_tile; ++t) {
    const size_t first = t * kernel.targets;
    const size_t block = first / tile.lanes;
    const size_t lane = first % tile.lanes;
    if (first_levels != nullptr) tile.levels = first_levels + kernel.first_quads[t] * size_t{kQuad};
    if ((zero != 0 || P::kShift != 0) && taps.first < taps.last) {
      StartTile(kernel, t, taps, P::kShift, zero, of_zero);
      start = of_zero;
    }
    tile.start = start;
    if (t == target.tiles.first || kernel.first_quads[t] != kernel.first_quads[t - 1]) {
      windows_summed = false;
    }
    tile.weight_offsets = nullptr;
    if (!kernel.weight_offsets.empty() && kernel.tile_has_offsets[t] != 0) {
      CSSRUN_ASSERT(target.level_sums != nullptr);
      if (!windows_summed) {
        for (const ColumnRange& range : ranges) SumWindows(tile, range, target.level_sums);
      }
      windows_summed = true;
      tile.weight_offsets = &kernel.weight_offsets[first];
      tile.level_sums = target.level_sums;
    }
    if (ToFloats(target.mode)) {
      tile.sets_floats = target.mode == SumMode::kSetFloats;
      CSSRUN_ASSERT(target.floats != nullptr && kernel.float_scale != nullptr);
      tile.floats = target.floats + block * target.block_floats + lane;
      tile.float_scale = kernel.float_scale.get() + block * kLineLanes + lane;
    }
    if (potentials.has_value() && potentials->floats == nullptr) {
      potentials->StartAt(kernel.targets);  // without floats, tiles are neighbours
    } else if (fused) {
      RowPotentials& of_tile = potentials.emplace(settled, *target.inputs, block, tile.lanes);
      if (target.joins_floats) {
        CSSRUN_ASSERT(target.inputs->floats != nullptr && kernel.float_scale != nullptr);
        of_tile.JoinFloats(kernel.float_scale.get() + block * kLineLanes);
      }
      of_tile.StartAt(lane);
      if (target.mode == SumMode::kLevels)
        of_tile.WriteLevelsTo(target.levels, *target.rule, target.bounds);
      tile.potentials = &of_tile;
#if CSSRUN_TARGET_AVX512
      tile.leaves_at_once = !tile.leaves_registers() && LeavesRegistersAtOnce(of_tile);
#endif
    }
#if CSSRUN_TARGET_RUNS
    for (size_t half = 0; half * kTileTargets < kernel.targets && taps.first < taps.last; ++half) {
      for (size_t plane = 0; plane < kernel.planes; ++plane) {
        tile.runs[half][plane] =
            kernel.RunsOf(first / kTileTargets + half, plane, static_cast<size_t>(taps.first));
      }
    }
#endif
    if (target.ahead.parts != 0 && t + 1 < kernel.tiles) {
      tile.AskAhead(target.ahead, weights_of(t + 1), tile_size, layout.columns);
    }
    int16_t* membranes = settled.membranes + layout.RowAt(block, row) + lane;
    if (!kernel.starts.empty()) tile.class_starts = kernel.starts.Of(row, t, kernel.targets);
#if CSSRUN_TARGET_VNNI
    if (target.winograd != nullptr) {
      SumWinogradTile<P>(kernel, *target.winograd, tile, t, taps, first_row, layout.columns,
                         membranes);
      continue;
    }
#endif
    const int8_t* weights = weights_of(t) + static_cast<size_t>(taps.first) * kernel.tap_row_size();
    for (const ColumnRange& range : ranges) SumTile<P>(tile, range, weights, membranes);
  }
}

SumLevelsFunction ChooseSumLevels([[maybe_unused]] const LevelConv& kernel) {
#if CSSRUN_TARGET_MAY_HAVE_AVX_VNNI
  if (HasAvxVnni()) return &SumLevelsBy<VexProducts>;
#elif CSSRUN_TARGET_NEON
  const bool shifts = kernel.largest_byte > std::numeric_limits<int8_t>::max();
  if (HasDotProducts()) {
    return shifts ? &SumLevelsBy<DotProducts<128>> : &SumLevelsBy<DotProducts<0>>;
  }
  if (PrefersPairs(kernel)) {
    return shifts ? &SumLevelsBy<NeonPairs<128>> : &SumLevelsBy<NeonPairs<0>>;
  }
  if (shifts) return &SumLevelsBy<NeonRuns<128>>;
#endif
#if CSSRUN_TARGET_BYTE_PAIRS
  if (HasShortRuns(kernel)) return &SumLevelsBy<ShortByteRuns>;
#endif
  return &SumLevelsBy<Best>;
}

FillWinogradRows ChooseWinograd() {
#if CSSRUN_TARGET_VNNI
  return &FillRows;
#else
  return nullptr;
#endif
}

const char* LevelConvVariantTarget() {
#if CSSRUN_TARGET_MAY_HAVE_AVX_VNNI
  if (HasAvxVnni()) return "8-bit products (AVX-VNNI)";
#elif CSSRUN_TARGET_NEON
  if (HasDotProducts()) return "8-bit products (SDOT)";
#endif
  return kBestVariant;
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(ChooseSumLevels);
HWY_EXPORT(ChooseWinograd);
HWY_EXPORT(LevelConvVariantTarget);

SumLevelsFunction Resolve(const LevelConv& kernel) {
  return HWY_DYNAMIC_DISPATCH(ChooseSumLevels)(kernel);
}

FillWinogradRows ResolveWinograd() { return HWY_DYNAMIC_DISPATCH(ChooseWinograd)(); }

const char* LevelConvVariant() { return HWY_DYNAMIC_DISPATCH(LevelConvVariantTarget)(); }

}  // namespace cssrun::internal
#endif  // HWY_ONCE
