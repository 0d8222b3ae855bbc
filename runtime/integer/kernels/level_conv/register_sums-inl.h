// How LevelConv sums some columns in registers, and hands them on.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REGISTER_SUMS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REGISTER_SUMS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REGISTER_SUMS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REGISTER_SUMS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels/level_conv/neon-inl.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"
#include "runtime/integer/neurons/store_levels-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

// The starting values of the sums of `kTargets` targets in one column.
template <size_t kTargets>
HWY_INLINE void StartColumn(const TileRow& row, size_t column, int32_t* HWY_RESTRICT start) {
  const hn::CappedTag<int32_t, kTileTargets> d;
  const auto levels = hn::Set(d, row.level_sums[column]);
  HWY_UNROLL(8)
  for (size_t i = 0; i < kTargets; i += hn::MaxLanes(d)) {
    const auto offset = hn::Mul(hn::LoadU(d, row.weight_offsets + i), levels);
    hn::Store(hn::Add(hn::LoadU(d, row.start + i), offset), d, start + i);
  }
}

// Where the sums of `kPositions` columns begin, [column][target].
template <size_t kPositions, size_t kTargets>
HWY_INLINE void StartColumns(const TileRow& row, size_t column, int32_t* HWY_RESTRICT start) {
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPositions; ++p) {
    if (row.weight_offsets != nullptr) {
      StartColumn<kTargets>(row, column + p, start + p * kTargets);
    } else {
      const hn::CappedTag<int32_t, kTileTargets> d;
      HWY_UNROLL(8)
      for (size_t i = 0; i < kTargets; i += hn::MaxLanes(d)) {
        hn::Store(hn::LoadU(d, row.start + i), d, start + p * kTargets + i);
      }
    }
  }
}

// Adds what sums of pixels begin with to those of `kPositions` columns, [column][target].
template <size_t kPositions, size_t kTargets>
HWY_INLINE void AddClassStarts(const TileRow& row, size_t column, int32_t* HWY_RESTRICT sums) {
  if (row.class_starts == nullptr) return;
  const hn::CappedTag<int32_t, kTileTargets> d;
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPositions; ++p, sums += kTargets) {
    const int32_t* starts = row.ClassStarts(column + p);
    HWY_UNROLL(8)
    for (size_t i = 0; i < kTargets; i += hn::MaxLanes(d)) {
      hn::Store(hn::Add(hn::Load(d, sums + i), hn::LoadU(d, starts + i)), d, sums + i);
    }
  }
}

// Hands on the sums of `kPositions` columns, [column][target].
template <size_t kPositions, size_t kTargets>
HWY_INLINE void FinishColumns(const TileRow& row, size_t column, const int32_t* HWY_RESTRICT sums,
                              int16_t* HWY_RESTRICT membranes) {
#if CSSRUN_STORES_LEVELS
  constexpr size_t kVectors = kTargets / hn::MaxLanes(Narrowing::D32());
  if (row.potentials != nullptr && !row.leaves_registers() &&
      StoreLevels<kVectors>(sums, *row.potentials, 0, column, kPositions)) {
    return;
  }
#endif
  for (size_t p = 0; p < kPositions; ++p, membranes += row.lanes) {
    FinishColumn(row, column + p, kTargets, sums + p * kTargets, membranes);
  }
}

// Moves sums in registers, [column][vector], to floats.
template <class P, size_t kPositions, size_t kOfColumn>
HWY_INLINE void MoveToFloats(const TileRow& row, size_t column, const typename P::Sum* sums) {
  const typename P::D d;
  const hn::RebindToFloat<typename P::D> df;
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPositions; ++p) {
    float* to = row.floats + (column + p) * row.lanes;
    HWY_UNROLL(8)
    for (size_t v = 0; v < kOfColumn; ++v) {
      const size_t lane = v * hn::MaxLanes(d);
      BringToFloats(df, hn::ConvertTo(df, P::Finish(sums + p * kOfColumn, v)),
                    row.float_scale + lane, row.sets_floats, to + lane);
    }
  }
}

// Adds the products of one plane of weights to the sums of `kPositions` columns from `from` on.
// `kOneTap`: for kernels of levels with one tap on the map.
template <class P, size_t kPositions, size_t kTargets, bool kOneTap>
HWY_INLINE void AddPlane(const TileRow& row, const uint8_t* HWY_RESTRICT from,
                         const int8_t* HWY_RESTRICT weights, Ahead& ahead, typename P::Sum* sums) {
  const Taps taps{row.quads, row.targets, row.position_pitch};
  if constexpr (kOneTap) {
    AddTap<kPositions, kTargets, P>(taps, from, weights, ahead, sums);
    return;
  }
  if (P::kSlides && row.slides) {
    for (size_t ky = 0; ky < row.kernel_rows; ++ky, from += row.levels_pitch) {
      AddSlidingTaps<kPositions, kTargets, P>(taps, from, weights, ahead, sums);
      weights += kSlidingTaps * row.quads * row.targets * kQuad;
    }
    return;
  }
  for (size_t ky = 0; ky < row.kernel_rows; ++ky, from += row.levels_pitch) {
    const uint8_t* HWY_RESTRICT at = from;
    for (size_t kx = 0; kx < row.kernel_columns; ++kx, at += row.tap_pitch) {
#if CSSRUN_TARGET_NEON
      AddTapByFours<kPositions, P>(taps, at, weights, sums);
#else
      AddTap<kPositions, kTargets, P>(taps, at, weights, ahead, sums);
#endif
      weights += row.quads * row.targets * kQuad;
    }
  }
}

