// Shared by the integer kernels on 64-bit ARM.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_NEON_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_NEON_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_NEON_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_NEON_INL_H_
#endif

#include "hwy/highway.h"

// Vectors of 64-bit ARM, whatever Highway calls them: newer versions have several targets.
#undef CSSRUN_TARGET_NEON
#if HWY_ARCH_ARM_A64 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
#define CSSRUN_TARGET_NEON 1
#else
#define CSSRUN_TARGET_NEON 0
#endif

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

#if CSSRUN_TARGET_NEON
// Adds four products of bytes to each sum, on machines that HasDotProducts().
HWY_INLINE void AddDotProducts(int8x16_t a, int8x16_t b, int32x4_t& sums) {
#ifdef __ARM_FEATURE_DOTPROD
  sums = vdotq_s32(sums, a, b);
#else
  // The compiler knows it only with a compiler target that no version of Highway has. The
  // assembler's setting stays on afterwards, which does no harm.
  asm(".arch armv8.2-a+crypto+dotprod\n\tsdot %0.4s, %1.16b, %2.16b" : "+w"(sums) : "w"(a), "w"(b));
#endif
}

// The same with the four bytes of lane `kLane` of b for all sums.
template <int kLane>
HWY_INLINE void AddDotProductsOfLane(int8x16_t a, int8x16_t b, int32x4_t& sums) {
#ifdef __ARM_FEATURE_DOTPROD
  sums = vdotq_laneq_s32(sums, a, b, kLane);
#else
  asm(".arch armv8.2-a+crypto+dotprod\n\tsdot %0.4s, %1.16b, %2.4b[%3]"
      : "+w"(sums)
      : "w"(a), "w"(b), "i"(kLane));
#endif
}
#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_NEON_INL_H_
