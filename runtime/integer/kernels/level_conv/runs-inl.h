// How LevelConv multiplies on machines that cannot add four products of bytes at once: products of
// bytes in 16-bit sums. This is x86's vpmaddubsw, which adds two products in 16 bits; neon-inl.h
// has ARM's SMLAL.
//
// A layer's weights decide how many products fit, whatever the levels: those of a run of quads in
// LevelConv::runs. Only after a run do the sums go to 32 bits, which takes as long as a quad. The
// 32-bit sums are in memory, so that all registers hold 16-bit sums.
//
//     16 bits    [column][target][levels 0 and 1 of the quads, 2 and 3]
//     32 bits    [column][target]
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_RUNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_RUNS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_RUNS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_RUNS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/neon-inl.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if CSSRUN_TARGET_BYTE_PAIRS

struct ByteRuns : ByteQuads<hn::CappedTag<int32_t, kTileTargets>> {
  using D16 = hn::Repartition<int16_t, D>;
  using V = hn::Vec<D>;
  using V16 = hn::Vec<D16>;
  static constexpr bool kSlides = false;
  static constexpr bool kTakesBoth = false;
  static constexpr size_t kTargetsOfVector = hn::MaxLanes(D());
  // As many as registers allow.
  static constexpr size_t kPositions = kTargetsOfVector == 16 ? 16 : kTargetsOfVector == 8 ? 6 : 3;

  // The products of bytes 0 and 1, and of bytes 2 and 3, added: saturated to 16 bits.
  static HWY_INLINE V16 Products(V levels, V weights) {
#if HWY_TARGET <= HWY_AVX3
    return V16{_mm512_maddubs_epi16(levels.raw, weights.raw)};
#elif HWY_TARGET <= HWY_AVX2
    return V16{_mm256_maddubs_epi16(levels.raw, weights.raw)};
#else
    return V16{_mm_maddubs_epi16(levels.raw, weights.raw)};
#endif
  }
  // Products of 16 bits, of lanes 0 and 1, 2 and 3, ... added.
  static HWY_INLINE V PairSums(V16 a, V16 b) {
#if HWY_TARGET <= HWY_AVX3
    return V{_mm512_madd_epi16(a.raw, b.raw)};
#elif HWY_TARGET <= HWY_AVX2
    return V{_mm256_madd_epi16(a.raw, b.raw)};
#else
    return V{_mm_madd_epi16(a.raw, b.raw)};
#endif
  }

  // Bytes 0 and 2 of each quad in 16 bits, and 1 and 3.
  static HWY_INLINE V16 EvenLevels(V levels) {
    return hn::And(hn::BitCast(D16(), levels), hn::Set(D16(), int16_t{0xFF}));
  }
  static HWY_INLINE V16 OddLevels(V levels) {
    const hn::RebindToUnsigned<D16> d;
    return hn::BitCast(D16(), hn::ShiftRight<8>(hn::BitCast(d, levels)));
  }
  static HWY_INLINE V16 EvenWeights(V weights) {
    return hn::ShiftRight<8>(hn::ShiftLeft<8>(hn::BitCast(D16(), weights)));
  }
  static HWY_INLINE V16 OddWeights(V weights) {
    return hn::ShiftRight<8>(hn::BitCast(D16(), weights));
  }
};

template <class P>
constexpr bool kSumsRuns = std::is_same_v<P, ByteRuns>;

// The 16-bit sums of `kPositions` columns of kTileTargets targets, which become 32-bit sums.
template <class P, size_t kPositions>
struct RunSums {
  static_assert(std::is_same_v<P, ByteRuns>);
  static constexpr size_t kVectors = kTileTargets / ByteRuns::kTargetsOfVector;