// Hands on the sums of `kPositions` columns from `column` on, which are in registers:
// [column][vector].
template <class P, size_t kPositions, size_t kTargets>
HWY_INLINE void HandOn(const TileRow& row, size_t column, const typename P::Sum* sums,
                       int16_t* HWY_RESTRICT membranes) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  const typename P::D d;
  const hn::Rebind<int16_t, typename P::D> d16;
  constexpr size_t kResults = kTargets / hn::MaxLanes(d);
  if constexpr (kVectors == kResults) {
    if (row.floats != nullptr && row.lanes >= kTileTargets) {
      MoveToFloats<P, kPositions, kResults>(row, column, sums);
      return;
    }
  }
#if CSSRUN_TARGET_AVX512
  if constexpr (kVectors == kResults) {
    if (row.leaves_at_once) {
      StoreFromRegisters<kResults, kPositions>(sums, *row.potentials, column,
                                               membranes + column * row.lanes);
      return;
    }
  }
#endif
  membranes += column * row.lanes;
  if (row.potentials != nullptr || row.leaves_registers()) {
    HWY_ALIGN int32_t finished[kPositions * kTargets];
    HWY_UNROLL(32)
    for (size_t k = 0; k < kPositions * kResults; ++k) {
      hn::Store(P::Finish(sums + k / kResults * kVectors, k % kResults), d,
                finished + k * hn::MaxLanes(d));
    }
    FinishColumns<kPositions, kTargets>(row, column, finished, membranes);
    return;
  }
  HWY_UNROLL(32)
  for (size_t k = 0; k < kPositions * kResults; ++k) {
    auto sum = hn::DemoteTo(d16, P::Finish(sums + k / kResults * kVectors, k % kResults));
    int16_t* to = membranes + k / kResults * row.lanes + k % kResults * hn::MaxLanes(d);
    if (row.joins) sum = hn::SaturatedAdd(hn::LoadU(d16, to), sum);
    hn::StoreU(sum, d16, to);
  }
}

// `kPositions` neighbouring target columns of 16 or 32 targets, with sums in registers.
template <class P, size_t kPositions, size_t kTargets, bool kOneTap>
HWY_INLINE void SumInRegisters(const TileRow& row, size_t column,
                               const int8_t* HWY_RESTRICT weights,
                               int16_t* HWY_RESTRICT membranes) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  const typename P::D d;
  typename P::Sum sums[kPositions * kVectors];
  if (row.weight_offsets == nullptr) {
    const int32_t* start = row.planes == 1 ? row.start : kZeroSums;
    HWY_UNROLL(32)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      sums[k] = P::Start(start, k % kVectors);
    }
  } else if constexpr (kVectors * hn::MaxLanes(d) == kTargets) {  // a lane for each target
    HWY_UNROLL(32)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      const auto levels = hn::Set(d, row.level_sums[column + k / kVectors]);
      const auto offsets = hn::LoadU(d, row.weight_offsets + k % kVectors * hn::MaxLanes(d));
      sums[k] = hn::Add(P::Start(row.start, k % kVectors), hn::Mul(offsets, levels));
    }
  } else {
    HWY_ALIGN int32_t start[kPositions * kTargets];
    StartColumns<kPositions, kTargets>(row, column, start);
    HWY_UNROLL(32)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      sums[k] = P::Start(start + k / kVectors * kTargets, k % kVectors);
    }
  }
  Ahead ahead{row.ahead == nullptr ? weights : row.ahead + column * row.ahead_of_column,
              row.ahead_of_quad};
  for (size_t plane = 0;;) {
    AddPlane<P, kPositions, kTargets, kOneTap>(row, row.levels + column * row.position_pitch,
                                               weights, ahead, sums);
    if (kOneTap || ++plane == row.planes) break;
    weights += row.plane_size;
    HWY_UNROLL(32)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      sums[k] = hn::Add(hn::ShiftLeft<kPlaneShift>(sums[k]), P::Start(row.start, k % kVectors));
    }
  }
  if (!kOneTap && row.class_starts != nullptr) {
    HWY_UNROLL(32)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      const int32_t* starts = row.ClassStarts(column + k / kVectors);
      sums[k] = hn::Add(sums[k], P::Start(starts, k % kVectors));
    }
  }
  HandOn<P, kPositions, kTargets>(row, column, sums, membranes);
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_REGISTER_SUMS_INL_H_
