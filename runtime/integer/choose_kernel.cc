#include "runtime/integer/choose_kernel.h"

#include <algorithm>
#include <cmath>

#include "format/geometry.h"

namespace cssrun::internal {
namespace {

// Weights have 16 bits if all weights of a layer then take at most this many bytes and stay near
// the core: widening 8 bits at every load halves the speed on some machines.
constexpr double kLargestWideTable = 256 << 10;

// Beyond 64 channels a tile's one long list, whose single end is mispredicted, is cheaper than the
// many short loops of a row scatter.
constexpr uint32_t kMostScatterBlocks = 2;

// A layer of fewer positions has more weights than spikes, so events cost less than levels. On maps
// of 2 x 2 and 128 channels (VGG-16-slim), levels take 8 % less time for the whole image.
constexpr uint32_t kFewestLevelPositions = 4;

// Larger tables, in bytes, do not fit a small second-level cache. Only then is it worth listing the
// spikes once more for each block, to read its weights while they are near. With a limit of 512
// KiB, a cache like a Raspberry Pi's misses 37 to 42 % less often than with 1 MiB, for 1 % more
// instructions; a Zen 5 takes as long with either (0.98 and 1.02).
constexpr uint64_t kFarTables = 512 << 10;
// With so few positions, listing the spikes that they see takes as long as adding them.
constexpr uint32_t kFewPositions = 4;

bool KeepsWide(const Connection& connection, const TargetLayer& target) {
  if (connection.identity() || connection.depthwise()) return true;
  // Weights stored per target and tap: for all sources, or for the words that hold its group.
  const format::Window& w = *connection.synapses->window();
  const double sources = connection.source.channels();
  const double kept =
      std::min(sources, std::max(sources / connection.synapses->groups(), double{kLineLanes}));
  const double taps = static_cast<double>(w.kernel_y()) * w.kernel_x();
  return target.channels() * taps * kept * sizeof(int16_t) <= kLargestWideTable;
}

bool CanTakeDepthwise(const Connection& connection, const TargetLayer& target) {
  return connection.depthwise() && connection.plain && connection.synapses->average() == nullptr &&
         connection.source_lanes.lanes == kLineLanes && target.lanes.lanes == kLineLanes &&
         connection.synapses->window()->kernel_x() <= kMostDepthwiseColumns;
}

// If sums are wide, every source that has levels is summed from them: event kernels add in 16 bits.
bool CanTakeWideLevels(const Connection& connection, const TargetLayer& target) {
  constexpr double kLargestByte = 255;
  const bool means = connection.synapses->average() != nullptr;
  return target.wide_sums && !connection.identity() && target.pools.disjoint() &&
         !connection.from_encoder && connection.level_zero.has_value() &&
         (!means || connection.composed.has_value()) && !format::IsSpread(*connection.synapses) &&
         LevelSumsFit(LevelConvShapeOf(connection, target), kLargestByte);
}

// Source and target hold the same channels in the same lanes.
bool CanTakeLevelDepthwise(const Connection& connection, const TargetLayer& target) {
  return connection.depthwise() && connection.synapses->average() == nullptr &&
         CanTakeWideLevels(connection, target) &&
         connection.source_lanes.lanes == target.lanes.lanes &&
         connection.source_lanes.blocks == target.lanes.blocks &&
         connection.synapses->window()->kernel_y() <= kMostLevelDepthwiseRows &&
         LargestDepthwiseWeight(*connection.synapses->window()) >= kLargestNarrowWeight;
}

// Whether the spikes of all steps are added as levels.
bool CanTakeLevels(const Connection& connection, const TargetLayer& target, uint32_t timesteps) {
  const format::Synapses& s = *connection.synapses;
  return target.settled && !connection.identity() && connection.plain && !connection.from_encoder &&
         connection.source_rectifies && s.groups() == 1 && s.average() == nullptr &&
         target.lanes.lanes >= kTileTargets &&
         target.pools.y.size * target.pools.x.size >= kFewestLevelPositions &&
         LevelSumsFit(LevelConvShapeOf(connection, target), std::exp2(timesteps) - 1);
}

// With strides and dilation, runs have too few targets; with one tap there are no runs.
bool CanScatterRows(const Connection& connection, const TargetLayer& target) {
  const format::Synapses& s = *connection.synapses;
  const format::Window& w = *s.window();
  const uint32_t blocks = std::max(connection.source_lanes.blocks, target.lanes.blocks);
  if (!connection.plain || s.groups() > 1 || s.average() != nullptr || w.kernel_x() == 1 ||
      blocks > kMostScatterBlocks) {
    return false;
  }
  const auto slides = [](const ScatterAxis& axis, int64_t pad) {
    return axis.stride == 1 && axis.dilation == 1 && pad >= 0;
  };
  return slides(connection.y, w.pad_top()) && slides(connection.x, w.pad_left());
}

}  // namespace

KernelChoice ChooseKernel(const Connection& connection, const TargetLayer& target,
                          uint32_t timesteps) {
  const WeightWidth width =
      KeepsWide(connection, target) ? WeightWidth::kWide : WeightWidth::kNarrow;
  if (connection.identity()) {
    if (!connection.plain) return {KernelKind::kTileGather, width};
    const bool levels = target.settled && connection.level_zero.has_value();
    return {levels ? KernelKind::kLevelShortcut : KernelKind::kEventShortcut, width};
  }
  if (CanTakeLevelDepthwise(connection, target)) return {KernelKind::kLevelDepthwise, width};
  if (CanTakeWideLevels(connection, target)) {
    return {KernelKind::kLevelConv, WeightWidth::kNarrow};
  }
  if (CanTakeDepthwise(connection, target)) return {KernelKind::kDepthwise, width};
  if (CanTakeLevels(connection, target, timesteps)) {
    return {KernelKind::kLevelConv, WeightWidth::kNarrow};
  }
  if (CanScatterRows(connection, target)) return {KernelKind::kRowScatter, width};
  return {KernelKind::kTileGather, width};
}

bool SumsStayInRegisters(const TargetLayer& target, std::span<const KernelChoice> choices) {
  size_t levels = 0;
  for (const KernelChoice& choice : choices) {
    if (choice.kind == KernelKind::kLevelShortcut) continue;
    if (!IsLevelSum(choice.kind)) return false;
    ++levels;
  }
  return levels == 1 && target.pools.disjoint();
}

uint32_t ChooseBlocksTogether(const IntegerLayer& layer) {
  const uint32_t all = layer.membranes.lanes.blocks;
  if (layer.settled() != nullptr || layer.pixel_scale != nullptr) return all;
  uint32_t together = 1;
  for (const IntegerSynapses& s : layer.synapses) {
    if (std::holds_alternative<Depthwise>(s.kernel)) return all;
    const auto* gather = std::get_if<TileGather>(&s.kernel);
    if (gather == nullptr) continue;
    const uint64_t bytes = gather->tables_size() * WeightBytes(WidthOf(gather->tables));
    if (bytes < kFarTables || layer.membranes.rows * layer.membranes.columns < kFewPositions) {
      return all;
    }
    together = std::max(together, gather->set_blocks);
  }
  return together;
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

LevelConvShape LevelConvShapeOf(const Connection& connection, const TargetLayer& target) {
  LevelConvShape shape;
  shape.source = connection.source;
  shape.source_stride = connection.source_lanes.stride();
  shape.target_channels = target.channels();
  shape.target_columns = target.pools.x.size;
  shape.groups = connection.synapses->groups();
  shape.window = connection.level_window();
  shape.largest_byte = connection.largest_level_byte;
  return shape;
}

LevelDepthwiseShape LevelDepthwiseShapeOf(const Connection& connection, const TargetLayer& target) {
  LevelDepthwiseShape shape;
  shape.source = connection.source;
  shape.lanes = connection.source_lanes;
  shape.target_columns = target.pools.x.size;
  shape.window = *connection.synapses->window();
  return shape;
}

}  // namespace cssrun::internal
