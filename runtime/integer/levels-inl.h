// The levels of a settled layer's sources, and their sums: see levels.h.
#if defined(CSSRUN_RUNTIME_INTEGER_LEVELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_LEVELS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_LEVELS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_LEVELS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/lanes-inl.h"
#include "runtime/integer/round-inl.h"
#include "runtime/simd_variant.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Levels [first, first + Lanes(d)) of a word of each step's spikes.
template <class D>
HWY_INLINE hn::Vec<D> LevelsAt(D d, const uint64_t* words, uint32_t timesteps, size_t first) {
  auto level = hn::Zero(d);
  for (uint32_t k = 0; k < timesteps; ++k) {
    const auto unit = hn::Set(d, static_cast<uint8_t>(1U << (timesteps - 1 - k)));
    const auto up = MaskOf(d, static_cast<uint32_t>(words[k]), first);
    const auto down = MaskOf(d, static_cast<uint32_t>(words[k] >> kChunkLanes), first);
    level = hn::Add(level, hn::IfThenElseZero(up, unit));
    level = hn::Sub(level, hn::IfThenElseZero(down, unit));
  }
  return level;
}

// Of a layer that does not settle itself.
inline void FillLevelsOf(std::span<const SpikeFrame> steps, LevelFrame& frame) {
  const hn::CappedTag<uint8_t, kChunkLanes> d;
  const auto timesteps = static_cast<uint32_t>(steps.size());
  const size_t words = steps.front().words_per_row;
  for (size_t row = 0; row < steps.front().counts.size(); ++row) {
    for (size_t w = 0; w < words; ++w) {
      uint64_t of_steps[kMostSettledSteps];
      for (uint32_t k = 0; k < timesteps; ++k) of_steps[k] = steps[k].Row(row)[w];
      for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
        const auto levels =
            hn::BitCast(hn::RebindToSigned<decltype(d)>(), LevelsAt(d, of_steps, timesteps, i));
        hn::StoreU(levels, hn::RebindToSigned<decltype(d)>(), frame.Row(row) + w * kChunkLanes + i);
      }
    }
  }
}

// Where a target row's levels and weights are: kernel rows [first, last) are on the map.
struct LevelsRow {
  const int8_t* levels = nullptr;  // of kernel row `first`, at the first column's window
  size_t levels_pitch = 0;         // from one kernel row to the next
  size_t tap_pitch = 0;            // from one kernel column to the next
  size_t position_pitch = 0;       // from one target column to the next
  size_t kernel_rows = 0;
  size_t kernel_columns = 0;
  size_t quads = 0;
  size_t targets = 0;                     // of a group: one or two vectors' worth
  size_t lanes = 0;                       // of a target column
  bool joins = true;                      // what is there already
  const RowRounding* rounding = nullptr;  // where z takes the place of sums
};

#if HWY_TARGET == HWY_SCALAR
// All target columns of one group of targets.
template <typename Weight>
void AddLevelsRow(const LevelsRow& row, size_t columns, const Weight* weights, int16_t* membranes) {
  for (size_t column = 0; column < columns; ++column) {
    for (size_t target = 0; target < row.targets; ++target) {
      int32_t sum = 0;
      const Weight* quad = weights + target * kQuad;
      for (size_t ky = 0; ky < row.kernel_rows; ++ky) {
        for (size_t kx = 0; kx < row.kernel_columns; ++kx) {
          const int8_t* levels =
              row.levels + ky * row.levels_pitch + kx * row.tap_pitch + column * row.position_pitch;
          for (size_t q = 0; q < row.quads; ++q, quad += row.targets * kQuad) {
            for (size_t c = 0; c < kQuad; ++c) sum += levels[q * kQuad + c] * quad[c];
          }
        }
      }
      int16_t& membrane = membranes[column * row.lanes + target];
      if (row.rounding != nullptr) {
        const hn::CappedTag<float, 1> df;
        const auto of_sum = hn::Set(df, static_cast<float>(sum));
        membrane = hn::GetLane(Rounded(df, of_sum, *row.rounding, column, target));
        continue;
      }
      constexpr int32_t kLargest = 32767;
      sum = std::clamp(sum, -kLargest - 1, kLargest);
      if (row.joins) sum += membrane;
      membrane = static_cast<int16_t>(std::clamp(sum, -kLargest - 1, kLargest));
    }
  }
}

