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
#include "runtime/integer/kernels/level_conv/row_tiles-inl.h"
#include "runtime/integer/kernels/level_conv/runs-inl.h"
#include "runtime/integer/kernels/level_conv/short_runs-inl.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"
#include "runtime/integer/kernels/level_conv/window_sums-inl.h"
#include "runtime/integer/kernels/level_conv/winograd-inl.h"
#include "runtime/integer/neurons/store_levels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

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
    const PartOfTile half(row, target);
    SumTargets<P, kTileTargets>(half.row(), columns, weights + target * kQuad, membranes + target);
  }
}
#endif

template <class P>
void SumLevelsBy(const LevelConv& kernel, const LevelFrame& levels, const LevelTarget& target,
                 size_t row) {
  RowTiles<P> tiles(kernel, levels, target, row, kernel.weights.get(), kernel.tile_size());
  const size_t skipped = static_cast<size_t>(tiles.taps().first) * kernel.tap_row_size();
  for (size_t t = target.tiles.first; t < tiles.last(); ++t) {
    tiles.MoveTo(t);
    tiles.SumOffsetLevels();
    const int8_t* weights = kernel.weights.get() + t * kernel.tile_size() + skipped;
    for (const ColumnRange& range : tiles.columns()) {
      SumTile<P>(tiles.tile(), range, weights, tiles.membranes());
    }
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

WinogradKernel ChooseWinograd() {
#if CSSRUN_TARGET_VNNI
  return {&FillRows, &SumByWinograd<Best>};
#else
  return {};
#endif
}

// Stacks of rows prefetch weights.
bool PrefetchesLevelsTarget(const LevelConv& kernel) {
  return kPrefetchesLevels && (kernel.winograd.empty() || kernel.winograd.stacked == 1);
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
HWY_EXPORT(PrefetchesLevelsTarget);
HWY_EXPORT(LevelConvVariantTarget);

SumLevelsFunction Resolve(const LevelConv& kernel) {
  return HWY_DYNAMIC_DISPATCH(ChooseSumLevels)(kernel);
}

WinogradKernel ResolveWinograd() { return HWY_DYNAMIC_DISPATCH(ChooseWinograd)(); }

bool PrefetchesLevels(const LevelConv& kernel) {
  return HWY_DYNAMIC_DISPATCH(PrefetchesLevelsTarget)(kernel);
}

const char* LevelConvVariant() { return HWY_DYNAMIC_DISPATCH(LevelConvVariantTarget)(); }

}  // namespace cssrun::internal
#endif  // HWY_ONCE
