#include "tools/recordings/silence.h"

#include <utility>

#include "tools/stream/interrupt.h"

namespace cssrun::tools {
namespace {

// Cameras send events in packets, of some milliseconds each.
constexpr std::chrono::milliseconds kPatience(20);

}  // namespace

Silence::Clock::time_point Silence::Due(int64_t after_last) const {
  return last_came_ + std::chrono::microseconds(after_last) + kPatience;
}

Result<const EventSession*> Silence::GoOn(const EventSession& session,
                                          std::span<const TimedEvent> waiting, uint64_t until) {
  if (!ahead_.has_value()) {
    Result<EventSession> made =
        EventSession::Create(network_, {.profile = false, .cancel = &Interrupt::flag()});
    if (!made.ok()) return made.status();
    ahead_ = std::move(made).value();
  }
  if (!silent_) {
    session.Save(state_);
    if (Status status = ahead_->Restore(state_); !status.ok()) return status;
  }
  const Status fed = ahead_->Feed(silent_ ? std::span<const TimedEvent>() : waiting, until);
  silent_ = true;
  if (!fed.ok()) return fed;
  return &*ahead_;
}

uint64_t Silence::StepsPast(uint64_t step) const {
  return silent_ && ahead_->now() > step ? ahead_->now() - step : 0;
}

bool Silence::End(uint64_t step, EventSession* session) {
  last_came_ = Clock::now();
  const bool lasted = std::exchange(silent_, false) && ahead_->now() <= step;
  if (!lasted || session == nullptr) return false;
  std::swap(*session, *ahead_);
  return true;
}

}  // namespace cssrun::tools
