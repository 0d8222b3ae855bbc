// One axis of the membranes of a max-pooled layer.
//
// The members of a pool lie side by side. Where pools are disjoint, each membrane is the map
// position of the same number. Where they overlap, a map position has one membrane in each of its
// pools, because each pool subtracts what it sends itself: with pools of 3 at stride 2, pad 1,
//
//     membrane   0  1  2 | 3  4  5 | 6  7  8
//     position  -1  0  1 | 1  2  3 | 3  4  5        (-1: beyond the map, never the largest)
#ifndef CSSRUN_RUNTIME_GEOMETRY_POOL_AXIS_H_
#define CSSRUN_RUNTIME_GEOMETRY_POOL_AXIS_H_

#include <cstdint>
#include <vector>

#include "runtime/geometry/window_axis.h"

namespace cssrun::internal {

struct PoolAxis {
  uint32_t members = 1;            // membranes of one pool
  uint32_t stride = 1;             // membranes from one pool to the next
  uint32_t size = 0;               // membranes
  bool disjoint = true;            // each membrane is the map position of the same number
  std::vector<int64_t> positions;  // by membrane: its map position, or -1 beyond the map
};

// A map of `map` positions under `pools` pools. Without a pool: WindowAxis(), as many as positions.
PoolAxis MakePoolAxis(int64_t map, int64_t pools, const WindowAxis& window);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_GEOMETRY_POOL_AXIS_H_
