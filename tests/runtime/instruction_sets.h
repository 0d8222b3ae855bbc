// Runs a test on every instruction set of the machine.
#ifndef CSSRUN_TESTS_RUNTIME_INSTRUCTION_SETS_H_
#define CSSRUN_TESTS_RUNTIME_INSTRUCTION_SETS_H_

#include <gtest/gtest.h>

#include <cstdint>

#include "hwy/targets.h"

namespace cssrun {

// Calls function() with kernels dispatched to each target of this machine in turn, and to the one
// without vectors, which Highway does not list for the machine.
template <class Function>
void ForEveryInstructionSet(const Function& function) {
  const int64_t supported = hwy::SupportedTargets() | HWY_SCALAR;
  for (int64_t rest = supported; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    function();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace cssrun

#endif  // CSSRUN_TESTS_RUNTIME_INSTRUCTION_SETS_H_
