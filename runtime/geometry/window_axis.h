// One axis of a window (a kernel, a mean or a pool). This is the only code that knows where the
// taps of a window lie.
//
// Target position o reads source positions o * stride - pad + k * dilation for taps k = 0 ..
// kernel - 1. With kernel 3, stride 2, pad 1, dilation 1:
//
//     source    -1  0  1  2  3  4  5
//     target 0   *  *  *
//     target 1         *  *  *
//     target 2               *  *  *
#ifndef CSSRUN_RUNTIME_GEOMETRY_WINDOW_AXIS_H_
#define CSSRUN_RUNTIME_GEOMETRY_WINDOW_AXIS_H_

#include <cstdint>

#include "network_generated.h"

namespace cssrun::internal {

// Taps [first, last) of a window; empty where they are equal.
struct TapRange {
  int64_t first = 0;
  int64_t last = 0;
};

struct WindowAxis {
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t pad = 0;  // before the first source position; negative where the window skips some
  int64_t dilation = 1;

  // The source position that tap `tap` of target position `target` reads; it may lie outside.
  int64_t SourceOf(int64_t target, int64_t tap) const {
    return target * stride - pad + tap * dilation;
  }

  // The taps of `target` that lie on a source of `sources` positions.
  TapRange TapsInside(int64_t target, int64_t sources) const {
    TapRange taps{0, kernel};
    while (taps.first < taps.last && SourceOf(target, taps.first) < 0) ++taps.first;
    while (taps.last > taps.first && SourceOf(target, taps.last - 1) >= sources) --taps.last;
    return taps;
  }

  // Source positions from the first tap to the last, both included.
  int64_t reach() const { return (kernel - 1) * dilation + 1; }
};

inline WindowAxis RowsOf(const format::Window& window) {
  return {window.kernel_y(), window.stride_y(), window.pad_top(), window.dilation_y()};
}
inline WindowAxis ColumnsOf(const format::Window& window) {
  return {window.kernel_x(), window.stride_x(), window.pad_left(), window.dilation_x()};
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_GEOMETRY_WINDOW_AXIS_H_
