#include "runtime/float/encoder.h"

#include <algorithm>
#include <cmath>

#include "format/geometry.h"

namespace cssrun::internal {

Encoder::Encoder(const ExecutionNetwork& network)
    : network_(network),
      starting_potential_(network.input.channels),
      potential_(Neurons(network.layers.front().extent)),
      negative_(network.input.channels) {
  const double full_scale = static_cast<double>(network.layers.front().amplitude) *
                            std::pow(static_cast<double>(network.beta), network.timesteps);
  for (size_t channel = 0; channel < starting_potential_.size(); ++channel) {
    const double mean = static_cast<double>(network.input.mean[channel]);
    const double stddev = static_cast<double>(network.input.stddev[channel]);
    for (size_t pixel = 0; pixel < 256; ++pixel) {
      const double normalized = (static_cast<double>(pixel) / 255.0 - mean) / stddev;
      starting_potential_[channel][pixel] = static_cast<float>(normalized / full_scale);
    }
  }
}

void Encoder::SetImage(std::span<const uint8_t> pixels) {
  const size_t channels = starting_potential_.size();
  for (size_t i = 0; i < potential_.size(); ++i) {
    potential_[i] = starting_potential_[i % channels][pixels[i]];
  }
}

void Encoder::Step(uint32_t index, EventFrame& events) {
  const Layer& layer = network_.layers.front();
  const float threshold = layer.thresholds[index];
  const float beta = network_.beta;
  const size_t channels = starting_potential_.size();
  uint16_t* out = events.channels.data();
  uint32_t count = 0;
  for (size_t position = 0; position < Positions(layer.extent); ++position) {
    float* potential = &potential_[position * channels];
    size_t negatives = 0;
    for (size_t channel = 0; channel < channels; ++channel) {
      potential[channel] *= beta;
      if (potential[channel] >= threshold) {
        potential[channel] -= 1.0F;
        out[count++] = static_cast<uint16_t>(channel);
      } else if (potential[channel] <= -threshold) {
        potential[channel] += 1.0F;
        negative_[negatives++] = static_cast<uint16_t>(channel);
      }
    }
    events.bounds[2 * position + 1] = count;
    std::copy_n(negative_.data(), negatives, out + count);
    count += static_cast<uint32_t>(negatives);
    events.bounds[2 * position + 2] = count;
  }
}

}  // namespace cssrun::internal
