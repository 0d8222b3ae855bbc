// Shared by the integer kernels: features of the target, loads of weights, masks of spikes.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LANES_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LANES_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LANES_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/simd_variant.h"

// Features, not names: newer versions of Highway put further targets below (better than) these.
#undef CSSRUN_TARGET_AVX512
#undef CSSRUN_TARGET_VNNI
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define CSSRUN_TARGET_AVX512 1
#else
#define CSSRUN_TARGET_AVX512 0
#endif
// vpdpbusd, four products of bytes added to 32 bits.
#if CSSRUN_HAS_BYTE_PRODUCTS(HWY_TARGET)
#define CSSRUN_TARGET_VNNI 1
#else
#define CSSRUN_TARGET_VNNI 0
#endif
// vpmaddubsw, two products of bytes added in 16 bits: what other x86 targets have.
#undef CSSRUN_TARGET_BYTE_PAIRS
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3 && !CSSRUN_TARGET_VNNI
#define CSSRUN_TARGET_BYTE_PAIRS 1
#else
#define CSSRUN_TARGET_BYTE_PAIRS 0
#endif
// vpdpbusd for vectors of 32 bytes, which some machines without AVX-512 have: AVX-VNNI. Highway has
// no target of that name, so that kernels ask HasAvxVnni().
#undef CSSRUN_TARGET_MAY_HAVE_AVX_VNNI
#if HWY_ARCH_X86 && HWY_TARGET == HWY_AVX2
#define CSSRUN_TARGET_MAY_HAVE_AVX_VNNI 1
#else
#define CSSRUN_TARGET_MAY_HAVE_AVX_VNNI 0
#endif

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes16 = hn::CappedTag<int16_t, kLineLanes>;
using Vector16 = hn::Vec<Lanes16>;

HWY_INLINE Vector16 LoadWeights(const int16_t* HWY_RESTRICT weights) {
  return hn::Load(Lanes16(), weights);
}
HWY_INLINE Vector16 LoadWeights(const int8_t* HWY_RESTRICT weights) {
  return hn::PromoteTo(Lanes16(), hn::Load(hn::Rebind<int8_t, Lanes16>(), weights));
}

// Bits [first, first + Lanes(d)) of one half of a word of spikes as a mask.
template <class D>
HWY_INLINE hn::Mask<D> MaskOf(D d, uint32_t half, size_t first) {
  if constexpr (HWY_TARGET == HWY_SCALAR) {
    return hn::FirstN(d, (half >> first) & 1);
  } else {
    const uint64_t bits = half >> first;  // eight bytes: Highway may read as many
    return hn::LoadMaskBits(d, reinterpret_cast<const uint8_t*>(&bits));
  }
}
HWY_INLINE hn::Mask<Lanes16> MaskOf(uint32_t half, size_t first) {
  return MaskOf(Lanes16(), half, first);
}

// Writes which lanes fire into a row of words; `index` is that of the neuron in the first lane.
template <class D, class M>
HWY_INLINE void WriteSpikes(D d, M up, M down, size_t index, uint64_t* words) {
  if constexpr (HWY_TARGET == HWY_SCALAR) {
    const size_t bit = index % kLineLanes;
    uint64_t& word = words[index / kLineLanes];
    if (bit == 0) word = 0;
    word |= static_cast<uint64_t>(hn::CountTrue(d, up)) << bit;
    word |= static_cast<uint64_t>(hn::CountTrue(d, down)) << (kLineLanes + bit);
  } else {
    auto* bytes = reinterpret_cast<uint8_t*>(words + index / kLineLanes);
    bytes += index % kLineLanes / 8;
    hn::StoreMaskBits(d, up, bytes);
    hn::StoreMaskBits(d, down, bytes + sizeof(uint32_t));
  }
}

// Calls run(d) with the widest vector of 16-bit lanes that one position fills.
template <class Run>
HWY_INLINE void WithLanesOf(const LaneLayout& layout, const Run& run) {
  // NOLINTNEXTLINE(bugprone-branch-clone): without vectors the three are one
  if (layout.lanes == 8) {
    run(hn::CappedTag<int16_t, 8>());
  } else if (layout.lanes == 16) {
    run(hn::CappedTag<int16_t, 16>());
  } else {
    run(hn::CappedTag<int16_t, kLineLanes>());
  }
}

// Clears the spikes of lanes beyond a row's last neuron. Does not write whole words, because
// another thread may be writing them.
HWY_INLINE void ClearMissingNeurons(size_t neurons, uint64_t* words) {
  const size_t last = neurons % kLineLanes;
  if (last == 0) return;
  const uint64_t half = (uint64_t{1} << last) - 1;
  words[neurons / kLineLanes] &= half | (half << kLineLanes);
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LANES_INL_H_
