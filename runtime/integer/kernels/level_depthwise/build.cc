// LevelDepthwise from the synapses of a network.
#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"

namespace cssrun::internal {

// Source and target hold the same channels in the same lanes.
bool LevelDepthwise::Takes(const Connection& connection, const TargetLayer& target) {
  return !connection.identity() && connection.depthwise() &&
         connection.synapses->average() == nullptr && TakesWideLevels(connection, target) &&
         connection.source_lanes.lanes == target.lanes.lanes &&
         connection.source_lanes.blocks == target.lanes.blocks &&
         connection.synapses->window()->kernel_y() <= kMostLevelDepthwiseRows &&
         LargestDepthwiseWeight(*connection.synapses->window()) >= kLargestNarrowWeight;
}

std::optional<LevelDepthwise> LevelDepthwise::Build(const KernelRequest& request,
                                                    std::string& reason) {
  if (!LevelsFit(request, reason)) return std::nullopt;
  const Connection& c = request.connection;
  LevelDepthwiseShape shape;
  shape.source = c.source;
  shape.lanes = c.source_lanes;
  shape.target_columns = request.target.pools.x.size;
  shape.window = *c.synapses->window();
  return MakeLevelDepthwise(shape, {c.weights(), request.scales});
}

StoredWeights LevelDepthwise::Stored(const LaneLayout&) const {
  return {WeightType::kFloat, blocks * taps() * kLineLanes};
}

}  // namespace cssrun::internal
