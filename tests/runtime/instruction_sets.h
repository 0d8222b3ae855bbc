// Runs a test on every instruction set of the machine.
#ifndef CSSRUN_TESTS_RUNTIME_INSTRUCTION_SETS_H_
#define CSSRUN_TESTS_RUNTIME_INSTRUCTION_SETS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>
#include <vector>

#include "hwy/targets.h"
#include "runtime/dot_products.h"
#include "runtime/simd_variant.h"

namespace cssrun {

// Returns all targets of this machine, and the one without vectors, which Highway does not list for
// the machine.
inline std::vector<int64_t> InstructionSets() {
  std::vector<int64_t> sets;
  for (int64_t rest = hwy::SupportedTargets() | HWY_SCALAR; rest != 0; rest &= rest - 1) {
    sets.push_back(rest & -rest);
  }
  return sets;
}

// Calls function() or function(target) with kernels dispatched to each of them in turn, AVX2 with
// and without AVX-VNNI, NEON with and without dot products, then lets the machine choose again.
template <class Function>
void ForEveryInstructionSet(const Function& function) {
  const auto run = [&](int64_t target) {
    SCOPED_TRACE(internal::RunningVariant().name);
    if constexpr (std::is_invocable_v<Function, int64_t>) {
      function(target);
    } else {
      function();
    }
  };
  for (const int64_t target : InstructionSets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    run(target);
    if (target == HWY_AVX2 && internal::HasAvxVnni()) {
      internal::AllowAvxVnni(false);
      run(target);
      internal::AllowAvxVnni(true);
    }
    if (internal::HasDotProducts()) {
      internal::AllowDotProducts(false);
      run(target);
      internal::AllowDotProducts(true);
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace cssrun

#endif  // CSSRUN_TESTS_RUNTIME_INSTRUCTION_SETS_H_
