// Masks of up to 64 lanes as bits of one number.
#if defined(CSSRUN_RUNTIME_STREAM_MASK_BITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_STREAM_MASK_BITS_INL_H_
#undef CSSRUN_RUNTIME_STREAM_MASK_BITS_INL_H_
#else
#define CSSRUN_RUNTIME_STREAM_MASK_BITS_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE uint64_t BitsOf(D d, hn::Mask<D> mask) {
  constexpr uint64_t kLanes = ~uint64_t{0} >> (64 - hn::MaxLanes(D()));
#if CSSRUN_TARGET_AVX512
  static_cast<void>(d);
  return static_cast<uint64_t>(mask.raw) & kLanes;
#else
  uint8_t bytes[8] = {};
  hn::StoreMaskBits(d, mask, bytes);
  uint64_t bits = 0;
  std::memcpy(&bits, bytes, sizeof(bits));
  return bits & kLanes;
#endif
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_STREAM_MASK_BITS_INL_H_
