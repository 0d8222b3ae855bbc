// How benchmark programs end on an error: one line, and the exit code that the tools have for it.
#ifndef CSSRUN_BENCH_OR_EXIT_H_
#define CSSRUN_BENCH_OR_EXIT_H_

#include <cstdlib>
#include <iostream>
#include <utility>

#include "cssrun/status.h"
#include "tools/args.h"

namespace cssrun::bench {

// `program`: as its user calls it.
struct ExitOnError {
  const char* program;

  [[noreturn]] void Exit(const Status& status) const {
    std::cerr << program << ": " << status.message() << "\n";
    std::exit(tools::ExitCodeOf(status));
  }
  void operator()(const Status& status) const {
    if (!status.ok()) Exit(status);
  }
  template <class T>
  T operator()(Result<T> result) const {
    if (!result.ok()) Exit(result.status());
    return std::move(result).value();
  }
};

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_OR_EXIT_H_