  HWY_INLINE RunSums() { Clear(); }
  HWY_INLINE void Clear() {
    HWY_UNROLL(16)
    for (size_t k = 0; k < kPositions * kVectors; ++k) run[k] = hn::Zero(ByteRuns::D16());
  }
  // Adds some quads.
  HWY_INLINE void Add(const Taps& taps, size_t quads, const uint8_t* HWY_RESTRICT levels,
                      const int8_t* HWY_RESTRICT weights) {
    ColumnPitches pitches(taps.position_pitch);
    const uint8_t* bases[] = {levels, levels + 8 * taps.position_pitch};
    for (size_t q = 0; q < quads; ++q, weights += taps.targets * kQuad) {
      pitches.Hide();
      ByteRuns::V of_targets[kVectors];
      HWY_UNROLL(4)
      for (size_t v = 0; v < kVectors; ++v) of_targets[v] = ByteRuns::LoadWeights(weights, v);
      HWY_UNROLL(16)
      for (size_t p = 0; p < kPositions; ++p) {
        const auto quad = ByteRuns::Load(pitches.Of(p, bases));
        HWY_UNROLL(4)
        for (size_t v = 0; v < kVectors; ++v) {
          const auto products = ByteRuns::Products(quad, of_targets[v]);
          run[p * kVectors + v] = hn::Add(run[p * kVectors + v], products);
        }
      }
      bases[0] += kQuad;
      bases[1] += kQuad;
    }
  }
  // Adds these sums to the 32-bit sums, [column][target].
  HWY_INLINE void MoveTo(int32_t* HWY_RESTRICT sums) {
    const ByteRuns::D d;
    const auto one = hn::Set(ByteRuns::D16(), int16_t{1});
    HWY_UNROLL(16)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      int32_t* to = sums + k * ByteRuns::kTargetsOfVector;
      hn::Store(hn::Add(hn::Load(d, to), ByteRuns::PairSums(run[k], one)), d, to);
    }
    Clear();
  }

  ByteRuns::V16 run[kPositions * kVectors];
};

// Adds quads whose pairs of products do not fit 16 bits directly to the 32-bit sums.
template <class P, size_t kPositions>
HWY_NOINLINE void AddWideRun(const Taps& taps, size_t quads, const uint8_t* HWY_RESTRICT levels,
                             const int8_t* HWY_RESTRICT weights, int32_t* HWY_RESTRICT sums) {
  const ByteRuns::D d;
  constexpr size_t kTargetsOfVector = ByteRuns::kTargetsOfVector;
  for (size_t q = 0; q < quads; ++q, weights += taps.targets * kQuad, levels += kQuad) {
    for (size_t v = 0; v * kTargetsOfVector < kTileTargets; ++v) {
      const auto of_targets = ByteRuns::LoadWeights(weights, v);
      const auto even = ByteRuns::EvenWeights(of_targets);
      const auto odd = ByteRuns::OddWeights(of_targets);
      HWY_UNROLL(16)
      for (size_t p = 0; p < kPositions; ++p) {
        const auto quad = ByteRuns::Load(levels + p * taps.position_pitch);
        int32_t* to = sums + p * kTileTargets + v * kTargetsOfVector;
        const auto first = ByteRuns::PairSums(ByteRuns::EvenLevels(quad), even);
        const auto second = ByteRuns::PairSums(ByteRuns::OddLevels(quad), odd);
        hn::Store(hn::Add(hn::Load(d, to), hn::Add(first, second)), d, to);
      }
    }
  }
}

#endif

#if CSSRUN_TARGET_RUNS
// Adds what one tap reads, in the runs that begin at `runs`. Returns where the next tap's begin.
template <class P, size_t kPositions>
HWY_INLINE const uint16_t* AddRuns(const Taps& taps, const uint8_t* HWY_RESTRICT levels,
                                   const int8_t* HWY_RESTRICT weights, const uint16_t* runs,
                                   RunSums<P, kPositions>& run_sums, int32_t* HWY_RESTRICT sums) {
  for (size_t q = 0; q < taps.quads;) {
    const uint16_t run = *runs++;
    const size_t quads = run & kRunQuads;
    if (HWY_LIKELY((run & kWideRun) == 0)) {
      run_sums.Add(taps, quads, levels, weights);
    } else {
      AddWideRun<P, kPositions>(taps, quads, levels, weights, sums);
    }
    if ((run & kFullRun) != 0) run_sums.MoveTo(sums);
    q += quads;
    levels += quads * kQuad;
    weights += quads * taps.targets * kQuad;
  }
  return runs;
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_RUNS_INL_H_
