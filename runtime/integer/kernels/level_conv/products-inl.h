// How LevelConv multiplies: the products of each instruction set, and the taps of a kernel row.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PRODUCTS_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PRODUCTS_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PRODUCTS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Taps of a kernel row that share their levels if they are one target column apart.
constexpr size_t kSlidingTaps = 3;

#if HWY_TARGET != HWY_SCALAR

// Quads of bytes, each in a lane of 32 bits of `D`.
template <class D32>
struct ByteQuads {
  using D = D32;
  using D8 = hn::Repartition<int8_t, D>;
  using Levels = hn::Vec<D>;
  static constexpr int32_t kShift = 0;  // subtracted from levels before multiplying

  // One quad of levels in all lanes.
  static HWY_INLINE Levels Load(const uint8_t* levels) {
    int32_t quad;
    std::memcpy(&quad, levels, sizeof(quad));
    return hn::Set(D(), quad);
  }
  // The weights of vector `v` of targets.
  static HWY_INLINE Levels LoadWeights(const int8_t* weights, size_t v) {
    return hn::BitCast(D(), hn::Load(D8(), weights + v * hn::MaxLanes(D8())));
  }
};

#if CSSRUN_TARGET_VNNI
constexpr const char* kVariant = "8-bit products (VNNI)";

// Bytes times bytes, four products added to each 32-bit sum at once.
struct Products : ByteQuads<hn::CappedTag<int32_t, kTileTargets>> {
  static constexpr size_t kVectors = 1;     // of sums, for kTileTargets targets
  static constexpr bool kSlides = true;     // there are registers for the weights of three taps
  static constexpr size_t kPositions = 16;  // at a time: so many sums hide the latency
  static constexpr bool kTakesBoth = true;  // 16 targets or 32 at a time
  using Sum = Levels;

  // Highway 1.0 has no name for this instruction, which all machines of this target have.
  static HWY_INLINE void Add(Levels levels, Levels weights, Sum& sum) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(levels.raw), "v"(weights.raw));
  }
  static HWY_INLINE Sum Start(const int32_t* start, size_t v) {
    return hn::LoadU(D(), start + v * kTileTargets);
  }
  static HWY_INLINE Sum Finish(const Sum* sums, size_t v) { return sums[v]; }
};
#else
constexpr const char* kVariant = "16-bit pairs";

// Pairs of 16 bits, with two sums for each target until everything is added.
struct Products {
  using D16 = hn::CappedTag<int16_t, kLineLanes>;
  using D = hn::RepartitionToWide<D16>;
  using Sum = hn::Vec<D>;
  using Levels = hn::Vec<D16>;
  static constexpr int32_t kShift = 0;
  static constexpr size_t kLanes = hn::MaxLanes(D16());
  static constexpr size_t kVectors = size_t{kTileTargets} * kQuad / kLanes;
  static constexpr bool kSlides = false;
  // As many as registers allow.
  static constexpr size_t kPositions = kLanes == 32 ? 8 : kLanes == 16 ? 2 : 1;
  static constexpr bool kTakesBoth = kLanes > 8;

  static HWY_INLINE Levels Load(const uint8_t* levels) {
    uint32_t quad;
    std::memcpy(&quad, levels, sizeof(quad));
    uint64_t wide = (quad | uint64_t{quad} << 16) & 0x0000FFFF0000FFFF;
    wide = (wide | wide << 8) & 0x00FF00FF00FF00FF;
    return hn::BitCast(D16(), hn::Set(hn::Repartition<uint64_t, D16>(), wide));
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
  // Of a target's two sums, the first begins with `start`.
  static HWY_INLINE Sum Start(const int32_t* start, size_t v) {
    const hn::Repartition<uint64_t, D> d64;
    const hn::Rebind<uint32_t, decltype(d64)> half;
    const auto* from = reinterpret_cast<const uint32_t*>(start) + v * hn::MaxLanes(half);
    return hn::BitCast(D(), hn::PromoteTo(d64, hn::LoadU(half, from)));
  }
  static HWY_INLINE Sum Finish(const Sum* sums, size_t v) {
    const D d;
    return hn::Add(hn::ConcatEven(d, sums[2 * v + 1], sums[2 * v]),
                   hn::ConcatOdd(d, sums[2 * v + 1], sums[2 * v]));
  }
};
#endif

#if CSSRUN_TARGET_MAY_HAVE_AVX_VNNI
// The same as with VNNI, on machines that HasAvxVnni().
struct VexProducts : ByteQuads<hn::CappedTag<int32_t, 8>> {
  static constexpr size_t kVectors = 2;
  static constexpr bool kSlides = false;
  static constexpr size_t kPositions = 6;
  static constexpr bool kTakesBoth = false;
  using Sum = Levels;

