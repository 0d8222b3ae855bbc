#include "runtime/geometry/source_view.h"

#include <utility>

#include "format/geometry.h"
#include "runtime/geometry/window_axis.h"

namespace cssrun::internal {
namespace {

SourceAxis ViewAll(int64_t size) {
  SourceAxis axis;
  axis.size = size;
  for (uint32_t i = 0; i < size; ++i) axis.sources.push_back({i});
  return axis;
}

SourceAxis ViewMeans(int64_t size, int64_t means, const WindowAxis& window) {
  SourceAxis axis;
  axis.size = means;
  const bool disjoint =
      (means == 1 || window.stride == window.kernel) && window.pad == 0 && window.dilation == 1;
  axis.divisor = disjoint ? window.kernel : 0;
  for (int64_t mean = 0; mean < means; ++mean) {
    axis.sources.emplace_back();
    for (int64_t tap = 0; tap < window.kernel; ++tap) {
      const int64_t at = window.SourceOf(mean, tap);
      if (at >= 0 && at < size) axis.sources.back().push_back(static_cast<uint32_t>(at));
    }
  }
  return axis;
}

// Between positions that are spread out lie others without sources.
SourceAxis Spread(SourceAxis axis, int64_t spread) {
  if (spread == 1) return axis;
  SourceAxis wide;
  wide.size = format::SpreadPositions(axis.size, spread);
  wide.divisor = 0;
  wide.sources.resize(static_cast<size_t>(wide.size));
  for (size_t i = 0; i < axis.sources.size(); ++i) {
    wide.sources[i * static_cast<size_t>(spread)] = std::move(axis.sources[i]);
  }
  return wide;
}

SourceView ViewMap(const format::Window* mean, const format::Extent& source) {
  if (mean == nullptr) return {ViewAll(source.height()), ViewAll(source.width())};
  return {ViewMeans(source.height(), WindowRows(*mean, source.height()), RowsOf(*mean)),
          ViewMeans(source.width(), WindowColumns(*mean, source.width()), ColumnsOf(*mean))};
}

}  // namespace

SourceView ViewSource(const format::Window* mean, int32_t spread_y, int32_t spread_x,
                      const format::Extent& source) {
  SourceView view = ViewMap(mean, source);
  view.y = Spread(std::move(view.y), spread_y);
  view.x = Spread(std::move(view.x), spread_x);
  return view;
}

SourceView ViewSource(const format::Synapses& synapses, const format::Extent& source) {
  return ViewSource(synapses.average(), synapses.spread_y(), synapses.spread_x(), source);
}

}  // namespace cssrun::internal