#else
#if CSSRUN_HAS_BYTE_PRODUCTS(HWY_TARGET)
// Bytes times bytes, four sums of pairs at once.
struct ByteProducts {
  using Weight = int8_t;
  static constexpr size_t kVectors = 1;     // of sums, for 16 targets
  static constexpr size_t kPositions = 16;  // at a time: so many sums hide the latency
  using D = hn::CappedTag<int32_t, kLevelTargets>;
  using Sum = hn::Vec<D>;
  using Levels = hn::Vec<D>;

  static HWY_INLINE Levels Load(const int8_t* levels) {
    int32_t quad;
    std::memcpy(&quad, levels, sizeof(quad));
    return hn::Set(D(), quad);
  }
  static HWY_INLINE Levels LoadWeights(const int8_t* weights, size_t v) {
    const hn::ScalableTag<int8_t> d8;
    return hn::BitCast(D(), hn::Load(d8, weights + v * hn::Lanes(d8)));
  }
  // Highway 1.0 has no name for this instruction, which all machines of this target have.
  static HWY_INLINE void Add(Levels levels, Levels weights, Sum& sum) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(levels.raw), "v"(weights.raw));
  }
  static HWY_INLINE Sum Finish(const Sum* sums, size_t v) { return sums[v]; }
};
#endif

// Pairs of 16 bits, two sums for each target until all is added.
template <typename WeightType>
struct PairProducts {
  using Weight = WeightType;
  using D16 = hn::CappedTag<int16_t, kChunkLanes>;
  using D = hn::RepartitionToWide<D16>;
  using Sum = hn::Vec<D>;
  using Levels = hn::Vec<D16>;
  static constexpr size_t kLanes = hn::MaxLanes(D16());
  static constexpr size_t kVectors = size_t{kLevelTargets} * kQuad / kLanes;
  // As many as registers allow.
  static constexpr size_t kPositions = kLanes == 32 ? 8 : kLanes == 16 ? 2 : 1;

  static HWY_INLINE Levels Load(const int8_t* levels) {
    uint32_t quad;
    std::memcpy(&quad, levels, sizeof(quad));
    uint64_t wide = (quad | uint64_t{quad} << 16) & 0x0000FFFF0000FFFF;
    wide = (wide | wide << 8) & 0x00FF00FF00FF00FF;
    return hn::BitCast(D16(), hn::Set(hn::Repartition<uint64_t, D16>(), wide));
  }
  static HWY_INLINE Levels LoadWeights(const int16_t* weights, size_t v) {
    return hn::Load(D16(), weights + v * kLanes);
  }
  static HWY_INLINE Levels LoadWeights(const int8_t* weights, size_t v) {
    const hn::Rebind<int8_t, D16> d8;
    return hn::PromoteTo(D16(), hn::Load(d8, weights + v * kLanes));
  }
  static HWY_INLINE void Add(Levels levels, Levels weights, Sum& sum) {
    const D d;
    auto odd = hn::Zero(d);
    const auto even = hn::ReorderWidenMulAccumulate(d, levels, weights, hn::Zero(d), odd);
    sum = hn::Add(sum, hn::RearrangeToOddPlusEven(even, odd));
  }
  static HWY_INLINE Sum Finish(const Sum* sums, size_t v) {
    const D d;
    return hn::Add(hn::ConcatEven(d, sums[2 * v + 1], sums[2 * v]),
                   hn::ConcatOdd(d, sums[2 * v + 1], sums[2 * v]));
  }
};

