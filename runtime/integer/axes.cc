#include "runtime/integer/axes.h"

#include <algorithm>

#include "format/geometry.h"

namespace cssrun::internal {
namespace {

SeenAxis SeeAll(int64_t size) {
  SeenAxis seen;
  seen.size = size;
  for (uint32_t i = 0; i < size; ++i) seen.sources.push_back({i});
  return seen;
}

SeenAxis SeeMeans(int64_t size, int64_t means, int64_t kernel, int64_t stride, int64_t pad,
                  int64_t dilation) {
  SeenAxis seen;
  seen.size = means;
  const bool apart = (means == 1 || stride == kernel) && pad == 0 && dilation == 1;
  seen.divisor = apart ? kernel : 0;
  for (int64_t mean = 0; mean < means; ++mean) {
    seen.sources.emplace_back();
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t at = mean * stride - pad + k * dilation;
      if (at >= 0 && at < size) seen.sources.back().push_back(static_cast<uint32_t>(at));
    }
  }
  return seen;
}

}  // namespace

Seen SeenThrough(const format::Synapses& synapses, const format::Extent& source) {
  const format::Window* mean = synapses.average();
  if (mean == nullptr) return {SeeAll(source.height()), SeeAll(source.width())};
  return {SeeMeans(source.height(), WindowRows(*mean, source.height()), mean->kernel_y(),
                   mean->stride_y(), mean->pad_top(), mean->dilation_y()),
          SeeMeans(source.width(), WindowColumns(*mean, source.width()), mean->kernel_x(),
                   mean->stride_x(), mean->pad_left(), mean->dilation_x())};
}

int64_t Axis::KernelOf(int64_t phase, int64_t tap) const {
  const int64_t reach = phase + stride * (taps - 1 - tap);
  return reach < reach_of_kernel && reach % dilation == 0 ? reach / dilation : -1;
}

int64_t Axis::ReadersOf(const Place& place, int64_t targets) const {
  int64_t readers = 0;
  for (int64_t tap = 0; tap < taps; ++tap) {
    const int64_t target = place.first + tap;
    readers += target >= 0 && target < targets && KernelOf(place.phase, tap) >= 0;
  }
  return readers;
}

Axis MakeAxis(int64_t seen, int64_t targets, int64_t kernel, int64_t stride, int64_t pad,
              int64_t dilation) {
  Axis axis;
  axis.dilation = dilation;
  axis.reach_of_kernel = (kernel - 1) * dilation + 1;
  // With one target position every source position has the one tap that leads there.
  axis.stride =
      targets == 1 ? std::max(stride, std::max(seen + pad, axis.reach_of_kernel)) : stride;
  axis.taps = (axis.reach_of_kernel + axis.stride - 1) / axis.stride;
  axis.phases = std::min(axis.stride, seen + std::max<int64_t>(pad, 0));
  for (int64_t position = 0; position < seen; ++position) {
    const int64_t shifted = position + pad;  // may be negative: a slice
    const int64_t phase = ((shifted % axis.stride) + axis.stride) % axis.stride;
    axis.places.push_back({phase, (shifted - phase) / axis.stride - (axis.taps - 1)});
    axis.phases = std::max(axis.phases, phase + 1);
  }
  return axis;
}

PoolAxis MakePoolAxis(int64_t map, int64_t pools, int64_t kernel, int64_t stride, int64_t pad,
                      int64_t dilation) {
  PoolAxis axis;
  axis.members = static_cast<uint32_t>(kernel);
  axis.stride = static_cast<uint32_t>(stride);
  axis.size = static_cast<uint32_t>(map);
  axis.apart =
      stride >= kernel && pad == 0 && dilation == 1 && (pools - 1) * stride + kernel <= map;
  if (axis.apart) {
    for (int64_t i = 0; i < map; ++i) axis.positions.push_back(i);
    return axis;
  }
  axis.stride = axis.members;
  axis.size = static_cast<uint32_t>(pools * kernel);
  for (int64_t i = 0; i < axis.size; ++i) {
    const int64_t at = i / kernel * stride - pad + i % kernel * dilation;
    axis.positions.push_back(at >= 0 && at < map ? at : -1);
  }
  return axis;
}

}  // namespace cssrun::internal
