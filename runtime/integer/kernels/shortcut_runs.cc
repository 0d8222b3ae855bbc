#include "runtime/integer/kernels/shortcut_runs.h"

#include "runtime/assert.h"
#include "runtime/integer/connection.h"

namespace cssrun::internal {

ShortcutShape ShortcutShapeOf(const Connection& connection, const TargetLayer& target) {
  ShortcutShape shape;
  shape.source = connection.source;
  shape.source_lanes = connection.source_lanes;
  shape.view = connection.view;
  shape.x = connection.x;
  shape.target_channels = target.channels();
  shape.target_lanes = target.lanes;
  shape.target_columns = target.map_columns;
  shape.channel_offset = connection.synapses->channel_offset();
  return shape;
}

ShortcutRuns PlanShortcutRuns(const ShortcutShape& shape) {
  CSSRUN_ASSERT(shape.view.disjoint());
  ShortcutRuns plan;
  const uint32_t stride = shape.source_lanes.stride();
  const auto lanes = static_cast<int64_t>(shape.target_lanes.lanes);
  const std::vector<uint32_t> readers =
      CountReaders(shape.x, shape.view.x, shape.source.width(), shape.target_columns);
  plan.targets.assign(RoundUpToLines(size_t{shape.source.width()} * stride), -1);
  std::vector<std::vector<ShortcutRun>> by_block(shape.target_lanes.blocks);
  ShortcutRun* run = nullptr;
  int64_t last_lane = -1;  // of the neuron before, if it has a target
  int64_t last_block = -1;
  for (uint32_t index = 0; index < plan.targets.size(); ++index) {
    const uint32_t channel = index % stride;
    const uint32_t column = index / stride;
    const int64_t target = int64_t{channel} + shape.channel_offset;
    const bool exists = column < shape.source.width() && readers[column] != 0 &&
                        channel < shape.source.channels() && target >= 0 &&
                        target < shape.target_channels;
    if (!exists) {
      last_lane = -1;
      continue;
    }
    plan.targets[index] = static_cast<int32_t>(target);
    const auto view_column = column / static_cast<size_t>(shape.view.x.divisor);
    const int64_t block = target / lanes;
    const int64_t lane = shape.x.places[view_column].first * lanes + target % lanes;
    const uint32_t bit = index % kLineLanes;
    if (last_lane < 0 || block != last_block || lane != last_lane + 1 || bit == 0) {
      by_block[static_cast<size_t>(block)].push_back(
          {index / kLineLanes, bit, 0, static_cast<uint32_t>(lane)});
      run = &by_block[static_cast<size_t>(block)].back();
    }
    CSSRUN_ASSERT(lane >= 0);
    run->mask |= uint32_t{1} << (bit - run->first);
    last_lane = lane;
    last_block = block;
  }
  plan.bounds.push_back(0);
  for (const auto& runs : by_block) {
    plan.runs.insert(plan.runs.end(), runs.begin(), runs.end());
    plan.bounds.push_back(static_cast<uint32_t>(plan.runs.size()));
  }
  return plan;
}

}  // namespace cssrun::internal
