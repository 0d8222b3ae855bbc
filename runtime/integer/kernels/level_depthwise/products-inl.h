// How LevelDepthwise multiplies the levels of a window's column, for each instruction set.
//
// A group is four vectors of 32-bit lanes: as many neighbouring channels as a vector has bytes. A
// policy adds one column of levels to the sums of all target columns that see it (neon-inl.h has
// those of ARM). Bytes of four rows are brought together by two levels of interleaving within 16
// bytes, and vector i of a group then holds, in each 16 bytes, four channels; narrowing twice
// undoes the order:
//
//     row k, 16 bytes of it      k0 k1 k2 ... k15                        channels
//     vector i, 16 bytes of it   0(4i) 1(4i) 2(4i) 3(4i) ... 3(4i + 3)
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_PRODUCTS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_PRODUCTS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_PRODUCTS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_PRODUCTS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"
#include "runtime/integer/kernels/neon-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kGroupVectors = 4;

// Vectors of target columns that may see a source column, `kStep` columns from one to the next.
template <size_t kSide, size_t kStep>
constexpr size_t kSeenBy = (kSide - 1) / kStep + 1;

// The channels of a group: those of a block from `lane` on, and then of the next one. Where a
// vector holds several target columns, their channels are all in one block, repeated.
struct GroupChannels {
  size_t block = 0;
  size_t lane = 0;
  size_t next = 1;  // 0: the next block is the same one
};

// The rows of levels that a group's windows see.
template <size_t kSide>
struct GroupRows {
  const uint8_t* rows[kSide] = {};  // the first channel at the first column
  bool inside[kSide] = {};          // false: beyond the map, `rows` is another one
  bool whole = true;                // all are inside
};

#if HWY_TARGET != HWY_SCALAR

#if CSSRUN_TARGET_NEON
template <class D16, class V>
HWY_INLINE hn::Vec<D16> NarrowBlocks(D16 /*d16*/, V a, V b) {
  return hn::Vec<D16>{vqmovn_high_s32(vqmovn_s32(a.raw), b.raw)};
}
HWY_INLINE hn::Vec<hn::Full128<uint8_t>> NarrowBlocks(hn::Vec<hn::Full128<int16_t>> a,
                                                      hn::Vec<hn::Full128<int16_t>> b) {
  return hn::Vec<hn::Full128<uint8_t>>{vqmovun_high_s16(vqmovun_s16(a.raw), b.raw)};
}
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
// Instructions that narrow two vectors to one, 16 bytes by 16 bytes, saturating.
template <class D16, class V>
HWY_INLINE hn::Vec<D16> NarrowBlocks(D16 d16, V a, V b) {
  return hn::ReorderDemote2To(d16, a, b);
}
HWY_INLINE hn::Vec<hn::Full128<uint8_t>> NarrowBlocks(hn::Vec<hn::Full128<int16_t>> a,
                                                      hn::Vec<hn::Full128<int16_t>> b) {
  return hn::Vec<hn::Full128<uint8_t>>{_mm_packus_epi16(a.raw, b.raw)};
}
// Restores the order of the four vectors' numbers.
HWY_INLINE hn::Vec<hn::Full128<uint8_t>> Ordered(hn::Vec<hn::Full128<uint8_t>> bytes) {
  return bytes;
}
#if HWY_TARGET <= HWY_AVX2
HWY_INLINE hn::Vec<hn::Full256<uint8_t>> NarrowBlocks(hn::Vec<hn::Full256<int16_t>> a,
                                                      hn::Vec<hn::Full256<int16_t>> b) {
  return hn::Vec<hn::Full256<uint8_t>>{_mm256_packus_epi16(a.raw, b.raw)};
}
HWY_INLINE hn::Vec<hn::Full256<uint8_t>> Ordered(hn::Vec<hn::Full256<uint8_t>> bytes) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return hn::Vec<hn::Full256<uint8_t>>{_mm256_permutevar8x32_epi32(bytes.raw, order)};
}
#endif
#if CSSRUN_TARGET_AVX512
HWY_INLINE hn::Vec<hn::Full512<uint8_t>> NarrowBlocks(hn::Vec<hn::Full512<int16_t>> a,
                                                      hn::Vec<hn::Full512<int16_t>> b) {
  return hn::Vec<hn::Full512<uint8_t>>{_mm512_packus_epi16(a.raw, b.raw)};
}
HWY_INLINE hn::Vec<hn::Full512<uint8_t>> Ordered(hn::Vec<hn::Full512<uint8_t>> bytes) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return hn::Vec<hn::Full512<uint8_t>>{_mm512_permutexvar_epi32(order, bytes.raw)};
}
#endif
template <class D16>
HWY_INLINE void StoreOrdered(D16 /*d16*/, hn::Vec<D16> a, hn::Vec<D16> b, uint8_t* to) {
  hn::StoreU(Ordered(NarrowBlocks(a, b)), hn::Repartition<uint8_t, D16>(), to);
}
#else
template <class D16, class V>
HWY_INLINE hn::Vec<D16> NarrowBlocks(D16 d16, V a, V b) {
  const hn::Half<D16> half;
  return hn::Combine(d16, hn::DemoteTo(half, b), hn::DemoteTo(half, a));
}
template <class D16>
HWY_INLINE void StoreOrdered(D16 /*d16*/, hn::Vec<D16> a, hn::Vec<D16> b, uint8_t* to) {
  const hn::Rebind<uint8_t, D16> d8;
  hn::StoreU(hn::DemoteTo(d8, a), d8, to);
  hn::StoreU(hn::DemoteTo(d8, b), d8, to + hn::MaxLanes(d8));
}
#endif

