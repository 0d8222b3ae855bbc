// TileGather from the synapses of a network, whatever they are.
#include <utility>

#include "format/geometry.h"
#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/tile_gather/tile_gather.h"

namespace cssrun::internal {
namespace {

TileGatherShape TileGatherShapeOf(const Connection& c, const TargetLayer& target) {
  TileGatherShape shape;
  shape.source = c.source;
  shape.source_lanes = c.source_lanes;
  shape.view = c.view;
  shape.rows = target.pools.y.positions;
  shape.columns = target.pools.x.positions;
  shape.target_channels = target.channels();
  shape.target_lanes = target.lanes;
  shape.groups = c.synapses->groups();
  shape.window = *c.synapses->window();
  return shape;
}

// An identity as a convolution between equal channels: [target][source].
std::vector<float> DiagonalOf(const Connection& c, const TargetLayer& target) {
  const size_t sources = c.source.channels();
  std::vector<float> diagonal(target.channels() * sources, 0.0F);
  for (size_t source = 0; source < sources; ++source) {
    const int64_t to = static_cast<int64_t>(source) + c.synapses->channel_offset();
    if (to < 0 || to >= target.channels()) continue;
    diagonal[static_cast<size_t>(to) * sources + source] = *c.weights();
  }
  return diagonal;
}

}  // namespace

bool TileGather::Takes(const Connection&, const TargetLayer&) { return true; }

std::optional<TileGather> TileGather::Build(const KernelRequest& request, std::string& reason) {
  const Connection& c = request.connection;
  const TileGatherShape shape = TileGatherShapeOf(c, request.target);
  if (!TableRowsFit(shape)) {
    reason = "synapses of too many sources";
    return std::nullopt;
  }
  std::optional<TileGather> kernel = PlanTileGather(shape);
  const uint64_t given =
      c.identity() ? Neurons(*request.target.node->potential()) : c.synapses->weights()->size();
  if (IsTooLarge(static_cast<double>(kernel->tables_size()), given)) {
    reason = "synapses that take too much memory in tables";
    return std::nullopt;
  }
  std::vector<float> diagonal;
  if (c.identity()) diagonal = DiagonalOf(c, request.target);
  FillTileGather(shape, {c.identity() ? diagonal.data() : c.weights(), request.scales},
                 request.width, *kernel);
  return kernel;
}

StoredWeights TileGather::Stored(const LaneLayout&) const {
  return {TypeOf(tables), tables_size()};
}

}  // namespace cssrun::internal
