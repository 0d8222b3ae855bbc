// The spikes that a layer sent at its most recent steps, kept for targets that consume them later.
#ifndef CSSRUN_RUNTIME_FLOAT_DELAY_LINE_H_
#define CSSRUN_RUNTIME_FLOAT_DELAY_LINE_H_

#include <cstdint>
#include <vector>

#include "runtime/assert.h"
#include "runtime/float/events.h"

namespace cssrun::internal {

// A ring of event frames, addressed by global step: step k lies in frame k modulo kept_steps.
class DelayLine {
 public:
  DelayLine() = default;
  DelayLine(uint32_t kept_steps, uint64_t positions, uint64_t channels)
      : frames_(kept_steps, EventFrame(positions, channels)) {}

  // The frame of `step`. The layer writes it at that step; targets may read it until the layer
  // writes the frame of step + kept_steps, which takes its place. Only steps at which the layer
  // sends (its offset to its offset + T - 1) have a frame.
  EventFrame& At(uint32_t step) {
    CSSRUN_ASSERT(!frames_.empty());
    return frames_[step % frames_.size()];
  }
  const EventFrame& At(uint32_t step) const {
    CSSRUN_ASSERT(!frames_.empty());
    return frames_[step % frames_.size()];
  }

 private:
  std::vector<EventFrame> frames_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_DELAY_LINE_H_
