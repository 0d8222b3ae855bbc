// Which positions of a layer see a source position and have to be computed again when it changes.
//
// Rows and columns of a window are independent, and a source row reaches neighbouring rows, so an
// interval for each row and column is enough. Dilated windows, and means that lie apart, reach only
// part of their interval.
#ifndef CSSRUN_RUNTIME_GEOMETRY_REACH_H_
#define CSSRUN_RUNTIME_GEOMETRY_REACH_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "runtime/geometry/source_view.h"
#include "runtime/geometry/window_axis.h"

namespace cssrun::internal {

// [first, last); empty where they are equal.
struct Interval {
  uint32_t first = 0;
  uint32_t last = 0;
};

// By source row and column: the rows and columns of a map, before pools, that see it. Neither end
// ever decreases, so neighbouring source positions together reach the interval from the first one's
// `first` to the last one's `last`.
struct Reach {
  std::vector<Interval> rows, columns;
  // Whether all existing columns from x - left to x + right see column x, as with windows of stride
  // 1.
  bool shifts = false;
  uint32_t left = 0, right = 0;
};

// `map`: the map that sees the source through windows over its view.
Reach ReachOf(const SourceView& view, const format::Extent& source, const format::Window& window,
              const format::Extent& map);
// By row and column of the map, the pools that see it.
Reach ReachOfPools(const format::Extent& map, const WindowAxis& y, const WindowAxis& x,
                   const format::Extent& pools);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_GEOMETRY_REACH_H_
