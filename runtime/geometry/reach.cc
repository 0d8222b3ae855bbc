#include "runtime/geometry/reach.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#include "runtime/assert.h"

namespace cssrun::internal {
namespace {

constexpr Interval kNothing{std::numeric_limits<uint32_t>::max(), 0};

// `sources_of(position)`: of the view.
template <class SourcesOf>
std::vector<Interval> ReachOfAxis(size_t sources, int64_t view, const WindowAxis& window,
                                  uint32_t targets, const SourcesOf& sources_of) {
  std::vector<Interval> reach(sources, kNothing);
  for (uint32_t target = 0; target < targets; ++target) {
    const TapRange taps = window.TapsInside(target, view);
    for (int64_t tap = taps.first; tap < taps.last; ++tap) {
      for (const uint32_t source : sources_of(static_cast<size_t>(window.SourceOf(target, tap)))) {
        reach[source].first = std::min(reach[source].first, target);
        reach[source].last = std::max(reach[source].last, target + 1);
      }
    }
  }
  for (size_t i = sources; i-- > 1;) {
    reach[i - 1].first = std::min(reach[i - 1].first, reach[i].first);
  }
  for (size_t i = 0; i < sources; ++i) {
    if (i > 0) reach[i].last = std::max(reach[i].last, reach[i - 1].last);
    reach[i].first = std::min(reach[i].first, reach[i].last);
  }
  CSSRUN_ASSERT(std::ranges::is_sorted(reach, {}, &Interval::first));
  CSSRUN_ASSERT(std::ranges::is_sorted(reach, {}, &Interval::last));
  return reach;
}

std::vector<Interval> ReachOfView(const SourceAxis& view, size_t sources, const WindowAxis& window,
                                  uint32_t targets) {
  return ReachOfAxis(
      sources, view.size, window,
      targets, [&](size_t seen) -> const auto& { return view.sources[seen]; });
}

std::vector<Interval> ReachOfMap(uint32_t map, const WindowAxis& window, uint32_t targets) {
  return ReachOfAxis(map, map, window, targets,
                     [](size_t seen) { return std::array{static_cast<uint32_t>(seen)}; });
}

// See Reach::shifts; `columns`: of the map that sees.
Reach WithShifts(std::vector<Interval> rows, std::vector<Interval> columns, uint32_t map) {
  constexpr uint32_t kLargestShift = 8;
  Reach reach{std::move(rows), std::move(columns)};
  const std::vector<Interval>& seen = reach.columns;
  if (seen.size() != map || map < 2) return reach;
  reach.right = seen.front().last - 1;
  reach.left = map - 1 - std::min(map - 1, seen.back().first);
  reach.shifts = seen.front().last > 0 && std::max(reach.left, reach.right) <= kLargestShift;
  for (uint32_t x = 0; x < map && reach.shifts; ++x) {
    const uint32_t first = x - std::min(x, reach.left);
    const uint32_t last = std::min(map, x + reach.right + 1);
    reach.shifts = seen[x].first == first && seen[x].last == last;
  }
  return reach;
}

}  // namespace

Reach ReachOf(const SourceView& view, const format::Extent& source, const format::Window& window,
              const format::Extent& map) {
  return WithShifts(ReachOfView(view.y, source.height(), RowsOf(window), map.height()),
                    ReachOfView(view.x, source.width(), ColumnsOf(window), map.width()),
                    map.width());
}

Reach ReachOfPools(const format::Extent& map, const WindowAxis& y, const WindowAxis& x,
                   const format::Extent& pools) {
  return WithShifts(ReachOfMap(map.height(), y, pools.height()),
                    ReachOfMap(map.width(), x, pools.width()), pools.width());
}

}  // namespace cssrun::internal
