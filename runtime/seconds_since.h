// The time since a point in time, for everything that measures how long it takes.
#ifndef CSSRUN_RUNTIME_SECONDS_SINCE_H_
#define CSSRUN_RUNTIME_SECONDS_SINCE_H_

#include <chrono>

namespace cssrun::internal {

inline double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_SECONDS_SINCE_H_
