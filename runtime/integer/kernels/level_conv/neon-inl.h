// How LevelConv multiplies on 64-bit ARM: four products of bytes added to each 32-bit sum (SDOT)
// where the machine HasDotProducts(), else products in 16-bit sums (SMLAL), see runs-inl.h.
//
// ARM multiplies signed bytes by signed bytes. Levels up to 127 are signed bytes. If there are
// larger ones, 128 is subtracted from all, and the values that sums start from make up for it
// (StartTile). The runs are valid then, too: if bytes are 0 to L, more than 127, the positive
// weights of a lane add up to 32767 / L at most, and so do the absolute negative ones; the sum is
// then between -32767 and 32767 for all levels from -128 to L - 128.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_NEON_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_NEON_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_NEON_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_NEON_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"
#include "runtime/integer/kernels/neon-inl.h"

// Whether sums are computed in LevelConv::runs.
#undef CSSRUN_TARGET_RUNS
#define CSSRUN_TARGET_RUNS (CSSRUN_TARGET_BYTE_PAIRS || CSSRUN_TARGET_NEON)

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if CSSRUN_TARGET_NEON

// One quad of levels, less `kShift`, in all lanes.
template <int32_t kShift>
HWY_INLINE int8x16_t LoadQuad(const uint8_t* levels) {
  static_assert(kShift == 0 || kShift == 128);
  uint32_t quad;
  std::memcpy(&quad, levels, sizeof(quad));
  uint8x16_t bytes = vreinterpretq_u8_u32(vdupq_n_u32(quad));
  if constexpr (kShift != 0) bytes = veorq_u8(bytes, vdupq_n_u8(kShift));
  return vreinterpretq_s8_u8(bytes);
}

// Four quads of levels, less `kShift`.
template <int32_t kShift>
HWY_INLINE int8x16_t LoadQuads(const uint8_t* levels) {
  uint8x16_t bytes = vld1q_u8(levels);
  if constexpr (kShift != 0) bytes = veorq_u8(bytes, vdupq_n_u8(kShift));
  return vreinterpretq_s8_u8(bytes);
}

template <int32_t kShiftOfLevels>
struct DotProducts {
  static constexpr int32_t kShift = kShiftOfLevels;
  static constexpr size_t kVectors = 4;
  static constexpr bool kSlides = false;
  static constexpr size_t kPositions = 6;  // with four vectors of weights, what registers hold
  static constexpr bool kTakesBoth = false;
  using D = hn::CappedTag<int32_t, 4>;
  using Sum = hn::Vec<D>;
  using Levels = int8x16_t;

  static HWY_INLINE Levels Load(const uint8_t* levels) { return LoadQuad<kShift>(levels); }
  static HWY_INLINE Levels LoadWeights(const int8_t* weights, size_t v) {
    return vld1q_s8(weights + v * sizeof(Levels));
  }
  static HWY_INLINE void Add(Levels levels, Levels weights, Sum& sum) {
    AddDotProducts(levels, weights, sum.raw);
  }
  static HWY_INLINE Sum Start(const int32_t* start, size_t v) {
    return hn::LoadU(D(), start + v * hn::Lanes(D()));
  }
  static HWY_INLINE Sum Finish(const Sum* sums, size_t v) { return sums[v]; }
};

template <class P>
constexpr bool kTakesFourQuads = false;
template <int32_t kShift>
constexpr bool kTakesFourQuads<DotProducts<kShift>> = true;

// Adds quad `kQuadOfFour` of the levels of `kPositions` columns.
template <class P, size_t kPositions, int kQuadOfFour>
HWY_INLINE void AddQuadOfFour(const int8x16_t (&levels)[kPositions],
                              const int8_t* HWY_RESTRICT weights, typename P::Sum* sums) {
  HWY_UNROLL(4)
  for (size_t v = 0; v < P::kVectors; ++v) {
    const auto of_targets = P::LoadWeights(weights, v);
    HWY_UNROLL(6)
    for (size_t p = 0; p < kPositions; ++p) {
      AddDotProductsOfLane<kQuadOfFour>(of_targets, levels[p], sums[p * P::kVectors + v].raw);
    }
  }
}

// AddTap() that loads a vector of levels for four quads of them.
template <size_t kPositions, class P>
HWY_INLINE void AddTapByFours(const Taps& taps, const uint8_t* HWY_RESTRICT levels,
                              const int8_t* HWY_RESTRICT weights, typename P::Sum* sums) {
  const uint8_t* of_columns[kPositions];
  HWY_UNROLL(6)
  for (size_t p = 0; p < kPositions; ++p) of_columns[p] = levels + p * taps.position_pitch;
  const size_t pitch = taps.targets * kQuad;
  size_t q = 0;
  for (; q + 4 <= taps.quads; q += 4, weights += 4 * pitch) {
    int8x16_t quads[kPositions];
    HWY_UNROLL(6)
    for (size_t p = 0; p < kPositions; ++p) {
      quads[p] = LoadQuads<P::kShift>(of_columns[p]);
      of_columns[p] += 4 * kQuad;
    }
    AddQuadOfFour<P, kPositions, 0>(quads, weights, sums);
    AddQuadOfFour<P, kPositions, 1>(quads, weights + pitch, sums);
    AddQuadOfFour<P, kPositions, 2>(quads, weights + 2 * pitch, sums);
    AddQuadOfFour<P, kPositions, 3>(quads, weights + 3 * pitch, sums);
  }
  const Taps rest{taps.quads - q, taps.targets, taps.position_pitch};
  Ahead nothing{weights, 0};
  AddTap<kPositions, kTileTargets, P>(rest, levels + q * kQuad, weights, nothing, sums);
}