  // Without the prefix, assemblers take the instruction of AVX-512.
  static HWY_INLINE void Add(Levels levels, Levels weights, Sum& sum) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.raw) : "x"(levels.raw), "x"(weights.raw));
  }
  static HWY_INLINE Sum Start(const int32_t* start, size_t v) {
    return hn::LoadU(D(), start + v * hn::Lanes(D()));
  }
  static HWY_INLINE Sum Finish(const Sum* sums, size_t v) { return sums[v]; }
};
#endif

// Where the levels of up to 16 neighbouring columns are. Every address is one that an instruction
// can form by itself: a base plus 1, 2 or 4 times a register. By itself, GCC keeps an offset for
// each column, in more registers than there are.
struct ColumnPitches {
  explicit HWY_INLINE ColumnPitches(size_t pitch)
      : one(pitch), three(3 * pitch), five(5 * pitch), seven(7 * pitch) {}
  // Keeps the compiler from moving multiples out of the loop.
  HWY_INLINE void Hide() {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
    asm("" : "+r"(one), "+r"(three), "+r"(five), "+r"(seven));
#endif
  }
  // `bases` are those of every eighth column.
  HWY_INLINE const uint8_t* Of(size_t column, const uint8_t* const* bases) const {
    const uint8_t* from = bases[column / 8];
    switch (column % 8) {
      case 0:
        return from;
      case 1:
        return from + one;
      case 2:
        return from + 2 * one;
      case 3:
        return from + three;
      case 4:
        return from + 4 * one;
      case 5:
        return from + five;
      case 6:
        return from + 2 * three;
      default:
        return from + seven;
    }
  }
  size_t one, three, five, seven;
};

// What a tap reads: `quads` quads of levels for each target column, `position_pitch` bytes apart,
// and weights for `targets` targets.
struct Taps {
  size_t quads = 0;
  size_t targets = 0;
  size_t position_pitch = 0;
};

// Weights to prefetch into the second-level cache meanwhile (WeightsAhead): `of_quad` bytes with
// each quad, one cache line or, if few columns share a quad, two.
struct Ahead {
  template <size_t kPositions>
  HWY_INLINE void Ask() {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
    constexpr size_t kLine = 64;
    __builtin_prefetch(from, 0, 2);
    if (kPositions <= 2) __builtin_prefetch(from + kLine, 0, 2);
#endif
    from += of_quad;
  }
  const int8_t* from;
  size_t of_quad;
};

// Additional sums of the same targets, added at the end. For few sums, because each addition would
// wait for the one before: a product takes 4 or 5 cycles on Zen, and two can begin in each.
template <class P, size_t kSums, size_t kMore>
struct MoreSums {
  static constexpr size_t kAll = kMore * kSums;

  // Written out, because one that the compiler makes would not be of this instruction set.
  HWY_INLINE MoreSums() {
    HWY_UNROLL(16)
    for (size_t k = 0; k < kAll; ++k) sums[k] = hn::Zero(typename P::D());
  }
  HWY_INLINE void AddTo(typename P::Sum* to) const {
    HWY_UNROLL(16)
    for (size_t k = 0; k < kAll; ++k) to[k % kSums] = hn::Add(to[k % kSums], sums[k]);
  }
  // Sum `k` of chain `chain`; the first one is `first`.
  HWY_INLINE typename P::Sum& Of(size_t chain, size_t k, typename P::Sum* first) {
    return chain == 0 ? first[k] : sums[(chain - 1) * kSums + k];
  }

  typename P::Sum sums[std::max<size_t>(kAll, 1)];
};