// Products of floats, channels in order.
template <class D32>
struct FloatLanes {
  using D = hn::RebindToFloat<D32>;
  using Sum = hn::Vec<D>;
  static constexpr size_t kVectors = kGroupVectors;
  static constexpr size_t kLanes = hn::MaxLanes(D32());

  // Of a parameter, [block][kLineLanes], what vector `v` of the group has.
  static HWY_INLINE Sum Parameter(const float* parameter, const GroupChannels& channels, size_t v) {
    const size_t block = v * kLanes / kLineLanes * channels.next;
    return hn::LoadU(D(), parameter + block * kLineLanes + v * kLanes % kLineLanes);
  }
  static HWY_INLINE Sum Start(const float* start, const GroupChannels& channels, size_t v) {
    return start != nullptr ? Parameter(start, channels, v) : hn::Zero(D());
  }
  static HWY_INLINE Sum AsFloats(Sum sum) { return sum; }
  template <class V16>
  static HWY_INLINE void StoreLevels(V16 first, V16 last, uint8_t* to) {
    StoreOrdered(hn::Repartition<int16_t, D32>(), first, last, to);
  }

  // Whether registers hold the weights of all taps.
  template <size_t kSide>
  static constexpr bool kKeepsWeights = false;
  template <size_t kSide>
  struct Weights {
    static constexpr size_t kBlock = kSide * kSide * kLineLanes;
    static constexpr size_t kBlocks = (kGroupVectors * kLanes + kLineLanes - 1) / kLineLanes;

    HWY_INLINE Weights(const LevelDepthwise& kernel, const GroupRows<kSide>& rows,
                       const GroupChannels& channels)
        : at(kernel.weights.get() + channels.block * kBlock + channels.lane),
          next(channels.next * kBlock) {
      if (rows.whole) return;
      // Rows beyond the map add nothing.
      const size_t lane = channels.lane;
      for (size_t b = 0; b < std::min(kBlocks, 1 + channels.next); ++b) {
        for (size_t ky = 0; ky < kSide; ++ky) {
          const size_t first = b * kBlock + ky * kSide * kLineLanes;
          for (size_t i = first; i < first + kSide * kLineLanes - lane; ++i) {
            masked[i] = rows.inside[ky] ? at[i] : 0.0F;
          }
        }
      }
      at = masked;
    }
    HWY_INLINE Sum Of(size_t ky, size_t kx, size_t v) const {
      const size_t channel = v * kLanes;
      return hn::LoadU(D(), at + channel / kLineLanes * next + (ky * kSide + kx) * kLineLanes +
                                channel % kLineLanes);
    }
    const float* at;
    size_t next;
    float masked[kBlocks * kBlock];
  };

