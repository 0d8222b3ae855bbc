// The spikes that a layer sent at its latest steps, kept for targets that consume them later.
#ifndef CSSRUN_RUNTIME_FLOAT_DELAY_LINE_H_
#define CSSRUN_RUNTIME_FLOAT_DELAY_LINE_H_

#include <cstdint>
#include <vector>

#include "runtime/float/events.h"

namespace cssrun::internal {

// A ring of event frames addressed by global step.
class DelayLine {
 public:
  DelayLine() = default;
  DelayLine(uint32_t kept_steps, uint64_t positions, uint64_t channels)
      : frames_(kept_steps, EventFrame(positions, channels)) {}

  // The frame of `step`: to be written at that step, to be read until kept_steps later ones have
  // been written. Steps at which the layer sends nothing have none.
  EventFrame& At(uint32_t step) { return frames_[step % frames_.size()]; }
  const EventFrame& At(uint32_t step) const { return frames_[step % frames_.size()]; }

 private:
  std::vector<EventFrame> frames_;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_DELAY_LINE_H_
