// Lays out a LevelConv at load time.
#include "runtime/integer/kernels/level_conv/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {

namespace {

// Quads [first, last) of a position that a tile reads: those of its targets' groups.
struct QuadRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

QuadRange QuadsOf(const LevelConvShape& shape, uint32_t targets, uint32_t tile) {
  const uint32_t group_targets = shape.target_channels / shape.groups;
  const uint32_t group_sources = shape.source.channels() / shape.groups;
  if (tile * targets >= shape.target_channels) return {};
  const uint32_t last_target = std::min((tile + 1) * targets, shape.target_channels) - 1;
  return {tile * targets / group_targets * group_sources / kQuad,
          ((last_target / group_targets + 1) * group_sources + kQuad - 1) / kQuad};
}

// Where each tile's quads begin, and how many all tiles have.
void PlanQuads(const LevelConvShape& shape, LevelConv& kernel) {
  const uint32_t all = (shape.source.channels() + kQuad - 1) / kQuad;
  for (uint32_t t = 0; t < kernel.tiles; ++t) {
    const QuadRange range = QuadsOf(shape, kernel.targets, t);
    kernel.quads = std::max(kernel.quads, range.last - range.first);
    kernel.first_quads.push_back(range.first);
  }
  for (uint32_t& first : kernel.first_quads) first = std::min(first, all - kernel.quads);
}

// What brings all weights of a target, in units, into a byte.
int OffsetOf(std::span<const int> units) {
  const int least = std::min(0, std::ranges::min(units));
  const int most = std::max(0, std::ranges::max(units));
  CSSRUN_ASSERT(most - least <= kLargestWeightSpread);
  return std::max(most, -least) <= kLargestNarrowWeight ? 0 : most - kLargestNarrowWeight;
}

// [tile][target], where there are any.
void KeepOffsets(std::vector<int32_t> offsets, LevelConv& kernel) {
  kernel.tile_has_offsets.assign(kernel.tiles, 0);
  bool any = false;
  for (size_t k = 0; k < offsets.size(); ++k) {
    if (offsets[k] == 0) continue;
    kernel.tile_has_offsets[k / kernel.targets] = 1;
    any = true;
  }
  if (any) kernel.weight_offsets = std::move(offsets);
}

// Where weights of source `of_tile`, of those that a tile reads, are from those of its first
// source.
size_t SourceOffset(const LevelConv& kernel, size_t of_tile) {
  return of_tile / kQuad * kernel.targets * kQuad + of_tile % kQuad;
}

}  // namespace

bool LevelSumsFit(const LevelConvShape& shape, double largest_level, int largest_weight) {
  const format::Window& w = shape.window;
  const uint32_t of_group = shape.source.channels() / shape.groups;
  const double sources = static_cast<double>(w.kernel_y()) * w.kernel_x() * of_group;
  return sources * largest_level * largest_weight <= std::numeric_limits<int32_t>::max();
}

double LevelBytes(const LevelConvShape& shape) {
  const format::Window& w = shape.window;
  const double beyond = std::abs(static_cast<double>(w.pad_left())) +
                        static_cast<double>(w.kernel_x()) * w.dilation_x();
  const double columns = std::max(static_cast<double>(shape.source.width()),
                                  static_cast<double>(shape.target_columns) * w.stride_x());
  return (columns + beyond + kLineLanes) * shape.source_stride * shape.source.height();
}