  // Adds the levels at `offset` to sums[j], which see them at tap kFirst + kStep j.
  template <size_t kSide, size_t kStep, size_t kFirst>
  static HWY_INLINE void AddColumn(const GroupRows<kSide>& rows, size_t offset,
                                   const Weights<kSide>& weights,
                                   Sum (&sums)[kSeenBy<kSide, kStep>][kGroupVectors]) {
    const hn::Rebind<uint8_t, D> d8;
    HWY_UNROLL(4)
    for (size_t v = 0; v < kGroupVectors; ++v) {
      HWY_UNROLL(5)
      for (size_t ky = 0; ky < kSide; ++ky) {
        const auto bytes = hn::LoadU(d8, rows.rows[ky] + offset + v * kLanes);
        const auto levels = hn::ConvertTo(D(), hn::PromoteTo(D32(), bytes));
        HWY_UNROLL(5)
        for (size_t j = 0; j < kSeenBy<kSide, kStep>; ++j) {
          const size_t kx = kFirst + kStep * j;
          if (kx >= kSide) continue;
          sums[j][v] = hn::MulAdd(levels, weights.Of(ky, kx, v), sums[j][v]);
        }
      }
    }
  }
};

#endif

#undef CSSRUN_DEPTHWISE_QUADS
#if CSSRUN_TARGET_VNNI || CSSRUN_TARGET_MAY_HAVE_AVX_VNNI
#define CSSRUN_DEPTHWISE_QUADS 1
#else
#define CSSRUN_DEPTHWISE_QUADS 0
#endif

#if CSSRUN_DEPTHWISE_QUADS || CSSRUN_TARGET_NEON
// What two blocks have, one after the other where a vector holds channels of both.
template <class D>
HWY_INLINE hn::Vec<D> LoadBlocks(D d, const hn::TFromD<D>* from, size_t block_pitch) {
  if constexpr (hn::MaxLanes(D()) <= 8) {
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, hn::LoadU(half, from + block_pitch), hn::LoadU(half, from));
  }
}

// Of a parameter, four lanes of every 16; with `next` 0, of the first 32 alone.
template <class D>
HWY_INLINE hn::Vec<D> LoadEverySixteenth(D d, const float* from, size_t next) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    const size_t pitch = hn::MaxLanes(D()) == 8 ? 16 : next * kLineLanes;
    return hn::Combine(d, LoadEverySixteenth(half, from + pitch, next),
                       LoadEverySixteenth(half, from, next));
  }
}

// What quads of bytes and of 16-bit numbers share.
template <class D32>
struct Quads {
  using D = hn::RebindToFloat<D32>;
  using Sum = hn::Vec<D32>;
  static constexpr size_t kVectors = kGroupVectors;
  using D8 = hn::Repartition<uint8_t, D32>;
  using D16 = hn::Repartition<uint16_t, D32>;

  static HWY_INLINE hn::Vec<D> Parameter(const float* parameter, const GroupChannels& channels,
                                         size_t v) {
    return LoadEverySixteenth(D(), parameter + 4 * v, channels.next);
  }
  static HWY_INLINE Sum Start(const float* start, const GroupChannels& channels, size_t v) {
    if (start == nullptr) return hn::Zero(D32());
    return hn::ConvertTo(D32(), Parameter(start, channels, v));
  }
  static HWY_INLINE hn::Vec<D> AsFloats(Sum sum) { return hn::ConvertTo(D(), sum); }
  // Narrowing twice has brought the channels into order.
  template <class V16>
  static HWY_INLINE void StoreLevels(V16 first, V16 last, uint8_t* to) {
    hn::StoreU(NarrowBlocks(first, last), D8(), to);
  }

  template <size_t kSide, size_t kRow>
  static HWY_INLINE hn::Vec<D8> Row(const GroupRows<kSide>& rows, size_t offset) {
    if constexpr (kRow < kSide) {
      return hn::LoadU(D8(), rows.rows[kRow] + offset);
    } else {
      return hn::Zero(D8());
    }
  }

