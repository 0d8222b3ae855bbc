// RowScatter from the synapses of a network: convolutions with stride 1 between few channels.
#include <algorithm>

#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/row_scatter/row_scatter.h"

namespace cssrun::internal {
namespace {

// Beyond 64 channels a tile's one long list, whose single end is mispredicted, is cheaper than the
// many short loops of a row scatter.
constexpr uint32_t kMostScatterBlocks = 2;

}  // namespace

// With strides and dilation, runs have too few targets; with one tap there are no runs.
bool RowScatter::Takes(const Connection& connection, const TargetLayer& target) {
  const format::Synapses& s = *connection.synapses;
  const format::Window& w = *s.window();
  const uint32_t blocks = std::max(connection.source_lanes.blocks, target.lanes.blocks);
  if (connection.identity() || !connection.plain || s.groups() > 1 || s.average() != nullptr ||
      w.kernel_x() == 1 || blocks > kMostScatterBlocks) {
    return false;
  }
  const auto slides = [](const ScatterAxis& axis, int64_t pad) {
    return axis.stride == 1 && axis.dilation == 1 && pad >= 0;
  };
  return slides(connection.y, w.pad_top()) && slides(connection.x, w.pad_left());
}

RowScatterShape RowScatterShapeOf(const Connection& connection, const TargetLayer& target) {
  RowScatterShape shape;
  shape.source_channels = connection.source.channels();
  shape.source_columns = connection.source.width();
  shape.source_lanes = connection.source_lanes;
  shape.target_channels = target.channels();
  shape.target_columns = target.map_columns;
  shape.target_lanes = target.lanes;
  shape.window = *connection.synapses->window();
  return shape;
}

std::optional<RowScatter> RowScatter::Build(const KernelRequest& request, std::string& reason) {
  const Connection& c = request.connection;
  const MembraneLayout& membranes = request.membranes;
  const RowScatterShape shape = RowScatterShapeOf(c, request.target);
  std::optional<RowScatter> kernel(std::in_place);
  kernel->slide = PlanSlide(shape, membranes.guard_lanes);
  const uint64_t size = kernel->slide.block_size() * membranes.lanes.blocks;
  if (IsTooLarge(static_cast<double>(size), c.synapses->weights()->size())) {
    reason = "synapses that take too much memory in blocks";
    return std::nullopt;
  }
  kernel->rows = PlanScatterRows(c.y, c.view.y, c.source.height(), membranes.rows);
  FillRowScatter(shape, {c.weights(), request.scales}, membranes.guard_lanes, request.width,
                 *kernel);
  return kernel;
}

StoredWeights RowScatter::Stored(const LaneLayout& target) const {
  return {TypeOf(weights), slide.block_size() * target.blocks};
}

}  // namespace cssrun::internal
