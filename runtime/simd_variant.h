// The instruction sets ("targets") that kernels are compiled for, and the one that runs.
//
// Highway compiles every kernel once per target and calls the best one that the machine has. The
// functions here say which ones these are, so that a target that is lost on the way, by a build
// option or by a new version of Highway, fails a test instead of costing time in silence.
#ifndef CSSRUN_RUNTIME_SIMD_VARIANT_H_
#define CSSRUN_RUNTIME_SIMD_VARIANT_H_

#include <cstdint>
#include <vector>

#include "hwy/detect_targets.h"

// Whether a target has the instruction that adds four products of bytes to each 32-bit lane (VNNI):
// AVX3_DL and whatever is better. A macro, since kernels ask it of HWY_TARGET in an #if. Lower bits
// are better, and all bits below AVX3_DL are x86's.
#define CSSRUN_HAS_BYTE_PRODUCTS(target) ((target) <= HWY_AVX3_DL)

namespace cssrun::internal {

struct SimdVariant {
  int64_t target = 0;          // Highway's bit; the lower, the better
  const char* name = "";       // "AVX2"
  bool byte_products = false;  // levels are multiplied as bytes, not as pairs of 16 bits
};

// Of all targets that kernels were compiled for, best first, whether this machine has them or not.
std::vector<SimdVariant> CompiledVariants();

// The one that a call dispatches to now. Known from such a call, not computed from what is
// supported. Thread-safe; one indirect call.
SimdVariant RunningVariant();

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_SIMD_VARIANT_H_
