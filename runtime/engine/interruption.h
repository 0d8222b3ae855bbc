// Whether a run is to end before its time: the caller's flag, or its time limit.
#ifndef CSSRUN_RUNTIME_ENGINE_INTERRUPTION_H_
#define CSSRUN_RUNTIME_ENGINE_INTERRUPTION_H_

#include <atomic>
#include <chrono>
#include <string>

#include "cssrun/session.h"

namespace cssrun::internal {

enum class Interrupted { kNo, kCancelled, kLate };

class Interruption {
 public:
  // The time begins.
  explicit Interruption(const SessionOptions& options)
      : cancel_(options.cancel), limited_(options.time_limit > std::chrono::nanoseconds::zero()) {
    if (limited_) end_ = Clock::now() + options.time_limit;
  }

  // A load; with a time limit, also a look at the clock, some 25 ns.
  Interrupted Now() const {
    if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
      return Interrupted::kCancelled;
    }
    return limited_ && Clock::now() >= end_ ? Interrupted::kLate : Interrupted::kNo;
  }

 private:
  using Clock = std::chrono::steady_clock;

  const std::atomic<bool>* cancel_;
  bool limited_;
  Clock::time_point end_;
};

inline Status CancelledAt(uint32_t step) {
  return Status::Cancelled("cancelled at step " + std::to_string(step));
}
inline Status LateAt(uint32_t step) {
  return Status::TimedOut("the time limit passed at step " + std::to_string(step) +
                         ", before the first reading; allow more time");
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_INTERRUPTION_H_