// Neighbouring target columns of one group of 16 or 32 targets.
template <class Products, size_t kPositions, size_t kTargets>
HWY_INLINE void AddLevels(const LevelsRow& given, size_t column,
                          const typename Products::Weight* HWY_RESTRICT weights,
                          int16_t* HWY_RESTRICT membranes) {
  constexpr size_t kVectors = Products::kVectors * kTargets / kLevelTargets;
  const LevelsRow row = given;  // a copy that no store can change
  const typename Products::D d;
  typename Products::Sum sums[kPositions * kVectors];
  HWY_UNROLL(32)
  for (size_t k = 0; k < kPositions * kVectors; ++k) sums[k] = hn::Zero(d);
  const int8_t* HWY_RESTRICT from = row.levels + column * row.position_pitch;
  for (size_t ky = 0; ky < row.kernel_rows; ++ky, from += row.levels_pitch) {
    const int8_t* HWY_RESTRICT at = from;
    for (size_t kx = 0; kx < row.kernel_columns; ++kx, at += row.tap_pitch) {
      for (size_t q = 0; q < row.quads; ++q, weights += row.targets * kQuad) {
        typename Products::Levels of_targets[kVectors];
        HWY_UNROLL(8)
        for (size_t v = 0; v < kVectors; ++v) of_targets[v] = Products::LoadWeights(weights, v);
        HWY_UNROLL(16)
        for (size_t p = 0; p < kPositions; ++p) {
          const auto levels = Products::Load(at + q * kQuad + p * row.position_pitch);
          HWY_UNROLL(8)
          for (size_t v = 0; v < kVectors; ++v) {
            Products::Add(levels, of_targets[v], sums[p * kVectors + v]);
          }
        }
      }
    }
  }
  const hn::Rebind<int16_t, typename Products::D> d16;
  membranes += column * row.lanes;
  if (row.rounding != nullptr) {
    const hn::Rebind<float, typename Products::D> df;
    const RowRounding rounding = *row.rounding;
    constexpr size_t kResults = kTargets / hn::MaxLanes(d);
    HWY_UNROLL(32)
    for (size_t k = 0; k < kPositions * kResults; ++k) {  // one loop, or GCC keeps sums in memory
      const size_t first = k % kResults * hn::MaxLanes(d);
      const size_t p = k / kResults;
      const auto sum = hn::ConvertTo(df, Products::Finish(sums + p * kVectors, k % kResults));
      hn::StoreU(Rounded(df, sum, rounding, column + p, first), d16,
                 membranes + p * row.lanes + first);
    }
    return;
  }
  HWY_UNROLL(16)
  for (size_t p = 0; p < kPositions; ++p, membranes += row.lanes) {
    HWY_UNROLL(8)
    for (size_t v = 0; v * hn::MaxLanes(d) < kTargets; ++v) {
      auto sum = hn::DemoteTo(d16, Products::Finish(sums + p * kVectors, v));
      int16_t* to = membranes + v * hn::MaxLanes(d);
      if (row.joins) sum = hn::SaturatedAdd(hn::LoadU(d16, to), sum);
      hn::StoreU(sum, d16, to);
    }
  }
}

template <class Products, size_t kTargets>
HWY_NOINLINE void AddLevelsTiles(const LevelsRow& row, size_t columns,
                                 const typename Products::Weight* weights, int16_t* membranes) {
  constexpr size_t kPositions =
      std::max<size_t>(1, Products::kPositions * kLevelTargets / kTargets);
  size_t column = 0;
  for (; column + kPositions <= columns; column += kPositions) {
    AddLevels<Products, kPositions, kTargets>(row, column, weights, membranes);
  }
  constexpr size_t kHalf = (kPositions + 1) / 2;
  if (kHalf < kPositions && column + kHalf <= columns) {
    AddLevels<Products, kHalf, kTargets>(row, column, weights, membranes);
    column += kHalf;
  }
  for (; column < columns; ++column)
    AddLevels<Products, 1, kTargets>(row, column, weights, membranes);
}

#if CSSRUN_HAS_BYTE_PRODUCTS(HWY_TARGET)
using NarrowProducts = ByteProducts;
#else
using NarrowProducts = PairProducts<int8_t>;
#endif

