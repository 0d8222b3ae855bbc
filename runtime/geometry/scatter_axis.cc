#include "runtime/geometry/scatter_axis.h"

#include <algorithm>

#include "runtime/assert.h"

namespace cssrun::internal {

int64_t ScatterAxis::KernelIndexOf(int64_t phase, int64_t tap) const {
  const int64_t back = phase + stride * (taps - 1 - tap);
  return back < reach && back % dilation == 0 ? back / dilation : -1;
}

int64_t ScatterAxis::CountReaders(const Place& place, int64_t targets) const {
  int64_t readers = 0;
  for (int64_t tap = 0; tap < taps; ++tap) {
    const int64_t target = place.first + tap;
    readers += target >= 0 && target < targets && KernelIndexOf(place.phase, tap) >= 0;
  }
  return readers;
}

ScatterAxis MakeScatterAxis(int64_t sources, int64_t targets, const WindowAxis& window) {
  CSSRUN_ASSERT(window.kernel > 0 && window.stride > 0 && window.dilation > 0);
  ScatterAxis axis;
  axis.dilation = window.dilation;
  axis.reach = window.reach();
  // With one target position, every source position has the one tap that leads there.
  axis.stride =
      targets == 1 ? std::max({window.stride, sources + window.pad, axis.reach}) : window.stride;
  axis.taps = (axis.reach + axis.stride - 1) / axis.stride;
  axis.phases = std::min(axis.stride, sources + std::max<int64_t>(window.pad, 0));
  for (int64_t position = 0; position < sources; ++position) {
    const int64_t shifted = position + window.pad;  // negative where the window skips positions
    const int64_t phase = ((shifted % axis.stride) + axis.stride) % axis.stride;
    axis.places.push_back({phase, (shifted - phase) / axis.stride - (axis.taps - 1)});
    axis.phases = std::max(axis.phases, phase + 1);
  }
  return axis;
}

std::vector<uint32_t> CountReaders(const ScatterAxis& axis, const SourceAxis& view, size_t sources,
                                   int64_t targets) {
  CSSRUN_ASSERT(axis.places.size() == view.sources.size());
  std::vector<uint32_t> readers(sources, 0);
  for (size_t i = 0; i < view.sources.size(); ++i) {
    const auto of_view = static_cast<uint32_t>(axis.CountReaders(axis.places[i], targets));
    for (const uint32_t source : view.sources[i]) readers[source] += of_view;
  }
  return readers;
}

}  // namespace cssrun::internal
