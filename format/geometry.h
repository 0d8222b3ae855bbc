// Arithmetic of windows and extents, shared by all code that reads or makes a network.
#ifndef CSSRUN_FORMAT_GEOMETRY_H_
#define CSSRUN_FORMAT_GEOMETRY_H_

#include <cstdint>

#include "network_generated.h"

namespace cssrun::format {

// A 1x1 window with stride 1: every target position reads the source position of the same number.
inline Window UnitWindow() { return {1, 1, 1, 1, 0, 0, 0, 0, 1, 1}; }

// The number of target positions of a window along one axis of `size` source positions; 0 if the
// window does not fit. `stride` is positive. With size 5, kernel 3, stride 2, pads 1 it is 3:
//
//     source    -1  0  1  2  3  4  5
//     target 0   *  *  *
//     target 1         *  *  *
//     target 2               *  *  *
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

// Positions along one axis of `size` positions that are `spread` apart.
inline int64_t SpreadPositions(int64_t size, int64_t spread) { return (size - 1) * spread + 1; }

// The source of synapses as their window sees it: its map, or its means, spread out.
inline Extent SeenExtent(const Synapses& s, const Extent& source) {
  const Window* mean = s.average();
  const int64_t rows = mean == nullptr ? source.height() : WindowRows(*mean, source.height());
  const int64_t columns = mean == nullptr ? source.width() : WindowColumns(*mean, source.width());
  return {source.channels(), static_cast<uint32_t>(SpreadPositions(rows, s.spread_y())),
          static_cast<uint32_t>(SpreadPositions(columns, s.spread_x()))};
}

inline bool IsSpread(const Synapses& s) { return s.spread_y() != 1 || s.spread_x() != 1; }

// Rows times columns.
inline uint64_t Positions(const Extent& e) { return static_cast<uint64_t>(e.height()) * e.width(); }

// Channels times rows times columns.
inline uint64_t Neurons(const Extent& e) { return Positions(e) * e.channels(); }

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_GEOMETRY_H_
