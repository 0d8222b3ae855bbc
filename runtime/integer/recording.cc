#include "runtime/integer/recording.h"

#include <algorithm>
#include <limits>

namespace cssrun::internal {

void WriteSpikes(std::span<const CodedSpike> coded, size_t width, size_t stride,
                 SpikeFrame& spikes) {
  std::ranges::fill(spikes.words, 0);
  std::ranges::fill(spikes.counts, 0);
  for (const CodedSpike& spike : coded) {
    const size_t row = spike.position / width;
    const size_t number = spike.position % width * stride + spike.channel;
    const size_t bit = number % kLineLanes + (spike.sign > 0 ? 0 : kLineLanes);
    spikes.Row(row)[number / kLineLanes] |= uint64_t{1} << bit;
    ++spikes.counts[row];
  }
}

void RecordSpikes(const format::Extent& extent, size_t stride, const SpikeFrame& spikes,
                  int8_t* out) {
  for (size_t c = 0; c < extent.channels(); ++c) {
    for (size_t y = 0; y < extent.height(); ++y) {
      for (size_t x = 0; x < extent.width(); ++x, ++out) {
        const size_t number = x * stride + c;
        const uint64_t bits = spikes.Row(y)[number / kLineLanes] >> number % kLineLanes;
        *out = static_cast<int8_t>(static_cast<int>(bits & 1) -
                                   static_cast<int>(bits >> kLineLanes & 1));
      }
    }
  }
}

void RecordMembranes(const IntegerLayer& layer, const format::Extent& extent, const int16_t* biases,
                     float beta, const int16_t* membranes, const int16_t* sent, size_t sent_row,
                     float* out) {
  const MembraneLayout& layout = layer.membranes;
  const LayerPools& pools = layer.pools;
  const size_t lanes = layout.lanes.lanes;
  const auto& unit = std::get<EventNeurons>(layer.neurons).unit;
  for (size_t c = 0; c < extent.channels(); ++c) {
    const float bias = biases == nullptr ? 0.0F : static_cast<float>(biases[c]);
    const float spike = beta * static_cast<float>(unit[c]);
    const int16_t* channel = membranes + layout.RowAt(c / lanes, 0) + c % lanes;
    for (size_t y = 0; y < extent.height(); ++y) {
      for (size_t x = 0; x < extent.width(); ++x) {
        int16_t largest = std::numeric_limits<int16_t>::min();
        for (size_t ky = 0; ky < pools.y.members; ++ky) {
          for (size_t kx = 0; kx < pools.x.members; ++kx) {
            largest = std::max(largest, channel[(y * pools.y.stride + ky) * layout.row_lanes +
                                                (x * pools.x.stride + kx) * lanes]);
          }
        }
        float residual = static_cast<float>(largest) - bias;
        if (layer.rectify) {
          const int16_t g = sent[y * sent_row + x * layout.lanes.stride() + c];
          residual = std::max(residual, -static_cast<float>(g));
        }
        *out++ = residual / spike;
      }
    }
  }
}

}  // namespace cssrun::internal