LevelConv PlanLevelConv(const LevelConvShape& shape, uint32_t planes) {
  CSSRUN_ASSERT(shape.source_stride % kQuad == 0);  // quads never cross positions
  const WindowAxis x = ColumnsOf(shape.window);
  LevelConv kernel;
  kernel.window = shape.window;
  kernel.source_rows = shape.source.height();
  kernel.source_stride = shape.source_stride;
  kernel.planes = planes;
  // Of groups, a narrow tile reads fewer quads that are not its targets'.
  const bool wide = shape.target_channels > kTileTargets && shape.groups == 1;
  kernel.targets = wide ? 2 * kTileTargets : kTileTargets;
  // All lanes of the last block: what no tile writes would fire.
  const uint32_t lanes = LaneLayout::For(shape.target_channels).stride();
  kernel.tiles = (lanes + kernel.targets - 1) / kernel.targets;
  PlanQuads(shape, kernel);
  const int64_t seen = x.SourceOf(int64_t{shape.target_columns} - 1, x.kernel - 1) + 1;
  kernel.left = static_cast<uint32_t>(std::max<int64_t>(x.pad, 0) * shape.source_stride);
  kernel.right = static_cast<uint32_t>(std::max<int64_t>(seen, 0) * shape.source_stride);
  kernel.weights = AllocateAligned<int8_t>(kernel.size());
  std::fill_n(kernel.weights.get(), kernel.size(), int8_t{0});
  return kernel;
}

int8_t* WeightsAt(LevelConv& kernel, size_t plane, size_t target, size_t source) {
  const size_t tile = target / kernel.targets;
  const size_t lane = target % kernel.targets;
  const size_t of_tile = source - size_t{kernel.first_quads[tile]} * kQuad;
  return kernel.weights.get() + tile * kernel.tile_size() + plane * kernel.plane_size() +
         lane * kQuad + SourceOffset(kernel, of_tile);
}

LevelConv MakeLevelConv(const LevelConvShape& shape, const ScaledWeights& weights) {
  CSSRUN_ASSERT(weights.scales.size() == shape.target_channels);
  LevelConv kernel = PlanLevelConv(shape, 1);
  const auto kernel_x = static_cast<size_t>(shape.window.kernel_x());
  const size_t kernel_y = kernel.kernel_rows();
  kernel.row_sums.assign(kernel.tiles * kernel_y * kernel.targets, 0);
  std::vector<int32_t> offsets(size_t{kernel.tiles} * kernel.targets, 0);
  const size_t group_sources = shape.source.channels() / shape.groups;
  const size_t group_targets = shape.target_channels / shape.groups;
  std::vector<int> units(group_sources * kernel_y * kernel_x);  // of one target: [source][ky][kx]
  for (size_t target = 0; target < shape.target_channels; ++target) {
    for (size_t i = 0; i < units.size(); ++i) {
      units[i] = static_cast<int>(weights.Units(target, target * units.size() + i));
    }
    const size_t tile = target / kernel.targets;
    const size_t lane = target % kernel.targets;
    const int offset = OffsetOf(units);
    offsets[target] = offset;
    const size_t first_seen = size_t{kernel.first_quads[tile]} * kQuad;
    int8_t* const of_target = WeightsAt(kernel, 0, target, first_seen);
    // An offset applies to all levels of the window, those of other groups included.
    for (size_t c = 0; c < size_t{kernel.quads} * kQuad && offset != 0; ++c) {
      int8_t* to = of_target + SourceOffset(kernel, c);
      for (size_t tap = 0; tap < kernel_y * kernel_x; ++tap, to += kernel.tap_size()) {
        *to = static_cast<int8_t>(-offset);
      }
    }
    const int* from = units.data();
    const size_t first = target / group_targets * group_sources - first_seen;
    for (size_t c = 0; c < group_sources; ++c) {
      int8_t* to = of_target + SourceOffset(kernel, first + c);
      for (size_t ky = 0; ky < kernel_y; ++ky) {
        int32_t& row_sum = kernel.row_sums[(tile * kernel_y + ky) * kernel.targets + lane];
        for (size_t kx = 0; kx < kernel_x; ++kx, ++from, to += kernel.tap_size()) {
          *to = static_cast<int8_t>(*from - offset);
          row_sum += *from;
        }
      }
    }
  }
  KeepOffsets(std::move(offsets), kernel);
  PlanRuns(shape.largest_byte, kernel);
  return kernel;
}

}  // namespace cssrun::internal
