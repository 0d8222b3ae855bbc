// What a session runs on: 8-bit pixels, floats, or spikes that somebody else coded.
#ifndef CSSRUN_RUNTIME_ENGINE_INPUT_H_
#define CSSRUN_RUNTIME_ENGINE_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cssrun/session.h"
#include "network_generated.h"

namespace cssrun::internal {

struct CodedSpike {
  uint32_t step = 0;
  uint32_t position = 0;  // row * width + column
  uint16_t channel = 0;
  int8_t sign = 0;
};

enum class InputKind { kBytes, kValues, kSpikes };

// One of the three spans counts. Pixels have the network's size, spikes are sound and sorted by
// step, position and channel.
struct Input {
  InputKind kind = InputKind::kBytes;
  PixelOrder order = PixelOrder::kInterleaved;
  std::span<const uint8_t> bytes = {};
  std::span<const float> values = {};
  std::span<const CodedSpike> spikes = {};

  std::span<const CodedSpike> SpikesOf(uint32_t step) const {
    const auto first = std::ranges::lower_bound(spikes, step, {}, &CodedSpike::step);
    const auto last = std::ranges::upper_bound(spikes, step, {}, &CodedSpike::step);
    return {first, last};
  }
};

// How far apart neighbours are in an image.
struct PixelStrides {
  size_t row = 0;
  size_t column = 0;
  size_t channel = 0;

  static PixelStrides Of(PixelOrder order, const format::Extent& image) {
    const size_t width = image.width();
    if (order == PixelOrder::kPlanar) return {width, 1, width * image.height()};
    return {width * image.channels(), image.channels(), 1};
  }
};

// Calls visit(index into the encoder's [row][column][channel], index into the image, channel).
template <class Visit>
void ForEachPixel(PixelOrder order, const format::Extent& image, Visit visit) {
  const PixelStrides strides = PixelStrides::Of(order, image);
  size_t i = 0;
  for (size_t row = 0; row < image.height(); ++row) {
    for (size_t column = 0; column < image.width(); ++column) {
      const size_t first = row * strides.row + column * strides.column;
      for (size_t c = 0; c < image.channels(); ++c) visit(i++, first + c * strides.channel, c);
    }
  }
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_ENGINE_INPUT_H_
