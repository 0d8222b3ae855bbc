// Whether a run must end early: because the caller cancelled it, or because its time limit passed.
#ifndef CSSRUN_RUNTIME_ENGINE_INTERRUPTION_H_
#define CSSRUN_RUNTIME_ENGINE_INTERRUPTION_H_

#include <atomic>
#include <chrono>
#include <string>

#include "cssrun/session.h"
#include "cssrun/status.h"

namespace cssrun::internal {

enum class Interrupted { kNo, kCancelled, kLate };

class Interruption {
 public:
  // The time limit counts from here. `options.cancel` must outlive this.
  explicit Interruption(const SessionOptions& options)
      : cancel_(options.cancel), limited_(options.time_limit > std::chrono::nanoseconds::zero()) {
    if (limited_) end_ = Clock::now() + options.time_limit;
  }

  // Cost: an atomic load and, with a time limit, a reading of the clock, about 25 ns.
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

// What a run returns when it was interrupted at global step `step`.
inline Status CancelledAt(uint32_t step) {
  return Status::Cancelled("cancelled at step " + std::to_string(step));
}
inline Status LateAt(uint32_t step) {
  return Status::TimedOut("the time limit passed at step " + std::to_string(step) +
                          ", before the first reading; allow more time");
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_INTERRUPTION_H_
