#include "runtime/integer/connection.h"

#include <algorithm>

#include "format/geometry.h"

namespace cssrun::internal {
namespace {

using format::Extent;
using format::Window;

// A layout may take this many times what it lays out: real networks need 4 to 10 times.
constexpr uint64_t kMostGrowth = 64;
constexpr uint64_t kAlwaysAllowed = 1 << 20;
// Places among weights and membranes are 32-bit numbers.
constexpr uint64_t kMostPlaces = uint64_t{1} << 31;

LayerPools PoolsOf(const format::Node& node) {
  const Window* pool = node.pool();
  const Extent& map = *node.potential();
  const Extent& pooled = *node.extent();
  LayerPools pools;
  pools.rows = pooled.height();
  pools.columns = pooled.width();
  pools.y =
      MakePoolAxis(map.height(), pooled.height(), pool == nullptr ? WindowAxis() : RowsOf(*pool));
  pools.x =
      MakePoolAxis(map.width(), pooled.width(), pool == nullptr ? WindowAxis() : ColumnsOf(*pool));
  return pools;
}

bool MembersFit(const Window& window, int64_t rows, int64_t columns) {
  constexpr int64_t kMostMembers = 1 << 20;
  return rows * window.kernel_y() <= kMostMembers && columns * window.kernel_x() <= kMostMembers;
}

}  // namespace

bool Connection::depthwise() const {
  const auto taps = static_cast<uint64_t>(synapses->window()->kernel_y()) *
                    static_cast<uint64_t>(synapses->window()->kernel_x());
  return synapses->groups() == source.channels() &&
         synapses->weights()->size() == synapses->groups() * taps;
}

LaneLayout LayoutOf(const format::Node& node) {
  if (node.kind() == format::NodeKind::Encoder) {
    return LaneLayout::ForImage(node.extent()->channels());
  }
  LaneLayout layout = LaneLayout::For(node.extent()->channels());
  // Where pools overlap, the membranes of one line must belong to one position.
  if (!PoolsOf(node).disjoint()) layout.lanes = kLineLanes;
  return layout;
}

std::optional<uint8_t> LevelZero(const format::Node& node, uint32_t timesteps) {
  constexpr int kLargestByte = 255;
  if (node.rectify()) return uint8_t{0};
  const bool limited = node.lowest_level() != 0 || node.highest_level() != 0;
  const int most = timesteps < 16 ? (1 << timesteps) - 1 : kLargestByte + 1;
  const int lowest = limited ? node.lowest_level() : -most;
  const int highest = limited ? node.highest_level() : most;
  if (lowest > 0 || highest - lowest > kLargestByte) return std::nullopt;
  return static_cast<uint8_t>(limited ? -lowest : (kLargestByte + 1) / 2);
}

TargetLayer DescribeTarget(const format::Node& node, bool settled, bool wide_sums) {
  TargetLayer target;
  target.node = &node;
  target.lanes = LayoutOf(node);
  target.pools = PoolsOf(node);
  target.map_rows = node.potential()->height();
  target.map_columns = node.potential()->width();
  target.settled = settled;
  target.wide_sums = wide_sums;
  return target;
}

Connection Connect(const format::Network& network, const format::Synapses& synapses,
                   const LaneLayout& source_lanes, const TargetLayer& target) {
  const format::Node& source = *network.nodes()->Get(synapses.source());
  Connection connection;
  connection.synapses = &synapses;
  connection.source = *source.extent();
  connection.source_lanes = source_lanes;
  connection.from_encoder = synapses.source() == 0;
  connection.source_rectifies = source.rectify();
  connection.level_zero = LevelZero(source, network.code()->timesteps());
  connection.view = ViewSource(synapses, connection.source);
  connection.y =
      MakeScatterAxis(connection.view.y.size, target.map_rows, RowsOf(*synapses.window()));
  connection.x =
      MakeScatterAxis(connection.view.x.size, target.map_columns, ColumnsOf(*synapses.window()));
  connection.plain = target.pools.disjoint() && connection.view.disjoint();
  return connection;
}

std::vector<const format::Synapses*> SpikeSynapses(const format::Network& network,
                                                   const format::Node& node) {
  const bool direct = network.code()->input() == format::InputCoding::Direct;
  std::vector<const format::Synapses*> synapses;
  for (const format::Synapses* s : *node.synapses()) {
    if (!direct || s->source() != 0) synapses.push_back(s);
  }
  return synapses;
}

bool IsTooLarge(double laid_out, uint64_t given) {
  return laid_out >
         static_cast<double>(std::min(kMostPlaces, kMostGrowth * given + kAlwaysAllowed));
}

bool WindowsFit(const format::Network& network, const format::Node& node) {
  const Extent& pooled = *node.extent();
  if (node.pool() != nullptr && !MembersFit(*node.pool(), pooled.height(), pooled.width())) {
    return false;
  }
  return std::ranges::all_of(SpikeSynapses(network, node), [&](const format::Synapses* s) {
    const Window* mean = s->average();
    const Extent& source = *network.nodes()->Get(s->source())->extent();
    return mean == nullptr || MembersFit(*mean, WindowRows(*mean, source.height()),
                                         WindowColumns(*mean, source.width()));
  });
}

}  // namespace cssrun::internal