  // The levels of kernel rows from kRow on at one column: up to four, then zeros.
  template <size_t kSide, size_t kRow>
  static HWY_INLINE void Interleave(const GroupRows<kSide>& rows, size_t offset,
                                    Sum (&quads)[kGroupVectors]) {
    const D8 d8;
    const auto a = Row<kSide, kRow>(rows, offset);
    const auto b = Row<kSide, kRow + 1>(rows, offset);
    const auto c = Row<kSide, kRow + 2>(rows, offset);
    const auto d = Row<kSide, kRow + 3>(rows, offset);
    const auto low_first = hn::BitCast(D16(), hn::InterleaveLower(d8, a, b));
    const auto high_first = hn::BitCast(D16(), hn::InterleaveUpper(d8, a, b));
    const auto low_last = hn::BitCast(D16(), hn::InterleaveLower(d8, c, d));
    const auto high_last = hn::BitCast(D16(), hn::InterleaveUpper(d8, c, d));
    quads[0] = hn::BitCast(D32(), hn::InterleaveLower(D16(), low_first, low_last));
    quads[1] = hn::BitCast(D32(), hn::InterleaveUpper(D16(), low_first, low_last));
    quads[2] = hn::BitCast(D32(), hn::InterleaveLower(D16(), high_first, high_last));
    quads[3] = hn::BitCast(D32(), hn::InterleaveUpper(D16(), high_first, high_last));
  }
};

#endif

