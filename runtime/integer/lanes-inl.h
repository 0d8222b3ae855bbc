// Small things that the integer kernels share.
#if defined(CSSRUN_RUNTIME_INTEGER_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_LANES_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_LANES_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_LANES_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/lane_layout.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes16 = hn::CappedTag<int16_t, kChunkLanes>;
using Vector16 = hn::Vec<Lanes16>;

HWY_INLINE Vector16 LoadWeights(const int16_t* HWY_RESTRICT weights) {
  return hn::Load(Lanes16(), weights);
}
HWY_INLINE Vector16 LoadWeights(const int8_t* HWY_RESTRICT weights) {
  return hn::PromoteTo(Lanes16(), hn::Load(hn::Rebind<int8_t, Lanes16>(), weights));
}

// Bits [first, first + Lanes(d)) of a half word as a mask.
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

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_LANES_INL_H_
