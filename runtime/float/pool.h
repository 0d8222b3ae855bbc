// The membranes that one neuron fires from: its own, or the members of its pool.
#ifndef CSSRUN_RUNTIME_FLOAT_POOL_H_
#define CSSRUN_RUNTIME_FLOAT_POOL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/assert.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// A rectangle of the map of membranes: rows [first_row, last_row), columns [first_column,
// last_column). Positions beyond the map are no members.
struct PoolMembers {
  size_t first_row = 0;
  size_t last_row = 0;
  size_t first_column = 0;
  size_t last_column = 0;
};

// The members of the neuron at row `y`, column `x` of the map of spikes; at least one.
inline PoolMembers MembersOf(const Layer& layer, uint32_t y, uint32_t x) {
  CSSRUN_ASSERT(y < layer.extent.height() && x < layer.extent.width());
  if (!layer.pool.has_value()) return {y, y + size_t{1}, x, x + size_t{1}};
  const format::Window& pool = *layer.pool;
  const int64_t top = int64_t{y} * pool.stride_y() - pool.pad_top();
  const int64_t left = int64_t{x} * pool.stride_x() - pool.pad_left();
  const auto clip = [](int64_t value, uint32_t size) {
    return static_cast<size_t>(std::clamp<int64_t>(value, 0, size));
  };
  return {
      clip(top, layer.potential.height()), clip(top + pool.kernel_y(), layer.potential.height()),
      clip(left, layer.potential.width()), clip(left + pool.kernel_x(), layer.potential.width())};
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_POOL_H_
