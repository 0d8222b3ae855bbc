// Restricts the kernels of a benchmark to an instruction set.
#ifndef CSSRUN_BENCH_INSTRUCTION_SET_H_
#define CSSRUN_BENCH_INSTRUCTION_SET_H_

#include <cstdint>
#include <string>

#include "cssrun/status.h"
#include "hwy/targets.h"
#include "runtime/simd_variant.h"

namespace cssrun::bench {

// Restricts cssrun's kernels to the instruction set of this name, as --simd gives it, and those
// below it. What other libraries use stays as it is.
inline Status UseNothingBetterThan(const std::string& name) {
  const bool avx_vnni = internal::HasAvxVnni();
  internal::AllowAvxVnni(avx_vnni && name == "AVX2_VNNI");
  if (name == "AVX2_VNNI" && avx_vnni) {
    hwy::DisableTargets(HWY_AVX2 - 1);
    return Status::Ok();
  }
  std::string names = avx_vnni ? " AVX2_VNNI" : "";
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;  // better ones are lower bits
    if (name == hwy::TargetName(target)) {
      hwy::DisableTargets(target - 1);
      return Status::Ok();
    }
    names += std::string(" ") + hwy::TargetName(target);
  }
  return Status::InvalidArgument("--simd " + name + ": this machine has" + names);
}

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_INSTRUCTION_SET_H_
