#include "runtime/simd_variant.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/simd_variant.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

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

}  // namespace

HWY_EXPORT(TargetOfThisCode);

std::vector<SimdVariant> CompiledVariants() {
  std::vector<SimdVariant> variants;
  constexpr int64_t kCompiled = HWY_TARGETS;
  for (int64_t rest = kCompiled; rest != 0; rest &= rest - 1) {
    variants.push_back(VariantOf(rest & -rest));
  }
  return variants;
}

SimdVariant RunningVariant() { return VariantOf(HWY_DYNAMIC_DISPATCH(TargetOfThisCode)()); }

}  // namespace cssrun::internal
#endif  // HWY_ONCE
