#include "runtime/integer/connection.h"

#include <algorithm>

#include "format/geometry.h"

namespace cssrun::internal {
namespace {

using format::Extent;
using format::Window;

// A layout may have this many times the size of its weights: real networks need 4 to 10.
constexpr uint64_t kMostGrowth = 64;
constexpr uint64_t kAlwaysAllowed = 1 << 20;
// Places among weights and membranes are 32-bit numbers.
constexpr uint64_t kMostPlaces = uint64_t{1} << 31;

LayerPools PoolsOf(const format::Node& node, bool settled) {
  const Window* pool = node.pool();
  const Extent& map = *node.potential();
  const Extent& pooled = *node.extent();
  LayerPools pools;
  pools.rows = pooled.height();
  pools.columns = pooled.width();
  if (pool == nullptr || settled) {
    pools.y = MakePoolAxis(map.height(), map.height(), WindowAxis());
    pools.x = MakePoolAxis(map.width(), map.width(), WindowAxis());
    if (pool != nullptr) pools.windows = {RowsOf(*pool), ColumnsOf(*pool)};
    return pools;
  }
  pools.y = MakePoolAxis(map.height(), pooled.height(), RowsOf(*pool));
  pools.x = MakePoolAxis(map.width(), pooled.width(), ColumnsOf(*pool));
  return pools;
}

bool MembersFit(const Window& window, int64_t rows, int64_t columns) {
  constexpr int64_t kMostMembers = 1 << 20;
  return rows * window.kernel_y() <= kMostMembers && columns * window.kernel_x() <= kMostMembers;
}

// One axis of a window over means, as a window over the source; std::nullopt if that window would
// read positions that are in no mean. `size`: of the source; `means`: of its means.
std::optional<WindowAxis> ComposeAxis(const WindowAxis& mean, const WindowAxis& window,
                                      int64_t size, int64_t means, int64_t targets) {
  const int64_t first = window.SourceOf(0, 0);
  const int64_t last = window.SourceOf(targets - 1, window.kernel - 1);
  if (mean.dilation != 1) return std::nullopt;
  // Means before the first or after the last one are 0, even if their windows see the source.
  if (first < 0 && mean.kernel > mean.stride + mean.pad) return std::nullopt;
  if (last >= means && means * mean.stride - mean.pad < size) return std::nullopt;
  WindowAxis composed;
  composed.kernel = (window.kernel - 1) * window.dilation * mean.stride + mean.kernel;
  composed.stride = window.stride * mean.stride;
  composed.pad = window.pad * mean.stride + mean.pad;
  return composed;
}

// See Connection::Composed.
std::optional<Connection::Composed> ComposeMean(const Connection& connection,
                                                const TargetLayer& target) {
  // A small file may ask for a large window. Level kernels round sources up to 4 and targets to 16.
  constexpr int64_t kMostWeights = 1 << 26;
  constexpr int64_t kMostRounding = 64;
  const format::Synapses& s = *connection.synapses;
  if (s.average() == nullptr || connection.identity() || format::IsSpread(s)) {
    return std::nullopt;
  }
  const WindowAxis mean_y = RowsOf(*s.average());
  const WindowAxis mean_x = ColumnsOf(*s.average());
  const WindowAxis window_y = RowsOf(*s.window());
  const WindowAxis window_x = ColumnsOf(*s.window());
  const auto y = ComposeAxis(mean_y, window_y, connection.source.height(), connection.view.y.size,
                             target.map_rows);
  const auto x = ComposeAxis(mean_x, window_x, connection.source.width(), connection.view.x.size,
                             target.map_columns);
  const int64_t taps = window_y.kernel * window_x.kernel;
  const auto maps = static_cast<int64_t>(s.weights()->size()) / taps;
  const int64_t rounding = maps < int64_t{kLineLanes} * kLineLanes ? kMostRounding : 1;
  if (!y.has_value() || !x.has_value() || y->kernel * x->kernel * maps * rounding > kMostWeights) {
    return std::nullopt;
  }
  Connection::Composed composed;
  const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
  composed.window = format::Window(narrow(y->kernel), narrow(x->kernel), narrow(y->stride),
                                   narrow(x->stride), narrow(y->pad), narrow(x->pad), 0, 0, 1, 1);
  composed.weights.assign(static_cast<size_t>(y->kernel * x->kernel * maps), 0.0F);
  const float* weight = connection.weights();
  for (int64_t map = 0; map < maps; ++map) {
    for (int64_t tap = 0; tap < taps; ++tap, ++weight) {
      const int64_t top = tap / window_x.kernel * window_y.dilation * mean_y.stride;
      const int64_t left = tap % window_x.kernel * window_x.dilation * mean_x.stride;
      for (int64_t member = 0; member < mean_y.kernel * mean_x.kernel; ++member) {
        const int64_t row = map * y->kernel + top + member / mean_x.kernel;
        composed.weights[static_cast<size_t>(row * x->kernel + left + member % mean_x.kernel)] +=
            *weight;
      }
    }
  }
  return composed;
}

}  // namespace

bool Connection::depthwise() const {
  const auto taps = static_cast<uint64_t>(synapses->window()->kernel_y()) *
                    static_cast<uint64_t>(synapses->window()->kernel_x());
  return synapses->groups() == source.channels() &&
         synapses->weights()->size() == synapses->groups() * taps;
}

LaneLayout LayoutOf(const format::Node& node, bool settled) {
  if (node.kind() == format::NodeKind::Encoder) {
    return LaneLayout::ForImage(node.extent()->channels());
  }
  LaneLayout layout = LaneLayout::For(node.extent()->channels());
  // Where pools overlap, the membranes of one line must belong to one position.
  if (!PoolsOf(node, settled).disjoint()) layout.lanes = kLineLanes;
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

uint8_t LargestLevelByte(uint32_t timesteps, uint8_t zero) {
  constexpr int kLargestByte = 255;
  const int most = timesteps < 8 ? (1 << timesteps) - 1 : kLargestByte;
  return static_cast<uint8_t>(std::min(most + zero, kLargestByte));
}

TargetLayer DescribeTarget(const format::Node& node, uint32_t timesteps, bool settled,
                           bool wide_sums) {
  TargetLayer target;
  target.node = &node;
  target.lanes = LayoutOf(node, settled);
  target.pools = PoolsOf(node, settled);
  target.map_rows = node.potential()->height();
  target.map_columns = node.potential()->width();
  target.timesteps = timesteps;
  target.settled = settled;
  target.wide_sums = wide_sums;
  return target;
}

Connection Connect(const format::NetworkFile& file, const format::Synapses& synapses,
                   const LaneLayout& source_lanes, const TargetLayer& target) {
  const format::Network& network = file.network();
  const format::Node& source = *network.nodes()->Get(synapses.source());
  Connection connection;
  connection.synapses = &synapses;
  connection.of_file = file.WeightsOf(synapses);
  connection.source = *source.extent();
  connection.source_lanes = source_lanes;
  connection.from_encoder = synapses.source() == 0;
  connection.source_rectifies = source.rectify();
  connection.level_zero = LevelZero(source, network.code()->timesteps());
  if (connection.level_zero.has_value()) {
    connection.largest_level_byte =
        LargestLevelByte(network.code()->timesteps(), *connection.level_zero);
  }
  connection.view = ViewSource(synapses, connection.source);
  connection.y =
      MakeScatterAxis(connection.view.y.size, target.map_rows, RowsOf(*synapses.window()));
  connection.x =
      MakeScatterAxis(connection.view.x.size, target.map_columns, ColumnsOf(*synapses.window()));
  connection.plain = target.pools.disjoint() && connection.view.disjoint();
  if (target.wide_sums) connection.composed = ComposeMean(connection, target);
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
