#include "runtime/integer/levels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/integer/lane_layout.h"

namespace cssrun::internal {

bool LevelSumsFit(const LevelsShape& shape, double most, double largest) {
  const format::Window& w = *shape.window;
  const double sources = static_cast<double>(w.kernel_y()) * w.kernel_x() * shape.source_channels;
  return sources * most * largest <= std::numeric_limits<int32_t>::max();
}

double LevelsSize(const LevelsShape& shape) {
  const format::Window& w = *shape.window;
  const double beyond = std::abs(static_cast<double>(w.pad_left())) +
                        static_cast<double>(w.kernel_x()) * w.dilation_x();
  const double columns = std::max(static_cast<double>(shape.source_columns),
                                  static_cast<double>(shape.target_columns) * w.stride_x());
  return (columns + beyond + kChunkLanes) * shape.source_stride * shape.source_rows;
}

LevelsPlan PlanLevels(const LevelsShape& shape) {
  const format::Window& w = *shape.window;
  LevelsPlan plan;
  plan.source_rows = shape.source_rows;
  plan.source_stride = shape.source_stride;
  plan.quads = (shape.source_channels + kQuad - 1) / kQuad;
  plan.targets = shape.target_channels > kLevelTargets ? 2 * kLevelTargets : kLevelTargets;
  plan.groups = (shape.target_channels + plan.targets - 1) / plan.targets;
  const int64_t seen = (int64_t{shape.target_columns} - 1) * w.stride_x() - w.pad_left() +
                       (int64_t{w.kernel_x()} - 1) * w.dilation_x() + 1;
  plan.left = static_cast<uint32_t>(std::max<int64_t>(w.pad_left(), 0) * shape.source_stride);
  plan.right = static_cast<uint32_t>(std::max<int64_t>(seen, 0) * shape.source_stride);
  return plan;
}

std::vector<int16_t> LevelWeights(const LevelsShape& shape, const LevelsPlan& plan,
                                  const float* weights, const std::vector<double>& scales) {
  const size_t taps =
      static_cast<size_t>(shape.window->kernel_y()) * static_cast<size_t>(shape.window->kernel_x());
  std::vector<int16_t> units(plan.groups * plan.group_size(*shape.window));
  for (size_t target = 0; target < shape.target_channels; ++target) {
    const size_t group = target / plan.targets;
    for (size_t c = 0; c < shape.source_channels; ++c) {
      for (size_t tap = 0; tap < taps; ++tap) {
        const size_t quad = (group * taps + tap) * plan.quads + c / kQuad;
        units[(quad * plan.targets + target % plan.targets) * kQuad + c % kQuad] =
            static_cast<int16_t>(std::nearbyint(static_cast<double>(*weights++) * scales[target]));
      }
    }
  }
  return units;
}

}  // namespace cssrun::internal
