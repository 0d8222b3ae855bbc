// Which positions of a layer see a source position: what has to be looked at again when it changes.
//
// Rows and columns of a window are independent, and what one source row reaches are neighbours, so
// an interval for each row and column says it all. Dilated windows, and means that lie apart, reach
// less than their interval.
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

// By source row and column: the rows and columns of a map, before pools, that see it. Both ends
// never decrease, so that neighbouring source positions reach what lies between the first one's
// first and the last one's last.
struct Reach {
  std::vector<Interval> rows, columns;
  // Where column x is seen by all columns from x - left to x + right that exist, as with windows of
  // stride 1.
  bool shifts = false;
  uint32_t left = 0, right = 0;
};

// `map`: that sees the source through windows over its view.
Reach ReachOf(const SourceView& view, const format::Extent& source, const format::Window& window,
              const format::Extent& map);
// By row and column of the map, the pools that see it.
Reach ReachOfPools(const format::Extent& map, const WindowAxis& y, const WindowAxis& x,
                   const format::Extent& pools);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_GEOMETRY_REACH_H_
