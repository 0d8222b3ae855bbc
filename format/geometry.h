// Arithmetic of windows and extents, shared by everything that reads or makes a network.
#ifndef CSSRUN_FORMAT_GEOMETRY_H_
#define CSSRUN_FORMAT_GEOMETRY_H_

#include <cstdint>

#include "network_generated.h"

namespace cssrun::format {

// A 1x1 window with stride 1: every position sees itself.
inline Window UnitWindow() { return {1, 1, 1, 1, 0, 0, 0, 0, 1, 1}; }

// How many positions a window takes along one axis; 0 or less when it does not fit.
inline int64_t WindowPositions(int64_t size, int64_t kernel, int64_t stride, int64_t pad_before,
                               int64_t pad_after, int64_t dilation) {
  const int64_t room = size + pad_before + pad_after - (kernel - 1) * dilation - 1;
  return room < 0 ? 0 : room / stride + 1;
}

inline int64_t WindowRows(const Window& w, int64_t height) {
  return WindowPositions(height, w.kernel_y(), w.stride_y(), w.pad_top(), w.pad_bottom(),
                         w.dilation_y());
}

inline int64_t WindowColumns(const Window& w, int64_t width) {
  return WindowPositions(width, w.kernel_x(), w.stride_x(), w.pad_left(), w.pad_right(),
                         w.dilation_x());
}

inline uint64_t Positions(const Extent& e) { return static_cast<uint64_t>(e.height()) * e.width(); }

inline uint64_t Neurons(const Extent& e) { return Positions(e) * e.channels(); }

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_GEOMETRY_H_
