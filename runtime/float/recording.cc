#include "runtime/float/recording.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "format/geometry.h"

namespace cssrun::internal {
namespace {

// The largest membrane of a pool, or the neuron's own.
float Largest(const Layer& layer, size_t stride, const float* membranes, int64_t y, int64_t x,
              size_t channel) {
  const int64_t height = layer.potential.height();
  const int64_t width = layer.potential.width();
  const auto at = [&](int64_t row, int64_t column) {
    return membranes[static_cast<size_t>(row * width + column) * stride + channel];
  };
  if (!layer.pool.has_value()) return at(y, x);
  const format::Window& pool = *layer.pool;
  float largest = std::numeric_limits<float>::lowest();
  for (int64_t ky = 0; ky < pool.kernel_y(); ++ky) {
    for (int64_t kx = 0; kx < pool.kernel_x(); ++kx) {
      const int64_t row = y * pool.stride_y() - pool.pad_top() + ky;
      const int64_t column = x * pool.stride_x() - pool.pad_left() + kx;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      largest = std::max(largest, at(row, column));
    }
  }
  return largest;
}

}  // namespace

void RecordSpikes(const format::Extent& extent, const EventFrame& events, int8_t* out) {
  const size_t positions = Positions(extent);
  for (size_t position = 0; position < positions; ++position) {
    for (uint32_t i = events.bounds[2 * position]; i < events.bounds[2 * position + 2]; ++i) {
      const bool positive = i < events.bounds[2 * position + 1];
      out[events.channels[i] * positions + position] = static_cast<int8_t>(positive ? 1 : -1);
    }
  }
}

void RecordMembranes(const Layer& layer, const ChannelBlocks& blocks, float spike_weight,
                     const float* membranes, const float* sent, float* out) {
  const format::Extent& extent = layer.extent;
  for (size_t c = 0; c < extent.channels(); ++c) {
    for (size_t y = 0; y < extent.height(); ++y) {
      for (size_t x = 0; x < extent.width(); ++x) {
        float h = Largest(layer, blocks.stride(), membranes, static_cast<int64_t>(y),
                          static_cast<int64_t>(x), c);
        if (layer.rectify) h = std::max(h, 0.0F);
        const float g = sent[(y * extent.width() + x) * blocks.stride() + c];
        *out++ = (h - g) / spike_weight;
      }
    }
  }
}

}  // namespace cssrun::internal
