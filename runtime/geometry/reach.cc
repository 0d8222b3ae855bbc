#include "runtime/geometry/reach.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "runtime/geometry/window_axis.h"

namespace cssrun::internal {
namespace {

constexpr Interval kNothing{std::numeric_limits<uint32_t>::max(), 0};

void Include(uint32_t neuron, Interval& interval) {
  interval.first = std::min(interval.first, neuron);
  interval.last = std::max(interval.last, neuron + 1);
}

std::vector<Interval> ReachOfAxis(const SourceAxis& view, size_t sources, const WindowAxis& window,
                                  const PoolAxis& pool, uint32_t neurons) {
  std::vector<Interval> reach(sources, kNothing);
  for (uint32_t membrane = 0; membrane < pool.size; ++membrane) {
    const int64_t map = pool.positions[membrane];
    const uint32_t neuron = membrane / pool.stride;
    if (map < 0 || membrane % pool.stride >= pool.members || neuron >= neurons) continue;
    const TapRange taps = window.TapsInside(map, view.size);
    for (int64_t tap = taps.first; tap < taps.last; ++tap) {
      const auto seen = static_cast<size_t>(window.SourceOf(map, tap));
      for (const uint32_t source : view.sources[seen]) Include(neuron, reach[source]);
    }
  }
  for (size_t i = sources; i-- > 1;) {
    reach[i - 1].first = std::min(reach[i - 1].first, reach[i].first);
  }
  for (size_t i = 0; i < sources; ++i) {
    if (i > 0) reach[i].last = std::max(reach[i].last, reach[i - 1].last);
    reach[i].first = std::min(reach[i].first, reach[i].last);
  }
  return reach;
}

}  // namespace

Reach ReachOf(const SourceView& view, const format::Extent& source, const format::Window& window,
              const PoolAxis& pool_y, const PoolAxis& pool_x, const format::Extent& neurons) {
  return {ReachOfAxis(view.y, source.height(), RowsOf(window), pool_y, neurons.height()),
          ReachOfAxis(view.x, source.width(), ColumnsOf(window), pool_x, neurons.width())};
}

}  // namespace cssrun::internal