template <int32_t kShiftOfLevels>
struct NeonRuns {
  static constexpr int32_t kShift = kShiftOfLevels;
  static constexpr bool kSlides = false;
  static constexpr bool kTakesBoth = false;
  static constexpr size_t kPositions = 3;  // 24 sums of 32 registers
};
using ByteRuns = NeonRuns<0>;
template <class P>
constexpr bool kSumsRuns = false;
template <int32_t kShift>
constexpr bool kSumsRuns<NeonRuns<kShift>> = true;

// The 16-bit sums of `kPositions` columns of kTileTargets targets, one for each level of a quad.
template <class P, size_t kPositions>
struct RunSums {
  static constexpr size_t kVectors = 4;  // of weights, of four targets each

  HWY_INLINE RunSums() { Clear(); }
  HWY_INLINE void Clear() {
    HWY_UNROLL(12)
    for (size_t k = 0; k < kPositions * kVectors; ++k) low[k] = high[k] = vdupq_n_s16(0);
  }
  // Adds some quads.
  HWY_INLINE void Add(const Taps& taps, size_t quads, const uint8_t* HWY_RESTRICT levels,
                      const int8_t* HWY_RESTRICT weights) {
    const uint8_t* of_columns[kPositions];
    HWY_UNROLL(3)
    for (size_t p = 0; p < kPositions; ++p) of_columns[p] = levels + p * taps.position_pitch;
    for (size_t q = 0; q < quads; ++q, weights += taps.targets * kQuad) {
      int8x16_t quad[kPositions];
      HWY_UNROLL(3)
      for (size_t p = 0; p < kPositions; ++p) {
        quad[p] = LoadQuad<P::kShift>(of_columns[p]);
        of_columns[p] += kQuad;
      }
      HWY_UNROLL(4)
      for (size_t v = 0; v < kVectors; ++v) {
        const int8x16_t of_targets = vld1q_s8(weights + v * sizeof(int8x16_t));
        HWY_UNROLL(3)
        for (size_t p = 0; p < kPositions; ++p) {
          const size_t k = p * kVectors + v;
          low[k] = vmlal_s8(low[k], vget_low_s8(of_targets), vget_low_s8(quad[p]));
          high[k] = vmlal_high_s8(high[k], of_targets, quad[p]);
        }
      }
    }
  }
  // Adds these sums to the 32-bit sums, [column][target]. Two of them fit 16 bits together.
  HWY_INLINE void MoveTo(int32_t* HWY_RESTRICT sums) {
    HWY_UNROLL(12)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      vst1q_s32(sums + 4 * k, vpadalq_s16(vld1q_s32(sums + 4 * k), vpaddq_s16(low[k], high[k])));
    }
    Clear();
  }

  int16x8_t low[kPositions * kVectors];   // [column][two targets][level of a quad]
  int16x8_t high[kPositions * kVectors];  // the other two
};

// Adds quads whose pairs of products do not fit 16 bits directly to the 32-bit sums.
template <class P, size_t kPositions>
HWY_NOINLINE void AddWideRun(const Taps& taps, size_t quads, const uint8_t* HWY_RESTRICT levels,
                             const int8_t* HWY_RESTRICT weights, int32_t* HWY_RESTRICT sums) {
  for (size_t q = 0; q < quads; ++q, weights += taps.targets * kQuad, levels += kQuad) {
    for (size_t p = 0; p < kPositions; ++p) {
      const int8x16_t quad = LoadQuad<P::kShift>(levels + p * taps.position_pitch);
      HWY_UNROLL(4)
      for (size_t v = 0; v < RunSums<P, kPositions>::kVectors; ++v) {
        const int8x16_t of_targets = vld1q_s8(weights + v * sizeof(int8x16_t));
        const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(of_targets), vget_low_s8(quad)));
        const int32x4_t high = vpaddlq_s16(vmull_high_s8(of_targets, quad));
        int32_t* to = sums + p * kTileTargets + 4 * v;
        vst1q_s32(to, vaddq_s32(vld1q_s32(to), vpaddq_s32(low, high)));
      }
    }
  }
}