#if CSSRUN_DEPTHWISE_QUADS
// Instructions of AVX-512 and, for vectors of 32 bytes and less, of AVX-VNNI.
#if CSSRUN_TARGET_VNNI
#define CSSRUN_VNNI(name, sum, a, b) \
  asm(name " %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "vm"(b.raw))
#else
#define CSSRUN_VNNI(name, sum, a, b) \
  asm("%{vex%} " name " %2, %1, %0" : "+x"(sum.raw) : "x"(a.raw), "xm"(b.raw))
#endif

// Products of bytes: weights of 8 bits.
template <class D32>
struct ByteLanes : Quads<D32> {
  using Base = Quads<D32>;
  using typename Base::Sum;

  template <size_t kSide>
  static constexpr bool kKeepsWeights = kSide == 3 && CSSRUN_TARGET_AVX512;
  template <size_t kSide>
  struct Weights {
    static constexpr size_t kQuadRows = (kSide + kQuad - 1) / kQuad;
    HWY_INLINE Weights(const LevelDepthwise& kernel, const GroupRows<kSide>& rows,
                       const GroupChannels& channels) {
      constexpr size_t kBlock = kQuadRows * kSide * kLineLanes;  // quads
      const auto* from = reinterpret_cast<const int32_t*>(kernel.bytes.get());
      from += channels.block * kBlock + channels.lane / 4;
      for (size_t q = 0; q < kQuadRows; ++q) {
        uint32_t mask = 0;
        for (size_t k = 0; k < kQuad && q * kQuad + k < kSide; ++k) {
          if (rows.inside[q * kQuad + k]) mask |= uint32_t{0xFF} << (8 * k);
        }
        const auto inside = hn::Set(D32(), static_cast<int32_t>(mask));
        for (size_t i = 0; i < kSide * kGroupVectors; ++i) {
          const auto quads =
              LoadBlocks(D32(), from + (q * kSide * kGroupVectors + i) * 8, channels.next * kBlock);
          all[q][i / kGroupVectors][i % kGroupVectors] = hn::And(quads, inside);
        }
      }
    }
    Sum all[kQuadRows][kSide][kGroupVectors];
  };

  template <size_t kSide, size_t kStep, size_t kFirst>
  static HWY_INLINE void AddColumn(const GroupRows<kSide>& rows, size_t offset,
                                   const Weights<kSide>& weights,
                                   Sum (&sums)[kSeenBy<kSide, kStep>][kGroupVectors]) {
    AddQuads<kSide, kStep, kFirst, 0>(rows, offset, weights, sums);
    if constexpr (kSide > kQuad) AddQuads<kSide, kStep, kFirst, 1>(rows, offset, weights, sums);
  }

 private:
  template <size_t kSide, size_t kStep, size_t kFirst, size_t kQuadRow>
  static HWY_INLINE void AddQuads(const GroupRows<kSide>& rows, size_t offset,
                                  const Weights<kSide>& weights,
                                  Sum (&sums)[kSeenBy<kSide, kStep>][kGroupVectors]) {
    Sum quads[kGroupVectors];
    Base::template Interleave<kSide, kQuadRow * kQuad>(rows, offset, quads);
    HWY_UNROLL(5)
    for (size_t j = 0; j < kSeenBy<kSide, kStep>; ++j) {
      const size_t kx = kFirst + kStep * j;
      if (kx >= kSide) continue;
      HWY_UNROLL(4)
      for (size_t v = 0; v < kGroupVectors; ++v) {
        CSSRUN_VNNI("vpdpbusd", sums[j][v], quads[v], weights.all[kQuadRow][kx][v]);
      }
    }
  }
};

// Products of 16 bits, the even rows of a quad and the odd ones.
template <class D32>
struct WordLanes : Quads<D32> {
  using Base = Quads<D32>;
  using typename Base::Sum;

  template <size_t kSide>
  static constexpr bool kKeepsWeights = false;
  template <size_t kSide>
  struct Weights {
    static constexpr size_t kQuadRows = (kSide + kQuad - 1) / kQuad;
    HWY_INLINE Weights(const LevelDepthwise& kernel, const GroupRows<kSide>& rows,
                       const GroupChannels& channels) {
      constexpr size_t kBlock = kQuadRows * 2 * kSide * kLineLanes;  // pairs
      const auto* from = reinterpret_cast<const int32_t*>(kernel.words.get());
      from += channels.block * kBlock + channels.lane / 4;
      for (size_t q = 0; q < 2 * kQuadRows; ++q) {
        const size_t ky = q / 2 * kQuad + q % 2;  // and ky + 2
        uint32_t mask = 0;
        if (ky < kSide && rows.inside[ky]) mask |= 0xFFFF;
        if (ky + 2 < kSide && rows.inside[ky + 2]) mask |= 0xFFFF0000;
        const auto inside = hn::Set(D32(), static_cast<int32_t>(mask));
        for (size_t i = 0; i < kSide * kGroupVectors; ++i) {
          const auto pairs =
              LoadBlocks(D32(), from + (q * kSide * kGroupVectors + i) * 8, channels.next * kBlock);
          all[q][i / kGroupVectors][i % kGroupVectors] = hn::And(pairs, inside);
        }
      }
    }
    Sum all[2 * kQuadRows][kSide][kGroupVectors];
  };

  template <size_t kSide, size_t kStep, size_t kFirst>
  static HWY_INLINE void AddColumn(const GroupRows<kSide>& rows, size_t offset,
                                   const Weights<kSide>& weights,
                                   Sum (&sums)[kSeenBy<kSide, kStep>][kGroupVectors]) {
    AddQuads<kSide, kStep, kFirst, 0>(rows, offset, weights, sums);
    if constexpr (kSide > kQuad) AddQuads<kSide, kStep, kFirst, 1>(rows, offset, weights, sums);
  }

 private:
  template <size_t kSide, size_t kStep, size_t kFirst, size_t kQuadRow>
  static HWY_INLINE void AddQuads(const GroupRows<kSide>& rows, size_t offset,
                                  const Weights<kSide>& weights,
                                  Sum (&sums)[kSeenBy<kSide, kStep>][kGroupVectors]) {
    constexpr size_t kRow = kQuadRow * kQuad;
    const typename Base::D16 d16;
    const auto low = hn::Set(D32(), 0x00FF00FF);
    Sum quads[kGroupVectors];
    Base::template Interleave<kSide, kRow>(rows, offset, quads);
    HWY_UNROLL(4)
    for (size_t v = 0; v < kGroupVectors; ++v) {
      const auto even = hn::And(quads[v], low);
      const auto odd = hn::BitCast(D32(), hn::ShiftRight<8>(hn::BitCast(d16, quads[v])));
      HWY_UNROLL(5)
      for (size_t j = 0; j < kSeenBy<kSide, kStep>; ++j) {
        const size_t kx = kFirst + kStep * j;
        if (kx >= kSide) continue;
        CSSRUN_VNNI("vpdpwssd", sums[j][v], even, weights.all[2 * kQuadRow][kx][v]);
        if (kRow + 1 >= kSide) continue;
        CSSRUN_VNNI("vpdpwssd", sums[j][v], odd, weights.all[2 * kQuadRow + 1][kx][v]);
      }
    }
  }
};
#undef CSSRUN_VNNI
#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_PRODUCTS_INL_H_
