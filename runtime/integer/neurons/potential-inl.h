// The potential z of settled neurons, from their sums: see settled.h. Computed in float, in one
// order, without fused multiply-adds, so it has the same bits on every machine.
#if defined(CSSRUN_RUNTIME_INTEGER_NEURONS_POTENTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_NEURONS_POTENTIAL_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_NEURONS_POTENTIAL_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_NEURONS_POTENTIAL_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/neon-inl.h"
#include "runtime/integer/neurons/settled.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Levels as floats; `zero` is the byte of level 0.
template <class D>
HWY_INLINE hn::Vec<D> LevelsAsFloats(D df, const uint8_t* levels, int32_t zero) {
  const hn::Rebind<uint8_t, D> d8;
  const hn::Rebind<int32_t, D> d32;
  const auto bytes = hn::PromoteTo(d32, hn::LoadU(d8, levels));
  return hn::ConvertTo(df, hn::Sub(bytes, hn::Set(d32, zero)));
}

// Writes sums times `scale` to floats if `sets`, otherwise adds them.
template <class D>
HWY_INLINE void BringToFloats(D df, hn::Vec<D> sums, const float* scale, bool sets, float* to) {
  auto brought = hn::Mul(sums, hn::LoadU(df, scale));
  if (!sets) brought = hn::Add(hn::LoadU(df, to), brought);
  hn::StoreU(brought, df, to);
}

// Rounds towards zero. Values beyond 16 bits stay beyond them on their own side, so that demoting
// saturates.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> Truncated(D df, hn::Vec<D> z) {
  z = hn::Min(z, hn::Set(df, 65535.0F));
  // Highway 1.0 adds four instructions for values beyond 32 bits.
#if CSSRUN_TARGET_AVX512
  if constexpr (hn::MaxLanes(df) == 16)
    return hn::Vec<hn::RebindToSigned<D>>{_mm512_cvttps_epi32(z.raw)};
#endif
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  if constexpr (hn::MaxLanes(df) == 8)
    return hn::Vec<hn::RebindToSigned<D>>{_mm256_cvttps_epi32(z.raw)};
#endif
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
  if constexpr (hn::MaxLanes(df) == 4)
    return hn::Vec<hn::RebindToSigned<D>>{_mm_cvttps_epi32(z.raw)};
#endif
  return hn::ConvertTo(hn::RebindToSigned<D>(), z);
}

// The same for values that are then narrowed to 16 bits, saturating.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> TruncatedToNarrow([[maybe_unused]] D df, hn::Vec<D> z) {
#if CSSRUN_TARGET_NEON
  return hn::ConvertTo(hn::RebindToSigned<D>(), z);  // saturates, too
#else
  return Truncated(df, z);
#endif
}

// Turns sums into potentials for some lanes of every column of a row. Lane i of column x is at
//
//     scale, bias:       [i]
//     floats:            [x * lane_pitch + i]
//     shortcut levels:   [index + x * index_pitch + i], and so are the levels that leave
struct RowPotentials {
  // All lanes of a block; `column_lanes` of them belong to a column.
  RowPotentials(const SettledRow& settled, const PotentialInputs& row_inputs, size_t block,
                size_t column_lanes)
      : scale(settled.neurons->scale.get() + block * kLineLanes),
        bias(settled.neurons->bias.get() + block * kLineLanes),
        index(block * kLineLanes),
        lane_pitch(column_lanes),
        index_pitch(column_lanes * settled.layout->lanes.blocks),
        rectify(settled.rectify),
        floats(row_inputs.floats != nullptr ? row_inputs.floats + block * row_inputs.block_floats
                                            : nullptr),
        shortcuts(row_inputs.shortcuts),
        shortcut_count(row_inputs.shortcut_count) {}

  // Leaves out lanes before `lane`.
  void StartAt(size_t lane) {
    scale += lane;
    bias += lane;
    index += lane;
    if (floats != nullptr) floats += lane;
  }

  // The sums have a scale of their own, by lane of the block, and join `floats`, other sums, before
  // the bias. Called before StartAt().
  void JoinFloats(const float* own_scale) {
    scale = own_scale;
    joins_floats = true;
  }

  // Makes StoreNeurons() write levels to `row_levels`, a row's first neuron, by `rule`, and also
  // `level_bounds` unless they are empty.
  void WriteLevelsTo(uint8_t* row_levels, const LevelRule& level_rule,
                     const LevelBounds& level_bounds) {
    levels = row_levels;
    rule = &level_rule;
    bounds = level_bounds;
  }

  const float* scale;
  const float* bias;
  size_t index;  // of the first column's first lane in rows of levels
  size_t lane_pitch;
  size_t index_pitch;
  bool rectify;
  bool joins_floats = false;
  const float* floats;  // see PotentialInputs, as the next two
  const AlignedShortcut* shortcuts;
  size_t shortcut_count;
  uint8_t* levels = nullptr;  // null: potentials leave
  const LevelRule* rule = nullptr;
  LevelBounds bounds;
};

