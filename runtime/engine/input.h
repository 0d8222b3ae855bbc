// The input of a run: 8-bit pixels, floats, or spikes that the caller has coded.
#ifndef CSSRUN_RUNTIME_ENGINE_INPUT_H_
#define CSSRUN_RUNTIME_ENGINE_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cssrun/session.h"
#include "network_generated.h"

namespace cssrun::internal {

// One spike of the encoder's place: which input neuron sends it, and at which step.
struct CodedSpike {
  uint32_t step = 0;
  uint32_t position = 0;  // row * width + column
  uint16_t channel = 0;
  int8_t sign = 0;  // +1 or -1
};

enum class InputKind { kBytes, kValues, kSpikes };

// A view of the caller's input; `kind` says which of the three spans is used. Session has checked
// it: pixels have the network's size, values lie in [0, 1], spikes lie in range, are sorted by
// step, position and channel, and no neuron sends two at one step.
struct Input {
  InputKind kind = InputKind::kBytes;
  PixelOrder order = PixelOrder::kInterleaved;
  std::span<const uint8_t> bytes = {};
  std::span<const float> values = {};
  std::span<const CodedSpike> spikes = {};

  // The spikes of one step, by binary search.
  std::span<const CodedSpike> SpikesOf(uint32_t step) const {
    const auto first = std::ranges::lower_bound(spikes, step, {}, &CodedSpike::step);
    const auto last = std::ranges::upper_bound(spikes, step, {}, &CodedSpike::step);
    return {first, last};
  }
};

// The index of a pixel is row * strides.row + column * strides.column + channel * strides.channel.
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

// Calls visit(to, from, channel) for every pixel, where `to` is its index in
// [row][column][channel], the order of the encoder, counting up from 0, and `from` its index in the
// image.
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
