// Declares libFuzzer's interface, which every fuzz target defines and replay_main.cc calls as well.
#ifndef CSSRUN_TESTS_FUZZ_TARGET_H_
#define CSSRUN_TESTS_FUZZ_TARGET_H_

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

// Takes any bytes. Whatever is wrong ends the process: a sanitizer, Require(), an exception, a
// timeout.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace cssrun::fuzz {

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Returns the seconds of processor time that this process has taken, and those it has started and
// waited for, which a busy machine does not lengthen.
inline double ProcessorSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  rusage children = {};
  getrusage(RUSAGE_CHILDREN, &children);
  const auto seconds = [](const timeval& part) {
    return static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
  };
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec) +
         seconds(children.ru_utime) + seconds(children.ru_stime);
}

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_TARGET_H_
