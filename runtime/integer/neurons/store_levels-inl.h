// Levels and potentials of many sums at a time, for sums that almost nothing joins: StoreNeurons()
// of potential-inl.h, with instructions that narrow several vectors to one.
#if defined(CSSRUN_RUNTIME_INTEGER_NEURONS_STORE_LEVELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_NEURONS_STORE_LEVELS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_NEURONS_STORE_LEVELS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_NEURONS_STORE_LEVELS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/neurons/potential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#undef CSSRUN_STORES_LEVELS
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3) || CSSRUN_TARGET_NEON
#define CSSRUN_STORES_LEVELS 1
// The common cases of what joins sums.
enum class Joins { kNothing, kShortcut, kFloats };

// WholePotentials() for these cases.
template <size_t kOfColumn, Joins kJoins, bool kRectify>
struct PlainPotentials {
  using D = hn::CappedTag<float, 16>;
  using V = hn::Vec<D>;
  static constexpr size_t kLanes = hn::MaxLanes(D());

  // Of lanes from `lane` on.
  HWY_INLINE PlainPotentials(const RowPotentials& row, size_t lane)
      : shortcut(row.shortcuts[0].levels),
        zero(row.shortcuts[0].zero),
        floats(kJoins == Joins::kFloats ? row.floats + lane : nullptr) {
    for (size_t i = 0; i < kOfColumn; ++i) {
      scale[i] = hn::LoadU(D(), row.scale + lane + kLanes * i);
      bias[i] = hn::LoadU(D(), row.bias + lane + kLanes * i);
    }
    weight = hn::Set(D(), row.shortcuts[0].weight);
  }
  // `index`: of the first lane in rows of levels; `column`: where its column's floats begin.
  // `sums`: a vector of them, or where they are.
  template <class Sums>
  HWY_INLINE hn::Vec<hn::RebindToSigned<D>> Of(Sums sums, size_t i, size_t index,
                                               size_t column) const {
    V z = hn::Mul(SumsAsFloats(sums), scale[i]);
    if constexpr (kJoins == Joins::kFloats) {
      z = hn::Add(z, hn::LoadU(D(), floats + column + kLanes * i));
    }
    z = hn::Add(z, bias[i]);
    if constexpr (kJoins == Joins::kShortcut) {
      z = hn::Add(z, hn::Mul(LevelsAsFloats(D(), shortcut + index, zero), weight));
    }
    return TruncatedToNarrow(D(), kRectify ? z : hn::Floor(z));
  }

  static HWY_INLINE V SumsAsFloats(const int32_t* sums) {
    return hn::ConvertTo(D(), hn::Load(hn::RebindToSigned<D>(), sums));
  }
  static HWY_INLINE V SumsAsFloats(const float* sums) { return hn::Load(D(), sums); }
  static HWY_INLINE V SumsAsFloats(hn::Vec<hn::RebindToSigned<D>> sums) {
    return hn::ConvertTo(D(), sums);
  }

  V scale[kOfColumn];
  V bias[kOfColumn];
  V weight;
  const uint8_t* shortcut;
  int32_t zero;
  const float* floats;
};

// Instructions that narrow two vectors to one, block by block of 16 bytes.
struct Narrowing {
  using D32 = hn::CappedTag<int32_t, 16>;
  using D16 = hn::Repartition<int16_t, D32>;
  using V32 = hn::Vec<D32>;
  using V16 = hn::Vec<D16>;
#if CSSRUN_TARGET_AVX512
  using Bytes = __m512i;
  static HWY_INLINE V16 To16(V32 a, V32 b) { return V16{_mm512_packs_epi32(a.raw, b.raw)}; }
  // Four numbers of each of the four vectors, from first to last, are brought together.
  static HWY_INLINE Bytes Least(Bytes bytes, uint8_t most) {
    return _mm512_min_epu8(bytes, _mm512_set1_epi8(static_cast<char>(most)));
  }
  static HWY_INLINE Bytes To8(V16 a, V16 b) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(a.raw, b.raw));
  }
#elif HWY_TARGET <= HWY_AVX2
  using Bytes = __m256i;
  static HWY_INLINE V16 To16(V32 a, V32 b) { return V16{_mm256_packs_epi32(a.raw, b.raw)}; }
  static HWY_INLINE Bytes To8(V16 a, V16 b) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a.raw, b.raw), order);
  }
