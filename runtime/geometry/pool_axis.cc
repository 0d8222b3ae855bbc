#include "runtime/geometry/pool_axis.h"

#include "runtime/assert.h"

namespace cssrun::internal {

PoolAxis MakePoolAxis(int64_t map, int64_t pools, const WindowAxis& window) {
  CSSRUN_ASSERT(window.kernel > 0 && window.stride > 0);
  PoolAxis axis;
  axis.members = static_cast<uint32_t>(window.kernel);
  axis.stride = static_cast<uint32_t>(window.stride);
  axis.size = static_cast<uint32_t>(map);
  axis.disjoint = window.stride >= window.kernel && window.pad == 0 && window.dilation == 1 &&
                  (pools - 1) * window.stride + window.kernel <= map;
  if (axis.disjoint) {
    for (int64_t i = 0; i < map; ++i) axis.positions.push_back(i);
    return axis;
  }
  axis.stride = axis.members;
  axis.size = static_cast<uint32_t>(pools * window.kernel);
  for (int64_t i = 0; i < axis.size; ++i) {
    const int64_t at = window.SourceOf(i / window.kernel, i % window.kernel);
    axis.positions.push_back(at >= 0 && at < map ? at : -1);
  }
  return axis;
}

}  // namespace cssrun::internal