// All target columns of one group of targets.
template <typename Weight>
void AddLevelsRow(const LevelsRow& row, size_t columns, const Weight* weights, int16_t* membranes) {
  using Products = std::conditional_t<sizeof(Weight) == 1, NarrowProducts, PairProducts<int16_t>>;
  constexpr size_t kBoth = size_t{2} * kLevelTargets;
  // Small vectors have no registers for the sums of both halves.
  if (row.targets == kBoth && hn::MaxLanes(typename Products::D()) > 4) {
    AddLevelsTiles<Products, kBoth>(row, columns, weights, membranes);
    return;
  }
  for (size_t target = 0; target < row.targets; target += kLevelTargets) {
    LevelsRow part = row;
    std::optional<RowRounding> rounding;
    if (row.rounding != nullptr) part.rounding = &rounding.emplace(row.rounding->From(target));
    AddLevelsTiles<Products, kLevelTargets>(part, columns, weights + target * kQuad,
                                            membranes + target);
  }
}
#endif

// All spikes that reach target row `row`, of all steps: added to the membranes, or put there where
// nothing else is, or z there at once where nothing else will be.
inline void SumLevels(const IntegerSynapses& s, const LayerStep& step, size_t row, bool joins,
                      const LevelFrame& frame) {
  const IntegerLayer& layer = *step.layer;
  const LevelsPlan& plan = s.levels;
  const WindowShape& w = s.window;
  const int64_t top = static_cast<int64_t>(row) * w.stride_y - w.pad_top;
  int64_t first = 0;
  while (first < w.kernel_y && top + first * w.dilation_y < 0) ++first;
  int64_t last = w.kernel_y;
  while (last > first && top + (last - 1) * w.dilation_y >= plan.source_rows) --last;
  LevelsRow seen;
  if (first < last) {
    seen.levels = frame.Row(static_cast<size_t>(top + first * w.dilation_y)) -
                  w.pad_left * static_cast<int64_t>(plan.source_stride);
  }
  seen.levels_pitch = static_cast<size_t>(w.dilation_y) * frame.layout.row_size;
  seen.tap_pitch = static_cast<size_t>(w.dilation_x) * plan.source_stride;
  seen.position_pitch = static_cast<size_t>(w.stride_x) * plan.source_stride;
  seen.kernel_rows = static_cast<size_t>(last - first);
  seen.kernel_columns = static_cast<size_t>(w.kernel_x);
  seen.quads = plan.quads;
  seen.targets = plan.targets;
  seen.lanes = layer.layout.lanes;
  seen.joins = joins;
  const size_t tap_row = seen.kernel_columns * plan.quads * plan.targets * kQuad;
  if (seen.tap_pitch == size_t{plan.quads} * kQuad) {  // no gap between taps: one long one
    seen.quads *= seen.kernel_columns;
    seen.kernel_columns = 1;
  }
  const size_t group_size = static_cast<size_t>(w.kernel_y) * tap_row;
  RowExtras extras;
  if (layer.rounds_sums) extras = ExtrasOf(step, row);
  std::optional<RowRounding> rounding;
  for (size_t group = 0; group < plan.groups; ++group) {
    const size_t target = group * plan.targets;
    int16_t* membranes = step.membranes + target / seen.lanes * layer.block_lanes() +
                         row * layer.row_lanes + layer.guard_lanes + target % seen.lanes;
    if (layer.rounds_sums) {
      const RowRounding of_block(layer, extras, target / seen.lanes, seen.lanes);
      seen.rounding = &rounding.emplace(of_block.From(target % seen.lanes));
    }
    const size_t weights = group * group_size + static_cast<size_t>(first) * tap_row;
    if (s.wide != nullptr) {
      AddLevelsRow(seen, layer.columns, s.wide.get() + weights, membranes);
    } else {
      AddLevelsRow(seen, layer.columns, s.narrow.get() + weights, membranes);
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_LEVELS_INL_H_