#elif CSSRUN_TARGET_NEON
  using Bytes = uint8x16_t;
  static HWY_INLINE V16 To16(V32 a, V32 b) {
    return V16{vqmovn_high_s32(vqmovn_s32(a.raw), b.raw)};
  }
  static HWY_INLINE Bytes To8(V16 a, V16 b) { return vqmovun_high_s16(vqmovun_s16(a.raw), b.raw); }
#else
  using Bytes = __m128i;
  static HWY_INLINE V16 To16(V32 a, V32 b) { return V16{_mm_packs_epi32(a.raw, b.raw)}; }
  static HWY_INLINE Bytes To8(V16 a, V16 b) { return _mm_packus_epi16(a.raw, b.raw); }
#endif
};

// Stores the bytes of up to `columns` columns of kOfColumn vectors.
template <size_t kOfColumn>
HWY_INLINE void StoreColumns(Narrowing::Bytes bytes, size_t pitch, size_t columns, uint8_t* to) {
  constexpr size_t kLanes = hn::MaxLanes(Narrowing::D32());
  if (kOfColumn == 4 || (pitch == kOfColumn * kLanes && columns >= 4 / kOfColumn)) {
    std::memcpy(to, &bytes, sizeof(bytes));
    return;
  }
#if CSSRUN_TARGET_AVX512
  if constexpr (kOfColumn == 2) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(bytes));
    if (columns == 1) return;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + pitch),
                        _mm512_extracti64x4_epi64(bytes, 1));
  } else {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_castsi512_si128(bytes));
    if (columns == 1) return;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + pitch), _mm512_extracti32x4_epi32(bytes, 1));
    if (columns == 2) return;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * pitch),
                     _mm512_extracti32x4_epi32(bytes, 2));
    if (columns == 3) return;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 3 * pitch),
                     _mm512_extracti32x4_epi32(bytes, 3));
  }
#else
  constexpr size_t kBytes = kOfColumn * kLanes;
  alignas(sizeof(bytes)) uint8_t some[sizeof(bytes)];
  std::memcpy(some, &bytes, sizeof(bytes));
  HWY_UNROLL(4)
  for (size_t i = 0; i < 4 / kOfColumn; ++i) {
    if (i < columns) std::memcpy(to + i * pitch, some + i * kBytes, kBytes);
  }
#endif
}

// Stores the bounds of what StoreColumns() stores the levels of. `index`: of the first one.
template <size_t kOfColumn>
HWY_NOINLINE void StoreBounds(Narrowing::V16 first, Narrowing::V16 last, const RowPotentials& row,
                              size_t index, size_t columns) {
  using N = Narrowing;
  const N::D16 d16;
  const LevelRule& rule = *row.rule;
  uint8_t* to = row.levels + index;
  for (const int16_t offset :
       {row.bounds.LowestOffset(rule.fraction), row.bounds.HighestOffset()}) {
    to += row.bounds.apart;
    StoreColumns<kOfColumn>(
        N::To8(NarrowLevelsBy(d16, first, rule, offset), NarrowLevelsBy(d16, last, rule, offset)),
        row.index_pitch, columns, to);
  }
}

