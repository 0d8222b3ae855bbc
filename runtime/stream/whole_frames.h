// Which frames of a stream are run whole. Comparing what a layer sends with what it sent before,
// and computing ranges of positions instead of rows, costs a fifth of a full run; where a frame
// touches nearly everything, a camera's noise for example, that is more than it saves.
//
// What a frame will touch is told from where it changed: frames are sorted by the share of their
// groups of 8 neighbouring positions in which any pixel changed, which noise and one large object
// fill differently, and each class remembers the last frame that was compared.
#ifndef CSSRUN_RUNTIME_STREAM_WHOLE_FRAMES_H_
#define CSSRUN_RUNTIME_STREAM_WHOLE_FRAMES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/position_bits.h"

namespace cssrun::internal {

class WholeFrames {
 public:
  // From this share of a full run's products on, a frame is sooner run whole.
  static constexpr double kBreakEven = 0.8;
  // So many frames of a class are run whole before one is compared again.
  static constexpr uint32_t kCompareAgain = 32;

  void Reset() { classes_ = {}; }
  // Whether to run the next frame whole, which changed these positions of the picture.
  bool Takes(const PositionBits& changed);
  // What the frame took that was not run whole, from 0 to 1 full runs' products.
  void Compared(double work) { classes_[class_] = {work, 0}; }

 private:
  static constexpr size_t kShares = 32;
  struct Class {
    double work = 0;
    uint32_t whole = 0;  // frames since it was measured
  };

  std::array<Class, 1 + kShares> classes_ = {};  // of still frames, then by share
  size_t class_ = 0;                             // of the frame that was asked for last
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_STREAM_WHOLE_FRAMES_H_
