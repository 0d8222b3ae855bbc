// LevelConv from the synapses of a network.
#include <cmath>

#include "format/geometry.h"
#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {
namespace {

// A layer of fewer positions has more weights than spikes, so events cost less than levels. On maps
// of 2 x 2 and 128 channels (VGG-16-slim), levels take 8 % less time for the whole image.
constexpr uint32_t kFewestLevelPositions = 4;

// Whether levels are worth it where sums have 16 bits, to which event kernels could add as well.
bool TakesNarrowLevels(const Connection& connection, const TargetLayer& target) {
  const format::Synapses& s = *connection.synapses;
  return target.settled && !connection.identity() && connection.plain && !connection.from_encoder &&
         connection.source_rectifies && s.groups() == 1 && s.average() == nullptr &&
         target.lanes.lanes >= kTileTargets &&
         target.pools.y.size * target.pools.x.size >= kFewestLevelPositions &&
         LevelSumsFit(LevelConvShapeOf(connection, target), std::exp2(target.timesteps) - 1);
}

}  // namespace

bool TakesWideLevels(const Connection& connection, const TargetLayer& target) {
  constexpr double kLargestByte = 255;
  const bool means = connection.synapses->average() != nullptr;
  return target.wide_sums && !connection.identity() && target.pools.disjoint() &&
         !connection.from_encoder && connection.level_zero.has_value() &&
         (!means || connection.composed.has_value()) && !format::IsSpread(*connection.synapses) &&
         LevelSumsFit(LevelConvShapeOf(connection, target), kLargestByte);
}

bool LevelConv::Takes(const Connection& connection, const TargetLayer& target) {
  return TakesWideLevels(connection, target) || TakesNarrowLevels(connection, target);
}

LevelConvShape LevelConvShapeOf(const Connection& connection, const TargetLayer& target) {
  LevelConvShape shape;
  shape.source = connection.source;
  shape.source_stride = connection.source_lanes.stride();
  shape.target_channels = target.channels();
  shape.target_rows = target.pools.y.size;
  shape.target_columns = target.pools.x.size;
  shape.groups = connection.synapses->groups();
  shape.window = connection.level_window();
  shape.largest_byte = connection.largest_level_byte;
  return shape;
}

bool LevelsFit(const KernelRequest& request, std::string& reason) {
  const Connection& c = request.connection;
  if (!IsTooLarge(LevelBytes(LevelConvShapeOf(c, request.target)), Neurons(c.source))) return true;
  reason = "windows that reach too far beyond the map";
  return false;
}

std::optional<LevelConv> LevelConv::Build(const KernelRequest& request, std::string& reason) {
  if (!LevelsFit(request, reason)) return std::nullopt;
  const Connection& c = request.connection;
  const LevelConvShape shape = LevelConvShapeOf(c, request.target);
  LevelConv kernel = MakeLevelConv(shape, {c.level_weights().data(), request.scales});
  if (c.level_zero == 0 && request.target.wide_sums) PlanWinograd(shape, kernel);
  return kernel;
}

StoredWeights LevelConv::Stored(const LaneLayout&) const {
  if (winograd.empty()) return {WeightType::kInt8, size()};
  return {WeightType::kInt8,
          size() + size_t{tiles} * targets / winograd.targets * winograd.tile_size()};
}

}  // namespace cssrun::internal