// StoreNeurons() of levels for `columns` columns of `kOfColumn` vectors of sums, whole numbers or
// floats that are whole, of lanes from `lane` on. Four vectors share instructions that work on 16
// and 8 bits. With vectors of four blocks:
//
//     potentials, 32 bits    4 vectors    z0        z1        z2        z3
//     levels, 16 bits        2 vectors    z0 z1 ... z0 z1     z2 z3 ... z2 z3    four numbers each
//     levels, 8 bits         1 vector     z0 z1 z2 z3 ... z0 z1 z2 z3            likewise
template <size_t kOfColumn, Joins kJoins, bool kRectify, class Sum>
HWY_NOINLINE void StoreLevels(const Sum* HWY_RESTRICT sums, const RowPotentials& row, size_t lane,
                              size_t column, size_t columns) {
  using N = Narrowing;
  constexpr size_t kLanes = hn::MaxLanes(N::D32());
  const N::D16 d16;
  const PlainPotentials<kOfColumn, kJoins, kRectify> potentials(row, lane);
  const LevelRule& rule = *row.rule;
  const bool fills_byte = rule.fills_byte();
  const int fraction = rule.fraction;
  const auto offset =
      hn::Set(d16, static_cast<int16_t>(fills_byte ? rule.offset_to_byte() : rule.offset));
  const auto least = hn::Set(d16, rule.least);
  const auto most = hn::Set(d16, rule.most);
  const auto zero = hn::Set(d16, static_cast<int16_t>(rule.zero));
  const size_t pitch = row.index_pitch;
  constexpr size_t kColumns = 4 / kOfColumn;
  size_t index = row.index + column * pitch + lane;
  for (size_t done = 0; done < columns; done += kColumns, index += kColumns * pitch) {
    const size_t rest = columns - done;
    N::V32 z[4];
    HWY_UNROLL(4)
    for (size_t i = 0; i < 4; ++i) {
      // Repeats the last column if there are no more.
      const size_t from = std::min(i / kOfColumn, rest - 1);
      const size_t v = i % kOfColumn;
      z[i] =
          potentials.Of(sums + kLanes * (from * kOfColumn + v), v,
                        index + from * pitch + kLanes * v, (column + done + from) * row.lane_pitch);
    }
    N::V16 both[2];
    N::V16 level[2];
    HWY_UNROLL(2)
    for (size_t i = 0; i < 2; ++i) {
      both[i] = N::To16(z[2 * i], z[2 * i + 1]);
      level[i] = hn::ShiftRightSame(hn::SaturatedAdd(both[i], offset), fraction);
      if (!fills_byte) level[i] = hn::Add(hn::Min(hn::Max(level[i], least), most), zero);
    }
    StoreColumns<kOfColumn>(N::To8(level[0], level[1]), pitch, rest, row.levels + index);
    if (!row.bounds.empty()) StoreBounds<kOfColumn>(both[0], both[1], row, index, rest);
    sums += 4 * kLanes;
  }
}

template <size_t kOfColumn, Joins kJoins, class Sum>
HWY_INLINE void StoreLevels(const Sum* sums, const RowPotentials& row, size_t lane, size_t column,
                            size_t columns) {
  row.rectify ? StoreLevels<kOfColumn, kJoins, true>(sums, row, lane, column, columns)
              : StoreLevels<kOfColumn, kJoins, false>(sums, row, lane, column, columns);
}

// The same, with the constants chosen by `row`. Returns false if none of the cases applies.
template <size_t kOfColumn, class Sum>
HWY_INLINE bool StoreLevels(const Sum* sums, const RowPotentials& row, size_t lane, size_t column,
                            size_t columns) {
  if (row.levels == nullptr || row.shortcut_count > (row.joins_floats ? 0 : 1) ||
      (row.floats != nullptr && !row.joins_floats)) {
    return false;
  }
  if (row.joins_floats) {
    StoreLevels<kOfColumn, Joins::kFloats>(sums, row, lane, column, columns);
  } else if (row.shortcut_count == 1) {
    StoreLevels<kOfColumn, Joins::kShortcut>(sums, row, lane, column, columns);
  } else {
    StoreLevels<kOfColumn, Joins::kNothing>(sums, row, lane, column, columns);
  }
  return true;
}

#if CSSRUN_TARGET_AVX512
// Whether StoreFromRegisters() applies.
HWY_INLINE bool LeavesRegistersAtOnce(const RowPotentials& row) {
  return (row.levels == nullptr || row.rule->saturates()) && row.bounds.empty() &&
         (row.floats == nullptr ? row.shortcut_count <= 1
                                : row.joins_floats && row.shortcut_count == 0);
}

