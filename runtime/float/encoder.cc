#include "runtime/float/encoder.h"

#include <algorithm>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/neuron/pixel_code.h"

namespace cssrun::internal {

Encoder::Encoder(const LoadedNetwork& network)
    : network_(network),
      starting_potential_(network.input.channels),
      potential_(Neurons(network.layers.front().extent)),
      negative_(network.input.channels) {
  CSSRUN_ASSERT(network.input.mean.size() == network.input.channels);
  CSSRUN_ASSERT(network.input.stddev.size() == network.input.channels);
  scale_ = EncoderScale(network.layers.front().amplitude, network.beta, network.timesteps);
  for (size_t channel = 0; channel < starting_potential_.size(); ++channel) {
    for (size_t pixel = 0; pixel < 256; ++pixel) {
      starting_potential_[channel][pixel] = StartingPotential(
          pixel, network.input.mean[channel], network.input.stddev[channel], scale_);
    }
  }
}

void Encoder::SetImage(const Input& image) {
  CSSRUN_ASSERT(image.kind != InputKind::kSpikes);
  const InputFormat& format = network_.input;
  ForEachPixel(image.order, network_.layers.front().extent, [&](size_t i, size_t at, size_t c) {
    potential_[i] =
        image.kind == InputKind::kBytes
            ? starting_potential_[c][image.bytes[at]]
            : StartingPotential(image.values[at], format.mean[c], format.stddev[c], scale_);
  });
}

void Encoder::Step(uint32_t index, EventFrame& events) {
  const Layer& layer = network_.layers.front();
  CSSRUN_ASSERT(index < layer.thresholds.size());
  CSSRUN_ASSERT(events.bounds.size() == 2 * Positions(layer.extent) + 1);
  const float threshold = layer.thresholds[index];
  const float beta = network_.beta;
  const size_t channels = starting_potential_.size();
  uint16_t* out = events.channels.data();
  uint32_t count = 0;
  for (size_t position = 0; position < Positions(layer.extent); ++position) {
    float* potential = &potential_[position * channels];
    size_t negatives = 0;
    for (size_t channel = 0; channel < channels; ++channel) {
      const int spike = EncodeStep(beta, threshold, potential[channel]);
      if (spike > 0) out[count++] = static_cast<uint16_t>(channel);
      if (spike < 0) negative_[negatives++] = static_cast<uint16_t>(channel);
    }
    events.bounds[2 * position + 1] = count;
    std::copy_n(negative_.data(), negatives, out + count);
    count += static_cast<uint32_t>(negatives);
    events.bounds[2 * position + 2] = count;
  }
}

void WriteSpikes(std::span<const CodedSpike> spikes, EventFrame& events) {
  uint32_t count = 0;
  size_t next = 0;
  for (size_t position = 0; 2 * position + 1 < events.bounds.size(); ++position) {
    size_t end = next;
    while (end < spikes.size() && spikes[end].position == position) ++end;
    // Both runs of a position keep the ascending order of the channels in `spikes`.
    for (const int sign : {1, -1}) {
      for (size_t i = next; i < end; ++i) {
        if (spikes[i].sign == sign) events.channels[count++] = spikes[i].channel;
      }
      events.bounds[2 * position + (sign > 0 ? 1 : 2)] = count;
    }
    next = end;
  }
  CSSRUN_ASSERT(next == spikes.size());  // sorted by position, and all positions exist
}

}  // namespace cssrun::internal