// The potentials, rounded down, of a column's lanes from `lane` on. Potentials beyond 16 bits stay
// beyond them.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> WholePotentials(D df, hn::Vec<D> sums,
                                                          const RowPotentials& row, size_t column,
                                                          size_t lane) {
  auto z = hn::Mul(sums, hn::LoadU(df, row.scale + lane));
  const size_t at = column * row.lane_pitch + lane;
  if (row.joins_floats) z = hn::Add(z, hn::LoadU(df, row.floats + at));
  z = hn::Add(z, hn::LoadU(df, row.bias + lane));
  if (row.floats != nullptr && !row.joins_floats) z = hn::Add(z, hn::LoadU(df, row.floats + at));
  const size_t index = row.index + column * row.index_pitch + lane;
  for (size_t s = 0; s < row.shortcut_count; ++s) {
    const AlignedShortcut& shortcut = row.shortcuts[s];
    const auto levels = LevelsAsFloats(df, shortcut.levels + index, shortcut.zero);
    z = hn::Add(z, hn::Mul(levels, hn::Set(df, shortcut.weight)));
  }
  // Truncating equals rounding down for a rectifier, which sends nothing for what is below zero.
  return Truncated(df, row.rectify ? z : hn::Floor(z));
}

// The same as 16 bits.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<int16_t, D>> Potentials(D df, hn::Vec<D> sums,
                                                      const RowPotentials& row, size_t column,
                                                      size_t lane) {
  const hn::Rebind<int16_t, D> d16;
  return hn::DemoteTo(d16, WholePotentials(df, sums, row, column, lane));
}

// 32-bit potentials to levels as bytes.
template <class D32>
HWY_INLINE hn::Vec<D32> LevelsBy(D32 d, hn::Vec<D32> z, const LevelRule& rule, int16_t offset) {
  const auto level = hn::ShiftRightSame(hn::Add(z, hn::Set(d, offset)), rule.fraction);
  return hn::Add(hn::Min(hn::Max(level, hn::Set(d, rule.least)), hn::Set(d, rule.most)),
                 hn::Set(d, rule.zero));
}

// The same for 16 bits, which saturate.
template <class D16>
HWY_INLINE hn::Vec<D16> NarrowLevelsBy(D16 d, hn::Vec<D16> z, const LevelRule& rule,
                                       int16_t offset) {
  const auto level = hn::ShiftRightSame(hn::SaturatedAdd(z, hn::Set(d, offset)), rule.fraction);
  return hn::Add(hn::Min(hn::Max(level, hn::Set(d, rule.least)), hn::Set(d, rule.most)),
                 hn::Set(d, static_cast<int16_t>(rule.zero)));
}

template <class D32>
HWY_INLINE void StoreBytes(D32 /*d*/, hn::Vec<D32> numbers, uint8_t* to) {
  const hn::Rebind<uint8_t, D32> d8;
#if CSSRUN_TARGET_AVX512
  if constexpr (hn::MaxLanes(D32()) == 16) {  // one instruction; Highway 1.0 has four
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(numbers.raw));
    return;
  }
#endif
  hn::StoreU(hn::DemoteTo(d8, numbers), d8, to);
}

// Stores the result of the neurons of a column's lanes from `lane` on: levels if `row` has a rule,
// otherwise potentials in `membranes`.
template <class D>
HWY_INLINE void StoreNeurons(D df, hn::Vec<D> sums, const RowPotentials& row, size_t column,
                             size_t lane, int16_t* membranes) {
  if (row.levels == nullptr) {
    const hn::Rebind<int16_t, D> d16;
    hn::StoreU(Potentials(df, sums, row, column, lane), d16, membranes);
    return;
  }
  const hn::RebindToSigned<D> d32;
  const auto z = WholePotentials(df, sums, row, column, lane);
  const LevelRule& rule = *row.rule;
  const size_t index = row.index + column * row.index_pitch + lane;
  StoreBytes(d32, LevelsBy(d32, z, rule, rule.offset), row.levels + index);
  if (row.bounds.empty()) return;
  const hn::Rebind<int16_t, D> d16;
  const auto narrow = hn::PromoteTo(d32, hn::DemoteTo(d16, z));  // as everywhere else
  uint8_t* lowest = row.levels + index + row.bounds.apart;
  StoreBytes(d32, LevelsBy(d32, narrow, rule, row.bounds.LowestOffset(rule.fraction)), lowest);
  StoreBytes(d32, LevelsBy(d32, narrow, rule, row.bounds.HighestOffset()),
             lowest + row.bounds.apart);
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_POTENTIAL_INL_H_