// StoreLevels() of sums that are in registers, [column][vector], if at most one shortcut joins them
// and levels saturate to bytes: with few sources, the products take less time than storing and
// loading the sums.
template <size_t kOfColumn, size_t kColumns, Joins kJoins, bool kRectify>
HWY_INLINE void StoreByteLevels(const Narrowing::V32* sums, const RowPotentials& row,
                                size_t column) {
  using N = Narrowing;
  constexpr size_t kLanes = hn::MaxLanes(N::D32());
  constexpr size_t kSums = kOfColumn * kColumns;
  constexpr size_t kTogether = 4 / kOfColumn;
  const N::D16 d16;
  const PlainPotentials<kOfColumn, kJoins, kRectify> potentials(row, 0);
  const LevelRule& rule = *row.rule;
  const auto offset = hn::Set(d16, static_cast<int16_t>(rule.offset_to_byte()));
  const int fraction = rule.fraction;
  const uint8_t most = rule.most_byte();
  const size_t pitch = row.index_pitch;
  const size_t index = row.index + column * pitch;
  uint8_t* to = row.levels + index;
  N::V32 z[kSums];
  HWY_UNROLL(32)
  for (size_t k = 0; k < kSums; ++k) {
    const size_t of_sum = index + k / kOfColumn * pitch + k % kOfColumn * kLanes;
    z[k] = potentials.Of(sums[k], k % kOfColumn, of_sum, (column + k / kOfColumn) * row.lane_pitch);
  }
  // Beyond the last sum, that one again.
  N::V16 levels[(kSums + 1) / 2];
  HWY_UNROLL(16)
  for (size_t k = 0; k < (kSums + 1) / 2; ++k) {
    const auto both = N::To16(z[2 * k], z[2 * k + 1 < kSums ? 2 * k + 1 : 2 * k]);
    levels[k] = hn::ShiftRightSame(hn::SaturatedAdd(both, offset), fraction);
  }
  HWY_UNROLL(8)
  for (size_t k = 0; k < (kSums + 3) / 4; ++k) {
    const size_t last = 4 * k + 2 < kSums ? 2 * k + 1 : 2 * k;
    const size_t rest = kColumns - k * kTogether;
    const auto bytes = N::Least(N::To8(levels[2 * k], levels[last]), most);
    StoreColumns<kOfColumn>(bytes, pitch, rest < kTogether ? rest : kTogether,
                            to + k * kTogether * pitch);
  }
}

// The same for potentials, written to `membranes`: the first lane of the first column.
template <size_t kOfColumn, size_t kColumns, Joins kJoins, bool kRectify>
HWY_INLINE void StorePotentials(const Narrowing::V32* sums, const RowPotentials& row, size_t column,
                                int16_t* HWY_RESTRICT membranes) {
  constexpr size_t kLanes = hn::MaxLanes(Narrowing::D32());
  const hn::Rebind<int16_t, Narrowing::D32> d16;
  const PlainPotentials<kOfColumn, kJoins, kRectify> potentials(row, 0);
  HWY_UNROLL(32)
  for (size_t k = 0; k < kOfColumn * kColumns; ++k) {
    const size_t lane = k % kOfColumn * kLanes;
    const size_t from = column + k / kOfColumn;
    const auto z = potentials.Of(sums[k], k % kOfColumn, row.index + from * row.index_pitch + lane,
                                 from * row.lane_pitch);
    hn::StoreU(hn::DemoteTo(d16, z), d16, membranes + k / kOfColumn * row.lane_pitch + lane);
  }
}

// StoreByteLevels() or StorePotentials(), as `row` says.
template <size_t kOfColumn, size_t kColumns, Joins kJoins, bool kRectify>
HWY_INLINE void StoreFromRegisters(const Narrowing::V32* sums, const RowPotentials& row,
                                   size_t column, int16_t* membranes) {
  if (row.levels != nullptr) {
    StoreByteLevels<kOfColumn, kColumns, kJoins, kRectify>(sums, row, column);
  } else {
    StorePotentials<kOfColumn, kColumns, kJoins, kRectify>(sums, row, column, membranes);
  }
}
template <size_t kOfColumn, size_t kColumns, Joins kJoins>
HWY_INLINE void StoreFromRegisters(const Narrowing::V32* sums, const RowPotentials& row,
                                   size_t column, int16_t* membranes) {
  row.rectify
      ? StoreFromRegisters<kOfColumn, kColumns, kJoins, true>(sums, row, column, membranes)
      : StoreFromRegisters<kOfColumn, kColumns, kJoins, false>(sums, row, column, membranes);
}
template <size_t kOfColumn, size_t kColumns>
HWY_INLINE void StoreFromRegisters(const Narrowing::V32* sums, const RowPotentials& row,
                                   size_t column, int16_t* membranes) {
  if (row.joins_floats) {
    StoreFromRegisters<kOfColumn, kColumns, Joins::kFloats>(sums, row, column, membranes);
  } else if (row.shortcut_count == 0) {
    StoreFromRegisters<kOfColumn, kColumns, Joins::kNothing>(sums, row, column, membranes);
  } else {
    StoreFromRegisters<kOfColumn, kColumns, Joins::kShortcut>(sums, row, column, membranes);
  }
}
#endif
#else
#define CSSRUN_STORES_LEVELS 0
#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_STORE_LEVELS_INL_H_
