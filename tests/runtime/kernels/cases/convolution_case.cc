#include "tests/runtime/kernels/cases/convolution_case.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "format/geometry.h"

namespace cssrun::internal {
namespace {

using format::Extent;
using format::Window;

// The largest weight in units of the given shape. Where it can be a row scatter, no sum of a row of
// the kernel may exceed 16 bits.
double LargestUnits(const ConvolutionShape& shape, bool slides) {
  double largest = shape.largest_weight != 0 ? shape.largest_weight : LargestWeight(shape.width);
  if (slides) {
    const double sources = shape.source.channels();
    largest = std::min(largest, std::floor(32767 / (sources * shape.window.kernel_x())));
  }
  return largest;
}

LayerPools MakePools(const Extent& map, const std::optional<Window>& pool) {
  LayerPools pools;
  pools.rows = static_cast<uint32_t>(pool ? WindowRows(*pool, map.height()) : map.height());
  pools.columns = static_cast<uint32_t>(pool ? WindowColumns(*pool, map.width()) : map.width());
  pools.y = MakePoolAxis(map.height(), pools.rows, pool ? RowsOf(*pool) : WindowAxis());
  pools.x = MakePoolAxis(map.width(), pools.columns, pool ? ColumnsOf(*pool) : WindowAxis());
  return pools;
}

LaneLayout LanesOf(uint32_t channels, const LayerPools& pools) {
  LaneLayout lanes = LaneLayout::For(channels);
  if (!pools.disjoint()) lanes.lanes = kLineLanes;
  return lanes;
}

MembraneLayout LayOut(const LaneLayout& lanes, const LayerPools& pools, uint32_t guard_lanes) {
  MembraneLayout membranes;
  membranes.lanes = lanes;
  membranes.rows = pools.y.size;
  membranes.columns = pools.x.size;
  membranes.guard_lanes = guard_lanes;
  membranes.row_lanes = static_cast<uint32_t>(
      RoundUpToLines(guard_lanes + size_t{membranes.columns} * lanes.lanes) + kLineLanes);
  return membranes;
}

flatbuffers::DetachedBuffer Pack(const ConvolutionShape& shape, std::vector<float> weights,
                                 format::SynapseKind kind) {
  format::SynapsesT synapses;
  synapses.kind = kind;
  synapses.window = std::make_unique<Window>(shape.window);
  if (shape.mean) synapses.average = std::make_unique<Window>(*shape.mean);
  synapses.spread_y = shape.spread_y;
  synapses.spread_x = shape.spread_x;
  synapses.groups = shape.groups;
  synapses.channel_offset = shape.channel_offset;
  synapses.weights = std::move(weights);
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(format::CreateSynapses(builder, &synapses));
  return builder.Release();
}

bool Slides(const ScatterAxis& axis, int32_t pad) {
  return axis.stride == 1 && axis.dilation == 1 && pad >= 0;
}

}  // namespace

ConvolutionCase::ConvolutionCase(const ConvolutionShape& given, WeightDraw draw, uint32_t seed)
    : shape(given) {
  const Window& w = shape.window;
  const Extent& source = shape.source;
  source_lanes =
      shape.image ? LaneLayout::ForImage(source.channels()) : LaneLayout::For(source.channels());
  buffer = Pack(shape, {}, format::SynapseKind::Convolution);
  view = ViewSource(synapses(), source);
  map = Extent(shape.targets, static_cast<uint32_t>(WindowRows(w, view.y.size)),
               static_cast<uint32_t>(WindowColumns(w, view.x.size)));
  y = MakeScatterAxis(view.y.size, map.height(), RowsOf(w));
  x = MakeScatterAxis(view.x.size, map.width(), ColumnsOf(w));
  pools = MakePools(map, shape.pool);
  target_lanes = LanesOf(shape.targets, pools);
  const bool slides = Slides(y, w.pad_top()) && Slides(x, w.pad_left()) && !shape.mean &&
                      shape.spread_y == 1 && shape.spread_x == 1 && shape.groups == 1 &&
                      w.kernel_x() > 1;

  std::mt19937 generator(seed);
  const double largest = LargestUnits(shape, slides);
  std::uniform_real_distribution<double> share(0.3, 1);
  for (uint32_t c = 0; c < shape.targets; ++c) {
    // A power of two gives halves of a unit; extremes are exact.
    const double scale = c % 4 == 0 ? std::exp2(std::floor(std::log2(largest))) : largest;
    const bool less = draw == WeightDraw::kRandom && c % 4 != 0;
    scales.push_back(draw == WeightDraw::kRandom ? scale * (less ? share(generator) : 1) : largest);
  }
  const size_t fan_in = static_cast<size_t>(w.kernel_y()) * static_cast<size_t>(w.kernel_x()) *
                        (source.channels() / shape.groups);
  std::vector<float> weights(fan_in * shape.targets);
  std::uniform_int_distribution<int> steps(-1024, 1024);
  std::normal_distribution<float> normal(0, 0.25F);
  for (float& weight : weights) {
    const int step = steps(generator);
    weight = static_cast<float>(step) / 1024.0F;
    if (draw == WeightDraw::kExtreme) weight = step < 0 ? -1.0F : 1.0F;
    if (draw == WeightDraw::kOneSign) weight = 1.0F;
    if (draw == WeightDraw::kNormal) weight = std::clamp(normal(generator), -1.0F, 1.0F);
  }
  buffer = Pack(shape, std::move(weights), format::SynapseKind::Convolution);

  uint32_t guard = shape.guard_columns * target_lanes.lanes;
  if (slides) {
    guard +=
        static_cast<uint32_t>(RoundUpToLines(static_cast<size_t>(x.taps - 1) * target_lanes.lanes));
  }
  membranes = LayOut(target_lanes, pools, guard);
  if (slides) {
    const uint32_t end = PlanSlide(RowScatterShapeOf(*this), guard).end_lane();
    membranes.row_lanes =
        std::max(membranes.row_lanes, static_cast<uint32_t>(RoundUpToLines(end)) + kLineLanes);
  }
}

ConvolutionCase IdentityCase(const ConvolutionShape& shape) {
  ConvolutionCase c(shape, WeightDraw::kOneSign, 1);
  c.buffer = Pack(shape, {static_cast<float>(kIdentityWeight)}, format::SynapseKind::Identity);
  for (size_t channel = 0; channel < c.scales.size(); ++channel) {
    c.scales[channel] = kLargestIdentity / kIdentityWeight / static_cast<double>(channel % 50 + 1);
  }
  return c;
}

TileGatherShape TileGatherShapeOf(const ConvolutionCase& c) {
  TileGatherShape shape;
  shape.source = c.shape.source;
  shape.source_lanes = c.source_lanes;
  shape.view = c.view;
  shape.rows = c.pools.y.positions;
  shape.columns = c.pools.x.positions;
  shape.target_channels = c.shape.targets;
  shape.target_lanes = c.target_lanes;
  shape.groups = c.shape.groups;
  shape.window = c.shape.window;
  return shape;
}

TileGather MakeTileGather(const ConvolutionCase& c) {
  const TileGatherShape shape = TileGatherShapeOf(c);
  TileGather kernel = PlanTileGather(shape);
  FillTileGather(shape, c.scaled(), c.shape.width, kernel);
  return kernel;
}

RowScatterShape RowScatterShapeOf(const ConvolutionCase& c) {
  RowScatterShape shape;
  shape.source_channels = c.shape.source.channels();
  shape.source_columns = c.shape.source.width();
  shape.source_lanes = c.source_lanes;
  shape.target_channels = c.shape.targets;
  shape.target_columns = c.map.width();
  shape.target_lanes = c.target_lanes;
  shape.window = c.shape.window;
  return shape;
}

RowScatter MakeRowScatter(const ConvolutionCase& c) {
  const RowScatterShape shape = RowScatterShapeOf(c);
  RowScatter kernel;
  kernel.slide = PlanSlide(shape, c.membranes.guard_lanes);
  kernel.rows = PlanScatterRows(c.y, c.view.y, c.shape.source.height(), c.membranes.rows);
  FillRowScatter(shape, c.scaled(), c.membranes.guard_lanes, c.shape.width, kernel);
  return kernel;
}

Depthwise MakeDepthwise(const ConvolutionCase& c) {
  Depthwise kernel;
  kernel.source_rows = c.shape.source.height();
  kernel.source_columns = c.shape.source.width();
  kernel.window = c.shape.window;
  FillDepthwise(c.scaled(), c.shape.targets, kernel);
  return kernel;
}

ShortcutShape ShortcutShapeOf(const ConvolutionCase& c) {
  ShortcutShape shape;
  shape.source = c.shape.source;
  shape.source_lanes = c.source_lanes;
  shape.view = c.view;
  shape.x = c.x;
  shape.target_channels = c.shape.targets;
  shape.target_lanes = c.target_lanes;
  shape.target_columns = c.map.width();
  shape.channel_offset = c.shape.channel_offset;
  return shape;
}

EventShortcut MakeEventShortcut(const ConvolutionCase& c) {
  return MakeEventShortcut(
      PlanScatterRows(c.y, c.view.y, c.shape.source.height(), c.membranes.rows),
      PlanShortcutRuns(ShortcutShapeOf(c)), kIdentityWeight, c.scales);
}

LevelShortcut MakeLevelShortcut(const ConvolutionCase& c) {
  LevelShortcut kernel;
  kernel.weight = 0.7F;
  kernel.rows = RowsOf(c.shape.window);
  kernel.row_divisor = c.view.y.divisor;
  // Rows that belong to no mean bring nothing.
  kernel.source_rows = static_cast<uint32_t>(
      std::min<int64_t>(c.shape.source.height(), c.view.y.size * c.view.y.divisor));
  kernel.runs = PlanShortcutRuns(ShortcutShapeOf(c));
  return kernel;
}

LevelConvShape LevelConvShapeOf(const ConvolutionCase& c) {
  LevelConvShape shape;
  shape.source = c.shape.source;
  shape.source_stride = c.source_lanes.stride();
  shape.target_channels = c.shape.targets;
  shape.target_rows = c.membranes.rows;
  shape.target_columns = c.membranes.columns;
  shape.groups = c.shape.groups;
  shape.window = c.shape.window;
  return shape;
}

LevelDepthwiseShape LevelDepthwiseShapeOf(const ConvolutionCase& c) {
  LevelDepthwiseShape shape;
  shape.source = c.shape.source;
  shape.lanes = c.source_lanes;
  shape.target_columns = c.membranes.columns;
  shape.window = c.shape.window;
  return shape;
}

LevelLayout LevelLayoutOf(const ConvolutionCase& c) {
  LevelLayout layout;
  layout.row_size = static_cast<uint32_t>(
      RoundUpToLines(size_t{c.shape.source.width()} * c.source_lanes.stride()));
  return layout;
}

LevelLayout LevelLayoutOf(const ConvolutionCase& c, uint32_t left, uint32_t right) {
  LevelLayout layout = LevelLayoutOf(c);
  layout.before = left;
  layout.row_size = left + std::max(layout.row_size, right);
  return layout;
}

LevelLayout LevelLayoutOf(const ConvolutionCase& c, const LevelConv& kernel) {
  return LevelLayoutOf(c, kernel.left, kernel.right);
}

ReadoutShape ReadoutShapeOf(const ConvolutionCase& c) {
  ReadoutShape shape;
  shape.logits = c.shape.targets;
  shape.row_size = (size_t{c.shape.targets} + 15) / 16 * 16;
  shape.source = c.shape.source;
  shape.source_lanes = c.source_lanes;
  shape.view = c.view;
  return shape;
}

LayerPools PoolsOf(const NeuronShape& shape) { return MakePools(shape.map, shape.pool); }

LayerPools SettledPoolsOf(const NeuronShape& shape) {
  LayerPools pools = MakePools(shape.map, std::nullopt);
  if (!shape.pool) return pools;
  pools.rows = static_cast<uint32_t>(WindowRows(*shape.pool, shape.map.height()));
  pools.columns = static_cast<uint32_t>(WindowColumns(*shape.pool, shape.map.width()));
  pools.windows = {RowsOf(*shape.pool), ColumnsOf(*shape.pool)};
  return pools;
}

MembraneLayout MembranesOf(const NeuronShape& shape, const LayerPools& pools) {
  const LaneLayout lanes = LanesOf(shape.map.channels(), pools);
  return LayOut(lanes, pools, shape.guard_columns * lanes.lanes);
}

}  // namespace cssrun::internal
