// How LevelDepthwise multiplies on 64-bit ARM: see products-inl.h.
//
// Where the machine HasDotProducts() and weights fit bytes, SDOT adds the products of a column's
// three rows to each sum. It takes signed bytes, so 128 is subtracted from all levels, and the
// starting values of sums make up for it. Elsewhere SMLAL adds products of 16 bits, for half as
// many channels at a time, so that registers hold the weights, too.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_NEON_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_NEON_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_NEON_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_NEON_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"
#include "runtime/integer/kernels/level_depthwise/products-inl.h"
#include "runtime/integer/kernels/neon-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// What NeonBytes subtracts from levels.
constexpr int kShiftOfBytes = 128;

#if CSSRUN_TARGET_NEON

// Products of bytes.
template <class D32>
struct NeonBytes : Quads<D32> {
  using Base = Quads<D32>;
  using typename Base::Sum;

  template <size_t kSide>
  static constexpr bool kKeepsWeights = kSide == 3;
  template <size_t kSide>
  struct Weights {
    static constexpr size_t kQuadRows = (kSide + kQuad - 1) / kQuad;
    HWY_INLINE Weights(const LevelDepthwise& kernel, const GroupRows<kSide>& rows,
                       const GroupChannels& channels) {
      constexpr size_t kBlock = kQuadRows * kSide * kLineLanes * kQuad;
      const int8_t* from = kernel.bytes.get() + channels.block * kBlock + channels.lane;
      for (size_t q = 0; q < kQuadRows; ++q) {
        uint32_t mask = 0;
        for (size_t k = 0; k < kQuad && q * kQuad + k < kSide; ++k) {
          if (rows.inside[q * kQuad + k]) mask |= uint32_t{0xFF} << (8 * k);
        }
        const int8x16_t inside = vreinterpretq_s8_u32(vdupq_n_u32(mask));
        for (size_t kx = 0; kx < kSide; ++kx) {
          for (size_t v = 0; v < kGroupVectors; ++v, from += 2 * sizeof(int8x16_t)) {
            all[q][kx][v] = vandq_s8(vld1q_s8(from), inside);
          }
        }
      }
    }
    int8x16_t all[kQuadRows][kSide][kGroupVectors];
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
    HWY_UNROLL(4)
    for (size_t v = 0; v < kGroupVectors; ++v) {
      const int8x16_t levels =
          veorq_s8(vreinterpretq_s8_s32(quads[v].raw), vdupq_n_s8(-kShiftOfBytes));
      HWY_UNROLL(5)
      for (size_t j = 0; j < kSeenBy<kSide, kStep>; ++j) {
        const size_t kx = kFirst + kStep * j;
        if (kx >= kSide) continue;
        AddDotProducts(levels, weights.all[kQuadRow][kx][v], sums[j][v].raw);
      }
    }
  }
};

// Products of 16 bits, of eight channels.
template <class D32>
struct NeonWords {
  using D = hn::RebindToFloat<D32>;
  using Sum = hn::Vec<D32>;
  static constexpr size_t kVectors = 2;
  static constexpr size_t kChannels = 8;

  static HWY_INLINE hn::Vec<D> Parameter(const float* parameter, const GroupChannels& /*channels*/,
                                         size_t v) {
    return hn::LoadU(D(), parameter + 4 * v);
  }
  static HWY_INLINE Sum Start(const float* start, const GroupChannels& channels, size_t v) {
    if (start == nullptr) return hn::Zero(D32());
    return hn::ConvertTo(D32(), Parameter(start, channels, v));
  }
  static HWY_INLINE hn::Vec<D> AsFloats(Sum sum) { return hn::ConvertTo(D(), sum); }
  template <class V16>
  static HWY_INLINE void StoreLevels(V16 levels, uint8_t* to) {
    vst1_u8(to, vqmovun_s16(levels.raw));
  }

  template <size_t kSide>
  static constexpr bool kKeepsWeights = kSide == 3;
  template <size_t kSide>
  struct Weights {
    static constexpr size_t kQuadRows = (kSide + kQuad - 1) / kQuad;
    HWY_INLINE Weights(const LevelDepthwise& kernel, const GroupRows<kSide>& rows,
                       const GroupChannels& channels) {
      constexpr size_t kBlock = kQuadRows * 2 * kSide * kLineLanes * 2;
      // Eight lanes are two of the places of four that LevelDepthwise::words describes.
      const int16_t* from = kernel.words.get() + channels.block * kBlock + channels.lane / 16 * 8 +
                            channels.lane % 16 * 4;
      for (size_t q = 0; q < 2 * kQuadRows; ++q) {
        const size_t ky = q / 2 * kQuad + q % 2;  // and ky + 2
        for (size_t kx = 0; kx < kSide; ++kx, from += 2 * kLineLanes) {
          const int16x8_t low = vld1q_s16(from);
          const int16x8_t high = vld1q_s16(from + 16);
          if (ky < kSide) Set(rows, ky, kx, vuzp1q_s16(low, high));
          if (ky + 2 < kSide) Set(rows, ky + 2, kx, vuzp2q_s16(low, high));
        }
      }
    }
    HWY_INLINE void Set(const GroupRows<kSide>& rows, size_t ky, size_t kx, int16x8_t weights) {
      all[ky][kx] = rows.inside[ky] ? weights : vdupq_n_s16(0);
    }
    int16x8_t all[kSide][kSide];
  };

  template <size_t kSide, size_t kStep, size_t kFirst>
  static HWY_INLINE void AddColumn(const GroupRows<kSide>& rows, size_t offset,
                                   const Weights<kSide>& weights,
                                   Sum (&sums)[kSeenBy<kSide, kStep>][kVectors]) {
    HWY_UNROLL(5)
    for (size_t ky = 0; ky < kSide; ++ky) {
      const auto levels = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(rows.rows[ky] + offset)));
      HWY_UNROLL(5)
      for (size_t j = 0; j < kSeenBy<kSide, kStep>; ++j) {
        const size_t kx = kFirst + kStep * j;
        if (kx >= kSide) continue;
        const int16x8_t of_tap = weights.all[ky][kx];
        sums[j][0].raw = vmlal_s16(sums[j][0].raw, vget_low_s16(levels), vget_low_s16(of_tap));
        sums[j][1].raw = vmlal_high_s16(sums[j][1].raw, levels, of_tap);
      }
    }
  }
};

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_DEPTHWISE_NEON_INL_H_
