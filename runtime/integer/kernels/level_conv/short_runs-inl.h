// How LevelConv multiplies on x86 without VNNI where 16 bits hold few products: levels of 8 bits.
//
// Runs of a quad or two (runs-inl.h) would spend most of their time on 32-bit sums in memory. Here
// each quad's products go to 32 bits at once, and the sums of fewer columns are in registers.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_SHORT_RUNS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_SHORT_RUNS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_SHORT_RUNS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_SHORT_RUNS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "hwy/highway.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"
#include "runtime/integer/kernels/level_conv/runs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if CSSRUN_TARGET_BYTE_PAIRS

struct ShortByteRuns : ByteRuns {
  // As many as registers allow.
  static constexpr size_t kPositions = kTargetsOfVector == 16 ? 16 : kTargetsOfVector == 8 ? 5 : 2;
};

// Whether the runs of a kernel take longer with sums in memory. Instructions per quad, for 16
// targets and a column:
//
//     sums in memory       2 for its products, 4 for each run that is full; 7 where it is wide
//     sums in registers    3 for its products; 5 where it is wide
//
// Called once per layer and image, so it looks at some of the runs only.
inline bool HasShortRuns(const LevelConv& kernel) {
  if (kernel.planes != 1) return false;
  constexpr size_t kMost = 1024;
  size_t in_memory = 0;
  size_t in_registers = 0;
  for (const uint16_t run : std::span(kernel.runs).first(std::min(kernel.runs.size(), kMost))) {
    const size_t quads = run & kRunQuads;
    const bool wide = (run & kWideRun) != 0;
    in_memory += quads * (wide ? 7 : 2) + ((run & kFullRun) != 0 ? 4 : 0);
    in_registers += quads * (wide ? 5 : 3);
  }
  return in_registers < in_memory;
}

template <class P>
constexpr bool kSumsShortRuns = std::is_same_v<P, ShortByteRuns>;

// The 32-bit sums of `kPositions` columns of kTileTargets targets.
template <class P, size_t kPositions>
struct ShortRunSums {
  static constexpr size_t kVectors = kTileTargets / P::kTargetsOfVector;

  // Starts from sums in memory, [column][target].
  explicit HWY_INLINE ShortRunSums(const int32_t* HWY_RESTRICT from) {
    HWY_UNROLL(16)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      sums[k] = hn::Load(typename P::D(), from + k * P::kTargetsOfVector);
    }
  }
  HWY_INLINE void MoveTo(int32_t* HWY_RESTRICT to) const {
    HWY_UNROLL(16)
    for (size_t k = 0; k < kPositions * kVectors; ++k) {
      hn::Store(sums[k], typename P::D(), to + k * P::kTargetsOfVector);
    }
  }

  // Adds some quads.
  HWY_INLINE void Add(const Taps& taps, size_t quads, const uint8_t* HWY_RESTRICT levels,
                      const int8_t* HWY_RESTRICT weights) {
    ColumnPitches pitches(taps.position_pitch);
    const uint8_t* bases[] = {levels, levels + 8 * taps.position_pitch};
    const auto one = hn::Set(typename P::D16(), int16_t{1});
    for (size_t q = 0; q < quads; ++q, weights += taps.targets * kQuad) {
      pitches.Hide();
      typename P::V of_targets[kVectors];
      HWY_UNROLL(4)
      for (size_t v = 0; v < kVectors; ++v) of_targets[v] = P::LoadWeights(weights, v);
      HWY_UNROLL(16)
      for (size_t p = 0; p < kPositions; ++p) {
        const auto quad = P::Load(pitches.Of(p, bases));
        HWY_UNROLL(4)
        for (size_t v = 0; v < kVectors; ++v) {
          const auto products = P::PairSums(P::Products(quad, of_targets[v]), one);
          sums[p * kVectors + v] = hn::Add(sums[p * kVectors + v], products);
        }
      }
      bases[0] += kQuad;
      bases[1] += kQuad;
    }
  }
  // Adds quads whose pairs of products do not fit 16 bits.
  HWY_INLINE void AddWide(const Taps& taps, size_t quads, const uint8_t* HWY_RESTRICT levels,
                          const int8_t* HWY_RESTRICT weights) {
    ColumnPitches pitches(taps.position_pitch);
    const uint8_t* bases[] = {levels, levels + 8 * taps.position_pitch};
    for (size_t q = 0; q < quads; ++q, weights += taps.targets * kQuad) {
      pitches.Hide();
      typename P::V16 even[kVectors];
      typename P::V16 odd[kVectors];
      HWY_UNROLL(4)
      for (size_t v = 0; v < kVectors; ++v) {
        const auto of_targets = P::LoadWeights(weights, v);
        even[v] = P::EvenWeights(of_targets);
        odd[v] = P::OddWeights(of_targets);
      }
      HWY_UNROLL(16)
      for (size_t p = 0; p < kPositions; ++p) {
        const auto quad = P::Load(pitches.Of(p, bases));
        const auto even_levels = P::EvenLevels(quad);
        const auto odd_levels = P::OddLevels(quad);
        HWY_UNROLL(4)
        for (size_t v = 0; v < kVectors; ++v) {
          typename P::V& sum = sums[p * kVectors + v];
          sum = hn::Add(sum, P::PairSums(even_levels, even[v]));
          sum = hn::Add(sum, P::PairSums(odd_levels, odd[v]));
        }
      }
      bases[0] += kQuad;
      bases[1] += kQuad;
    }
  }

  // Adds what one tap reads, in the runs that begin at `runs`. Returns where the next tap's begin.
  HWY_INLINE const uint16_t* AddRuns(const Taps& taps, const uint8_t* HWY_RESTRICT levels,
                                     const int8_t* HWY_RESTRICT weights, const uint16_t* runs) {
    for (size_t q = 0; q < taps.quads;) {
      const uint16_t run = *runs++;
      const size_t quads = run & kRunQuads;
      if (HWY_LIKELY((run & kWideRun) == 0)) {
        Add(taps, quads, levels, weights);
      } else {
        AddWide(taps, quads, levels, weights);
      }
      q += quads;
      levels += quads * kQuad;
      weights += quads * taps.targets * kQuad;
    }
    return runs;
  }

  typename P::V sums[kPositions * kVectors];
};

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_SHORT_RUNS_INL_H_
