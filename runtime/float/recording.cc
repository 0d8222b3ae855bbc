#include "runtime/float/recording.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "format/geometry.h"
#include "runtime/assert.h"
#include "runtime/float/pool.h"
#include "runtime/neuron/neuron.h"

namespace cssrun::internal {

void RecordSpikes(const format::Extent& extent, const EventFrame& events, int8_t* out) {
  const size_t positions = Positions(extent);
  CSSRUN_ASSERT(events.bounds.size() == 2 * positions + 1);
  for (size_t position = 0; position < positions; ++position) {
    for (uint32_t i = events.bounds[2 * position]; i < events.bounds[2 * position + 2]; ++i) {
      const bool positive = i < events.bounds[2 * position + 1];
      CSSRUN_ASSERT(events.channels[i] < extent.channels());
      out[events.channels[i] * positions + position] = static_cast<int8_t>(positive ? 1 : -1);
    }
  }
}

float Residual(const Layer& layer, const ChannelBlocks& blocks, const NeuronArrays& neurons,
               uint32_t y, uint32_t x, size_t channel) {
  const PoolMembers members = MembersOf(layer, y, x);
  const size_t stride = blocks.stride();
  CSSRUN_ASSERT(channel < layer.extent.channels());
  CSSRUN_ASSERT(members.first_row < members.last_row && members.first_column < members.last_column);
  float h = std::numeric_limits<float>::lowest();
  for (size_t row = members.first_row; row < members.last_row; ++row) {
    for (size_t column = members.first_column; column < members.last_column; ++column) {
      h = std::max(h,
                   neurons.membranes[(row * layer.potential.width() + column) * stride + channel]);
    }
  }
  const float g = neurons.sent[(size_t{y} * layer.extent.width() + x) * stride + channel];
  return Drive(layer.neuron, h, g) / layer.neuron.spike_weight;
}

void RecordMembranes(const Layer& layer, const ChannelBlocks& blocks, const NeuronArrays& neurons,
                     float* out) {
  for (uint32_t c = 0; c < layer.extent.channels(); ++c) {
    for (uint32_t y = 0; y < layer.extent.height(); ++y) {
      for (uint32_t x = 0; x < layer.extent.width(); ++x) {
        *out++ = Residual(layer, blocks, neurons, y, x, c);
      }
    }
  }
}

}  // namespace cssrun::internal
