// The instruction sets ("targets") that kernels are compiled for, and the one that runs.
//
// Highway compiles every kernel once per target and calls the best one that the machine supports.
// The functions here name these targets, so that tests notice if a build option or a new version of
// Highway drops one. Otherwise kernels would only become slower, without an error.
#ifndef CSSRUN_RUNTIME_SIMD_VARIANT_H_
#define CSSRUN_RUNTIME_SIMD_VARIANT_H_

#include <cstdint>
#include <vector>

#include "hwy/detect_targets.h"

// Whether a target has the instruction that adds four products of bytes to each 32-bit lane (VNNI):
// AVX3_DL and better targets. Highway numbers better targets with lower bits, and all bits below
// AVX3_DL belong to x86. This is a macro because kernels use it with HWY_TARGET in an #if.
#define CSSRUN_HAS_BYTE_PRODUCTS(target) ((target) <= HWY_AVX3_DL)

namespace cssrun::internal {

// Whether the machine has the same instruction for 32 bytes without AVX-512 (AVX-VNNI, since Alder
// Lake). Kernels of AVX2 ask this function; a machine that supports AVX2 may execute it.
bool HasAvxVnni();
// For tests and benchmarks: false pretends that the machine lacks it. Not thread-safe.
void AllowAvxVnni(bool allow);

struct SimdVariant {
  int64_t target = 0;          // Highway's bit of the target; lower bits are better
  const char* name = "";       // "AVX2", or "AVX2_VNNI" where kernels of AVX2 run with AVX-VNNI
  bool byte_products = false;  // levels are multiplied as bytes, not as pairs of 16 bits
};

// All targets that kernels were compiled for, best first, whether this machine supports them or
// not.
std::vector<SimdVariant> CompiledVariants();

// The target that kernels dispatch to now. Found by dispatching a function that reports its own
// target, rather than by computing what should be chosen. Thread-safe; costs one indirect call.
SimdVariant RunningVariant();

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_SIMD_VARIANT_H_
