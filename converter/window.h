// Windows of convolutions and pools: the only place that reads them from nodes, with the arithmetic
// of their positions.
//
// Along one axis, tap k of position o reads element  o * stride - pad_before + k * dilation:
//
//     kernel 3, stride 2, dilation 1, pad_before 1, size 5 (p is padding)
//       p 0 1 2 3 4
//       o-o-o            position 0 reads elements -1, 0, 1
//           o-o-o        position 1 reads elements  1, 2, 3
#ifndef CSSRUN_CONVERTER_WINDOW_H_
#define CSSRUN_CONVERTER_WINDOW_H_

#include <array>
#include <cstdint>
#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"
#include "network_generated.h"

namespace cssrun::converter {

// A window that moves over rows (index 0) and columns (index 1).
struct Window {
  std::array<int64_t, 2> kernel = {1, 1};
  std::array<int64_t, 2> stride = {1, 1};
  std::array<int64_t, 2> dilation = {1, 1};
  std::array<int64_t, 2> pad_before = {0, 0};
  std::array<int64_t, 2> pad_after = {0, 0};
  std::array<int64_t, 2> positions = {0, 0};
  // How far ceil_mode lets the last window reach beyond the stated padding; pad_after includes it.
  std::array<int64_t, 2> overhang = {0, 0};
};

// Returns the window of a Conv, MaxPool or AveragePool over a map, [batch, channels, rows,
// columns], with auto_pad and ceil_mode resolved. Error: kBadModel naming the node, when no such
// window exists.
Result<Window> WindowOf(const Graph& graph, const Node& node, const Shape& input);

// Returns one window that covers a map of this shape.
Window WholeMap(const Shape& input);

// Returns whether, along one axis of `size` elements, every position of the window reads at least
// one element and not padding only.
bool EveryPositionSeesTheMap(const Window& window, size_t axis, int64_t size);

// Returns the same window as a network file stores it.
format::Window StoredWindow(const Window& window);

// The stored fields of a window along one axis.
struct WindowAxis {
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t pad_before = 0;
  int64_t dilation = 1;
};
WindowAxis RowsOf(const format::Window& window);
WindowAxis ColumnsOf(const format::Window& window);

// Counts the reads of all positions along one axis that fall on one of `size` elements, which are
// `spread` apart: the synapses that exist.
uint64_t ExistingReads(const WindowAxis& axis, int64_t size, int64_t positions, int64_t spread = 1);

// Returns the padding at the end (negative where elements are left over) that makes the window take
// exactly `positions` of `size` elements.
int32_t PadAfter(const WindowAxis& axis, int64_t size, int64_t positions);

// Neighbouring positions along one axis whose windows have equally many members inside of the map.
struct EqualWindows {
  int64_t first = 0;
  int64_t count = 0;
  int64_t members = 0;
};
// Finds them for windows without dilation.
std::vector<EqualWindows> FindEqualWindows(const WindowAxis& axis, int64_t size, int64_t positions);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_WINDOW_H_