// Adds the levels of one tap to the sums of `kPositions` columns.
template <size_t kPositions, size_t kTargets, class P = Products>
HWY_INLINE void AddTap(const Taps& taps, const uint8_t* HWY_RESTRICT levels,
                       const int8_t* HWY_RESTRICT weights, Ahead& ahead, typename P::Sum* sums) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  constexpr size_t kSums = kPositions * kVectors;
  constexpr size_t kMore = kSums <= 2 ? 3 : kSums <= 4 ? 1 : 0;
  ColumnPitches pitches(taps.position_pitch);
  const uint8_t* bases[] = {levels, levels + 8 * taps.position_pitch};
  // A constant if tiles of 32 targets are computed whole.
  const size_t quad_size = (P::kTakesBoth ? kTargets : taps.targets) * kQuad;
  const int8_t* const end = weights + taps.quads * quad_size;
  // A separate loop: with a function that adds a quad for both loops, GCC 12 made ResNet-50 a fifth
  // slower.
  if constexpr (kMore > 0) {
    MoreSums<P, kSums, kMore> more;
    const size_t together = (kMore + 1) * quad_size;
    for (; static_cast<size_t>(end - weights) >= together; weights += together) {
      HWY_UNROLL(4)
      for (size_t chain = 0; chain <= kMore; ++chain) {
        ahead.Ask<kPositions>();
        HWY_UNROLL(4)
        for (size_t p = 0; p < kPositions; ++p) {
          const auto quad = P::Load(levels + p * taps.position_pitch + chain * kQuad);
          HWY_UNROLL(8)
          for (size_t v = 0; v < kVectors; ++v) {
            P::Add(quad, P::LoadWeights(weights + chain * quad_size, v),
                   more.Of(chain, p * kVectors + v, sums));
          }
        }
      }
      levels += (kMore + 1) * kQuad;
    }
    more.AddTo(sums);
    bases[0] = levels;
  }
  for (; weights != end; weights += quad_size) {
    pitches.Hide();
    ahead.Ask<kPositions>();
    typename P::Levels of_targets[kVectors];
    HWY_UNROLL(8)
    for (size_t v = 0; v < kVectors; ++v) of_targets[v] = P::LoadWeights(weights, v);
    HWY_UNROLL(16)
    for (size_t p = 0; p < kPositions; ++p) {
      const auto quad = P::Load(pitches.Of(p, bases));
      HWY_UNROLL(8)
      for (size_t v = 0; v < kVectors; ++v) {
        P::Add(quad, of_targets[v], sums[p * kVectors + v]);
      }
    }
    bases[0] += kQuad;
    bases[1] += kQuad;
  }
}

// The same for taps of a kernel row, each of which reads what its neighbour reads one column later.
// A quad of levels is loaded once for all of them:
//
//     column of levels      0     1     2     3   ...
//     target column 0      w0    w1    w2
//     target column 1            w0    w1    w2
//     target column 2                  w0    w1   ...
template <size_t kPositions, size_t kTargets, class P = Products>
HWY_INLINE void AddSlidingTaps(const Taps& taps, const uint8_t* HWY_RESTRICT levels,
                               const int8_t* HWY_RESTRICT weights, Ahead& ahead,
                               typename P::Sum* sums) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  ColumnPitches pitches(taps.position_pitch);
  const uint8_t* bases[] = {levels, levels + 8 * taps.position_pitch,
                            levels + 16 * taps.position_pitch};
  constexpr size_t kSums = kPositions * kVectors;
  constexpr size_t kMore = kSums <= 4 ? 2 : kSums <= 8 ? 1 : 0;
  MoreSums<P, kSums, kMore> more;
  const size_t tap_size = taps.quads * taps.targets * kQuad;
  for (size_t q = 0; q < taps.quads; ++q, weights += taps.targets * kQuad) {
    pitches.Hide();
    HWY_UNROLL(3)
    for (size_t tap = 0; tap < kSlidingTaps; ++tap) ahead.Ask<kPositions>();
    typename P::Levels of_targets[kSlidingTaps * kVectors];
    HWY_UNROLL(8)
    for (size_t k = 0; k < kSlidingTaps * kVectors; ++k) {
      of_targets[k] = P::LoadWeights(weights + k / kVectors * tap_size, k % kVectors);
    }
    HWY_UNROLL(18)
    for (size_t column = 0; column < kPositions + kSlidingTaps - 1; ++column) {
      const auto quad = P::Load(pitches.Of(column, bases));
      HWY_UNROLL(3)
      for (size_t tap = 0; tap < kSlidingTaps; ++tap) {
        if (column < tap || column - tap >= kPositions) continue;
        HWY_UNROLL(2)
        for (size_t v = 0; v < kVectors; ++v) {
          P::Add(quad, of_targets[tap * kVectors + v],
                 more.Of(tap % (kMore + 1), (column - tap) * kVectors + v, sums));
        }
      }
    }
    for (const uint8_t*& base : bases) base += kQuad;
  }
  more.AddTo(sums);
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_PRODUCTS_INL_H_
