// The synapses between two layers. Their weights are laid out once, at load, in the order in which
// events use them.
#ifndef CSSRUN_RUNTIME_FLOAT_SYNAPSE_LAYOUT_H_
#define CSSRUN_RUNTIME_FLOAT_SYNAPSE_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "network_generated.h"

namespace cssrun::internal {

// Cuts the channels of a layer into blocks whose membranes fit in vector registers. Membranes and
// biases hold stride() = count * size channels per position; those beyond the layer's are 0.
//
//     80 channels: 5 chunks of 16, in 2 blocks of 3 chunks
//
//     channel   0        48       80      96
//               | block 0 | block 1 | zero |
struct ChannelBlocks {
  // Floats in the widest vector that the kernels use: 512 bits.
  static constexpr uint32_t kChunk = 16;
  // 64 floats are 8 AVX2 registers: enough independent sums to hide the latency of an addition.
  static constexpr uint32_t kMaximumChunks = 4;

  uint32_t count = 0;
  uint32_t size = 0;  // channels of one block, a multiple of kChunk

  static ChannelBlocks For(uint32_t channels);
  uint32_t stride() const { return count * size; }
};

// Target position o reads position o * stride - pad + k * dilation of the view (WindowAxis). The
// view is the source's map, or a map of means; a position of the means reads the source by a window
// in the same way.
struct SynapseLayout {
  uint32_t source = 0;  // layer index
  uint32_t delay = 0;   // steps
  format::SynapseKind kind = format::SynapseKind::Convolution;
  format::Extent source_extent;
  format::Extent seen_extent;    // of the view: the means, or the source itself, spread out
  format::Extent target_extent;  // of the target's membranes
  format::Window window;
  std::optional<format::Window> average;  // the window of the means; nothing: no means
  int32_t spread_y = 1;  // view positions from one mean or source position to the next
  int32_t spread_x = 1;
  uint32_t groups = 1;
  int32_t channel_offset = 0;
  ChannelBlocks blocks;  // of the target

  // Convolution with one group: [block][ky][source channel][kx][channel of the block], so that all
  // taps of an event in one kernel row are contiguous. With several groups: [ky][kx][source
  // channel][target channel of the group]. Identity: the one weight.
  hwy::AlignedFreeUniquePtr<float[]> weights;

  // By source position: synapses that one event there reaches (Identity: if its channel lies in
  // IdentityChannels()).
  std::vector<uint64_t> fan_out;

  uint32_t channels_per_target_group() const { return target_extent.channels() / groups; }
};

// `weights`: those of `synapses`; `source`: of the source's spikes; `target`: of the target's
// membranes. Throws std::bad_alloc.
SynapseLayout LayOutSynapses(const format::Synapses& synapses, std::span<const float> weights,
                             const format::Extent& source, const format::Extent& target);

// The source channels [first, last) of an identity whose target channel exists.
struct ChannelRange {
  uint32_t first = 0;
  uint32_t last = 0;
};
ChannelRange IdentityChannels(const SynapseLayout& synapses);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_SYNAPSE_LAYOUT_H_