// If 16 bits hold few products, those of two quads go to 32 bits at once, in registers. Any two
// fit: levels are -128 to 127, and weights -127 to 127.
template <int32_t kShiftOfLevels>
struct NeonPairs {
  static constexpr int32_t kShift = kShiftOfLevels;
  static constexpr bool kSlides = false;
  static constexpr bool kTakesBoth = false;
  static constexpr size_t kPositions = 2;  // 16 sums of 32 registers
};

template <class P>
constexpr bool kSumsShortRuns = false;
template <int32_t kShift>
constexpr bool kSumsShortRuns<NeonPairs<kShift>> = true;

// The 32-bit sums of `kPositions` columns of kTileTargets targets, two for each, without their
// starting values.
template <class P, size_t kPositions>
struct ShortRunSums {
  static constexpr size_t kVectors = 4;  // of weights, of four targets each

  explicit HWY_INLINE ShortRunSums(const int32_t* /*from*/) {
    HWY_UNROLL(8)
    for (size_t k = 0; k < kPositions * kVectors; ++k) low[k] = high[k] = vdupq_n_s32(0);
  }
  // Adds kTwo ? 2 : 1 quads.
  template <bool kTwo>
  HWY_INLINE void AddQuads(const uint8_t* const (&levels)[kPositions],
                           const int8_t* HWY_RESTRICT weights, size_t pitch) {
    int8x16_t first[kPositions];
    int8x16_t second[kPositions];
    HWY_UNROLL(2)
    for (size_t p = 0; p < kPositions; ++p) {
      first[p] = LoadQuad<P::kShift>(levels[p]);
      if constexpr (kTwo) second[p] = LoadQuad<P::kShift>(levels[p] + kQuad);
    }
    HWY_UNROLL(4)
    for (size_t v = 0; v < kVectors; ++v) {
      const int8x16_t of_first = vld1q_s8(weights + v * sizeof(int8x16_t));
      const int8x16_t of_second = vld1q_s8(weights + (kTwo ? pitch : 0) + v * sizeof(int8x16_t));
      HWY_UNROLL(2)
      for (size_t p = 0; p < kPositions; ++p) {
        int16x8_t a = vmull_s8(vget_low_s8(of_first), vget_low_s8(first[p]));
        int16x8_t b = vmull_high_s8(of_first, first[p]);
        if constexpr (kTwo) {
          a = vmlal_s8(a, vget_low_s8(of_second), vget_low_s8(second[p]));
          b = vmlal_high_s8(b, of_second, second[p]);
        }
        const size_t k = p * kVectors + v;
        low[k] = vpadalq_s16(low[k], a);
        high[k] = vpadalq_s16(high[k], b);
      }
    }
  }
  // Adds what one tap reads, regardless of the runs.
  HWY_INLINE const uint16_t* AddRuns(const Taps& taps, const uint8_t* HWY_RESTRICT levels,
                                     const int8_t* HWY_RESTRICT weights, const uint16_t* runs) {
    const uint8_t* of_columns[kPositions];
    HWY_UNROLL(2)
    for (size_t p = 0; p < kPositions; ++p) of_columns[p] = levels + p * taps.position_pitch;
    const size_t pitch = taps.targets * kQuad;
    for (size_t q = 0; q + 2 <= taps.quads; q += 2, weights += 2 * pitch) {
      AddQuads<true>(of_columns, weights, pitch);
      HWY_UNROLL(2)
      for (size_t p = 0; p < kPositions; ++p) of_columns[p] += 2 * kQuad;
    }
    if (taps.quads % 2 != 0) AddQuads<false>(of_columns, weights, pitch);
    return runs;
  }
  // Adds these sums to those in memory, [column][target].
  HWY_INLINE void MoveTo(int32_t* HWY_RESTRICT sums) const {
    HWY_UNROLL(8)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      vst1q_s32(sums + 4 * k, vaddq_s32(vld1q_s32(sums + 4 * k), vpaddq_s32(low[k], high[k])));
    }
  }

  int32x4_t low[kPositions * kVectors];   // [column][two targets][two levels of a quad]
  int32x4_t high[kPositions * kVectors];  // the other two
};

// Whether the runs of a kernel take longer than pairs. Instructions per quad, for 16 targets and a
// column:
//
//     runs     8, 24 for each run that is full; 36 where it is wide
//     pairs    12
inline bool PrefersPairs(const LevelConv& kernel) {
  if (kernel.planes != 1 || kernel.smallest_weight < -127) return false;
  constexpr size_t kMost = 1024;
  size_t by_runs = 0;
  size_t by_pairs = 0;
  for (const uint16_t run : std::span(kernel.runs).first(std::min(kernel.runs.size(), kMost))) {
    const size_t quads = run & kRunQuads;
    by_runs += quads * ((run & kWideRun) != 0 ? 36 : 8) + ((run & kFullRun) != 0 ? 24 : 0);
    by_pairs += quads * 12;
  }
  return by_pairs < by_runs;
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_NEON_INL_H_
