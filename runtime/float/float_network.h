// A network as the float engine executes it: the weights of the file, in 32-bit floats, in the
// order in which events use them. Immutable; shared by threads.
#ifndef CSSRUN_RUNTIME_FLOAT_FLOAT_NETWORK_H_
#define CSSRUN_RUNTIME_FLOAT_FLOAT_NETWORK_H_

#include <cstdint>
#include <vector>

#include "format/network_file.h"
#include "hwy/aligned_allocator.h"
#include "runtime/float/synapse_layout.h"

namespace cssrun::internal {

struct FloatLayer {
  ChannelBlocks blocks;                     // of the membranes
  hwy::AlignedFreeUniquePtr<float[]> bias;  // blocks.stride() channels, 0 beyond the real ones
  std::vector<SynapseLayout> synapses;
  // Steps of its spikes that must be kept: the longest delay of the synapses that read it, plus
  // one, or T if that is less.
  uint32_t kept_steps = 1;
};

struct FloatNetwork {
  std::vector<FloatLayer> layers;  // by layer index
};

// Lays out one node of the network; `kept_steps` is left at 1. Throws as NetworkFile::WeightsOf().
FloatLayer LayOutFloatLayer(const format::NetworkFile& file, const format::Node& node);

// Throws as NetworkFile::WeightsOf().
FloatNetwork LayOutFloats(const format::NetworkFile& file);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_FLOAT_NETWORK_H_
