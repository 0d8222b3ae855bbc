// A network as the float engine executes it: weights as converted, laid out for events.
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
  // How many steps of its spikes must be kept: the longest delay line that reads it, plus one,
  // or T if that is less.
  uint32_t kept_steps = 1;
};

struct FloatNetwork {
  std::vector<FloatLayer> layers;  // by layer index
};

FloatNetwork LayOutFloats(const format::NetworkFile& file);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_FLOAT_FLOAT_NETWORK_H_
