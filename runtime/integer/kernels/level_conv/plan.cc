// Lays out a LevelConv at load time.
#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"

namespace cssrun::internal {

bool LevelSumsFit(const LevelConvShape& shape, double largest_level) {
  const format::Window& w = shape.window;
  const double sources = static_cast<double>(w.kernel_y()) * w.kernel_x() * shape.source.channels();
  return sources * largest_level * kLargestNarrowWeight <= std::numeric_limits<int32_t>::max();
}

double LevelBytes(const LevelConvShape& shape) {
  const format::Window& w = shape.window;
  const double beyond = std::abs(static_cast<double>(w.pad_left())) +
                        static_cast<double>(w.kernel_x()) * w.dilation_x();
  const double columns = std::max(static_cast<double>(shape.source.width()),
                                  static_cast<double>(shape.target_columns) * w.stride_x());
  return (columns + beyond + kLineLanes) * shape.source_stride * shape.source.height();
}

LevelConv MakeLevelConv(const LevelConvShape& shape, const ScaledWeights& weights) {
  CSSRUN_ASSERT(weights.scales.size() == shape.target_channels);
  CSSRUN_ASSERT(shape.source_stride % kQuad == 0);  // quads never cross positions
  const WindowAxis x = ColumnsOf(shape.window);
  LevelConv kernel;
  kernel.window = shape.window;
  kernel.source_rows = shape.source.height();
  kernel.source_stride = shape.source_stride;
  kernel.quads = (shape.source.channels() + kQuad - 1) / kQuad;
  kernel.targets = shape.target_channels > kTileTargets ? 2 * kTileTargets : kTileTargets;
  kernel.tiles = (shape.target_channels + kernel.targets - 1) / kernel.targets;
  const int64_t seen = x.SourceOf(int64_t{shape.target_columns} - 1, x.kernel - 1) + 1;
  kernel.left = static_cast<uint32_t>(std::max<int64_t>(x.pad, 0) * shape.source_stride);
  kernel.right = static_cast<uint32_t>(std::max<int64_t>(seen, 0) * shape.source_stride);

  const size_t taps = kernel.kernel_rows() * static_cast<size_t>(x.kernel);
  kernel.weights = AllocateAligned<int8_t>(kernel.size());
  std::fill_n(kernel.weights.get(), kernel.size(), int8_t{0});
  size_t index = 0;
  for (size_t target = 0; target < shape.target_channels; ++target) {
    const size_t tile = target / kernel.targets;
    for (size_t c = 0; c < shape.source.channels(); ++c) {
      for (size_t tap = 0; tap < taps; ++tap) {
        const size_t quad = (tile * taps + tap) * kernel.quads + c / kQuad;
        const double units = weights.Units(target, index++);
        CSSRUN_ASSERT(std::abs(units) <= kLargestNarrowWeight);
        kernel.weights[(quad * kernel.targets + target % kernel.targets) * kQuad + c % kQuad] =
            static_cast<int8_t>(units);
      }
    }
  }
  return kernel;
}

}  // namespace cssrun::internal
