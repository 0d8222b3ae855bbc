// Lays out a LevelConv that sums pixels: two planes of weights, and what sums begin with.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/plan.h"

namespace cssrun::internal {
namespace {

constexpr uint32_t kLargestPixel = 255;

// The taps on the map of each class, and the class of each target position of an axis.
struct AxisClasses {
  AxisClasses(const WindowAxis& axis, int64_t sources, int64_t targets) {
    for (int64_t target = 0; target < targets; ++target) {
      const TapRange own = axis.TapsInside(target, sources);
      // Neighbours mostly share their class, and no class comes again: both ends only decrease.
      if (taps.empty() || taps.back().first != own.first || taps.back().last != own.last) {
        taps.push_back(own);
      }
      classes.push_back(static_cast<uint32_t>(taps.size() - 1));
    }
  }

  std::vector<TapRange> taps;
  std::vector<uint32_t> classes;
};

AxisClasses RowClasses(const PixelConvShape& shape) {
  return {RowsOf(shape.conv.window), shape.conv.source.height(), shape.conv.target_rows};
}
AxisClasses ColumnClasses(const PixelConvShape& shape) {
  return {ColumnsOf(shape.conv.window), shape.conv.source.width(), shape.conv.target_columns};
}

// What the zeros of all pixels in a window bring, `rows` x `columns` of it being on the map.
int32_t StartOf(const PixelConvShape& shape, const ScaledWeights& weights, size_t target,
                const TapRange& rows, const TapRange& columns) {
  const format::Window& w = shape.conv.window;
  const size_t sources = shape.conv.source.channels() / shape.conv.groups;
  const size_t first = target / (shape.conv.target_channels / shape.conv.groups) * sources;
  double start = 0;
  for (size_t c = 0; c < sources; ++c) {
    double units = 0;
    for (int64_t ky = rows.first; ky < rows.last; ++ky) {
      for (int64_t kx = columns.first; kx < columns.last; ++kx) {
        const auto channel = static_cast<int64_t>(target * sources + c);
        units += weights.Units(
            target, static_cast<size_t>((channel * w.kernel_y() + ky) * w.kernel_x() + kx));
      }
    }
    start += units * shape.zeros[first + c];
  }
  return static_cast<int32_t>(std::nearbyint(start));
}

PixelStarts StartsOf(const PixelConvShape& shape, const ScaledWeights& weights,
                     const LevelConv& kernel) {
  AxisClasses rows = RowClasses(shape);
  AxisClasses columns = ColumnClasses(shape);
  PixelStarts starts;
  for (const TapRange& of_rows : rows.taps) {
    for (const TapRange& of_columns : columns.taps) {
      for (uint32_t target = 0; target < kernel.tiles * kernel.targets; ++target) {
        const bool exists = target < shape.conv.target_channels;
        starts.values.push_back(exists ? StartOf(shape, weights, target, of_rows, of_columns) : 0);
      }
    }
  }
  starts.row_classes = std::move(rows.classes);
  starts.column_classes = std::move(columns.classes);
  starts.column_class_count = columns.taps.size();
  starts.class_pitch = size_t{kernel.tiles} * kernel.targets;
  return starts;
}

}  // namespace

size_t PixelClasses(const PixelConvShape& shape) {
  return RowClasses(shape).taps.size() * ColumnClasses(shape).taps.size();
}

LevelConv MakePixelConv(const PixelConvShape& shape, const ScaledWeights& weights) {
  CSSRUN_ASSERT(shape.planes == 1 || shape.planes == 2);
  LevelConv kernel = PlanLevelConv(shape.conv, shape.planes);
  const size_t sources = shape.conv.source.channels() / shape.conv.groups;
  const size_t targets = shape.conv.target_channels / shape.conv.groups;
  const auto kernel_x = static_cast<size_t>(shape.conv.window.kernel_x());
  const size_t taps = kernel.kernel_rows() * kernel_x;
  kernel.row_sums.assign(kernel.tiles * kernel.kernel_rows() * kernel.targets, 0);
  size_t index = 0;
  for (size_t target = 0; target < shape.conv.target_channels; ++target) {
    int32_t* row_sums =
        &kernel.row_sums[target / kernel.targets * kernel.kernel_rows() * kernel.targets +
                         target % kernel.targets];
    for (size_t c = 0; c < sources; ++c) {
      const size_t source = target / targets * sources + c;
      int8_t* first_plane = WeightsAt(kernel, 0, target, source);
      int8_t* last_plane = WeightsAt(kernel, shape.planes - 1, target, source);
      for (size_t tap = 0; tap < taps; ++tap) {
        const auto units = static_cast<int>(weights.Units(target, index++));
        // Rounded to nearest, so that what is left fits a byte with its sign.
        const int high =
            shape.planes == 2 ? (units + kPlane / 2 + kPlane * kPlane) / kPlane - kPlane : 0;
        CSSRUN_ASSERT(std::abs(high) < kPlane && std::abs(units - kPlane * high) < kPlane);
        first_plane[tap * kernel.tap_size()] = static_cast<int8_t>(high);
        last_plane[tap * kernel.tap_size()] = static_cast<int8_t>(units - kPlane * high);
        row_sums[tap / kernel_x * kernel.targets] += units;
      }
    }
  }
  kernel.starts = StartsOf(shape, weights, kernel);
  PlanRuns(kLargestPixel, kernel);
  return kernel;
}

}  // namespace cssrun::internal
