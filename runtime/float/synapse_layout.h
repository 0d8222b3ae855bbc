// The synapses between two layers, laid out once at load for the order in which events use them.
#ifndef CSSRUN_RUNTIME_FLOAT_SYNAPSE_LAYOUT_H_
#define CSSRUN_RUNTIME_FLOAT_SYNAPSE_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "network_generated.h"

namespace cssrun::internal {

// How the channels of a layer are cut into blocks whose membranes fit in vector registers.
// Membranes and biases hold count * size channels a position, zero beyond the real ones.
struct ChannelBlocks {
  // In floats; the width of the widest vector that the kernels use.
  static constexpr uint32_t kChunk = 16;
  // 64 floats are 8 AVX2 registers: enough independent sums to hide the latency of an addition.
  static constexpr uint32_t kMaximumChunks = 4;

  uint32_t count = 0;
  uint32_t size = 0;  // channels of one block, a multiple of kChunk

  static ChannelBlocks For(uint32_t channels);
  uint32_t stride() const { return count * size; }
};

// Position o of the target sees o * stride - pad + k * dilation of what the source, after the
// optional mean, shows; every position of the mean sees a window of the source in the same way.
struct SynapseLayout {
  uint32_t source = 0;  // layer index
  uint32_t delay = 0;   // steps
  format::SynapseKind kind = format::SynapseKind::Convolution;
  format::Extent source_extent;
  format::Extent seen_extent;    // after the mean; the source's own without one
  format::Extent target_extent;  // of the target's membranes
  format::Window window;
  std::optional<format::Window> average;
  uint32_t groups = 1;
  int32_t channel_offset = 0;
  ChannelBlocks blocks;  // of the target

  // Convolution with one group: [block][ky][source channel][kx][channel of the block], so that all
  // taps of an event in one kernel row are contiguous. With several groups: [ky][kx][source
  // channel][target channel of the group]. Identity: the one weight.
  hwy::AlignedFreeUniquePtr<float[]> weights;

  // Synapses of one event at each source position (Identity: if its channel exists in the target).
  std::vector<uint64_t> fan_out;

  uint32_t channels_per_target_group() const { return target_extent.channels() / groups; }
};

SynapseLayout LayOutSynapses(const format::Synapses& synapses, const format::Extent& source,
                             const format::Extent& target);

// Channels that an identity carries over: source channels [first, last).
struct ChannelRange {
  uint32_t first = 0;
  uint32_t last = 0;
};
ChannelRange IdentityChannels(const SynapseLayout& synapses);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_SYNAPSE_LAYOUT_H_
