#include "runtime/simd_variant.h"

#include "runtime/dot_products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd_variant.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#if HWY_ARCH_X86 && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
#include <cpuid.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

int64_t TargetOfThisCode() { return HWY_TARGET; }

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {
namespace {

SimdVariant VariantOf(int64_t target) {
  return {target, hwy::TargetName(target), CSSRUN_HAS_BYTE_PRODUCTS(target)};
}

bool CpuHasAvxVnni() {
#if HWY_ARCH_X86 && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
  constexpr unsigned kFeatures = 7;
  constexpr unsigned kAvxVnni = 1U << 4;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(kFeatures, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvxVnni) != 0;
#else
  return false;
#endif
}

bool allow_avx_vnni = true;

}  // namespace

bool HasAvxVnni() {
  static const bool cpu_has = CpuHasAvxVnni();
  return cpu_has && allow_avx_vnni;
}

void AllowAvxVnni(bool allow) { allow_avx_vnni = allow; }

HWY_EXPORT(TargetOfThisCode);

std::vector<SimdVariant> CompiledVariants() {
  std::vector<SimdVariant> variants;
  constexpr int64_t kCompiled = HWY_TARGETS;
  for (int64_t rest = kCompiled; rest != 0; rest &= rest - 1) {
    variants.push_back(VariantOf(rest & -rest));
  }
  return variants;
}

SimdVariant RunningVariant() {
  const int64_t target = HWY_DYNAMIC_DISPATCH(TargetOfThisCode)();
  if (target == HWY_AVX2 && HasAvxVnni()) return {target, "AVX2_VNNI", true};
  if (target != HWY_SCALAR && HasDotProducts()) return {target, "NEON_DOT", true};
  return VariantOf(target);
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
