// Invariants, stated where the code relies on them.
//
// CSSRUN_ASSERT(condition) prints the condition and ends the process where it is false. CMake turns
// it on in Debug builds, under sanitizers and in the fuzz targets; elsewhere it costs nothing and
// does not evaluate its condition. It states what the code itself guarantees: what a file or a
// caller may get wrong is a Status instead.
#ifndef CSSRUN_RUNTIME_ASSERT_H_
#define CSSRUN_RUNTIME_ASSERT_H_

#ifdef CSSRUN_ASSERTIONS

#include <cstdio>
#include <cstdlib>

namespace cssrun::internal {

[[noreturn]] inline void AssertionFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace cssrun::internal

#define CSSRUN_ASSERT(condition)      \
  ((condition) ? static_cast<void>(0) \
               : ::cssrun::internal::AssertionFailed(#condition, __FILE__, __LINE__))

#else

// Unevaluated, so that what only assertions use is used.
#define CSSRUN_ASSERT(condition) static_cast<void>(sizeof((condition) ? 1 : 0))

#endif

#endif  // CSSRUN_RUNTIME_ASSERT_H_
