// The answers that a live source of events owes while it is silent.
#ifndef CSSRUN_TOOLS_RECORDINGS_SILENCE_H_
#define CSSRUN_TOOLS_RECORDINGS_SILENCE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cssrun/event_session.h"
#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun::tools {

// An answer comes with the first event behind it, which says that no more come before it. Where
// none comes, the clock says it: as much time must have passed since the last events came as lies
// between them and the answer, and 20 ms more, for events may be on their way. Those that come
// later still are not lost: it is another session that goes ahead, so that later answers are what
// they would have been. One thread at a time.
class Silence {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Silence(std::shared_ptr<const Network> network) : network_(std::move(network)) {}

  // When an answer is due, `after_last` microseconds behind the last event.
  Clock::time_point Due(int64_t after_last) const;
  // What `session` would be after all steps before `until`, if nothing came but `waiting`, which
  // it has not been fed. Errors: those of EventSession.
  Result<const EventSession*> GoOn(const EventSession& session, std::span<const TimedEvent> waiting,
                                   uint64_t until);
  // How many of the steps done in silence are past `step`.
  uint64_t StepsPast(uint64_t step) const;
  // Events have come just now, the first of them at `step`. If the silence has lasted until then,
  // `session`, unless null, takes its place, and true is returned: it has then been fed what
  // waited.
  bool End(uint64_t step, EventSession* session);

 private:
  std::shared_ptr<const Network> network_;
  Clock::time_point last_came_;
  std::optional<EventSession> ahead_;  // made for the first silence
  bool silent_ = false;                // ahead_ is ahead
  std::vector<uint8_t> state_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_SILENCE_H_
