// Invariants, stated where the code relies on them.
//
// CSSRUN_ASSERT(condition) prints the condition and ends the process if it is false. CMake turns it
// on in Debug builds, under sanitizers and in the fuzz targets. Elsewhere it costs nothing, because
// the condition is not evaluated. Assert what the code itself guarantees; report what a file or a
// caller may get wrong as a Status.
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

// An unevaluated use of the condition, so that variables which only assertions need cause no
// warning.
#define CSSRUN_ASSERT(condition) static_cast<void>(sizeof((condition) ? 1 : 0))

#endif

#endif  // CSSRUN_RUNTIME_ASSERT_H_
