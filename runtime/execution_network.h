// The immutable network as the engine executes it: layers in order, weights laid out.
#ifndef CSSRUN_RUNTIME_EXECUTION_NETWORK_H_
#define CSSRUN_RUNTIME_EXECUTION_NETWORK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "hwy/aligned_allocator.h"
#include "runtime/direct_input.h"
#include "runtime/float/synapse_layout.h"
#include "runtime/integer/network.h"

namespace cssrun::internal {

struct Layer {
  std::string name;
  format::NodeKind kind = format::NodeKind::Neurons;
  format::Extent extent;      // of its spikes or logits
  format::Extent potential;   // of its membranes
  uint32_t offset = 0;        // global step at which spike index 0 leaves
  uint32_t input_offset = 0;  // global step at which input index 0 is consumed
  bool rectify = false;
  std::optional<format::Window> pool;
  float amplitude = 1;
  float initial_potential = 0;
  ChannelBlocks blocks;                     // of the membranes
  std::vector<float> thresholds;            // per spike index, in units of a membrane
  hwy::AlignedFreeUniquePtr<float[]> bias;  // blocks.stride() channels
  std::vector<SynapseLayout> synapses;
  std::vector<DirectSynapses> direct;  // from the image, where it is not coded in spikes
  // How many steps of its spikes must be kept: the longest delay line that reads it, plus one,
  // or T if that is less.
  uint32_t kept_steps = 1;
};

struct ExecutionNetwork {
  uint32_t timesteps = 0;
  uint32_t silent_steps = 0;
  bool negative_spikes = true;
  std::optional<PixelScale> direct_input;  // nothing: the encoder codes pixels in spikes
  float beta = 1.5F;
  // What a spike takes off the membrane when it leaves: beta^L (Algorithm 1, amplitude 1).
  float spike_weight = 1;
  uint32_t latency_steps = 0;
  uint64_t macs_per_image = 0;
  float early_exit_margin = -1;  // negative: not measured
  InputFormat input;
  std::vector<std::string> labels;
  std::vector<LayerInfo> layer_infos;
  std::vector<Layer> layers;
  // Only one engine's weights are laid out: with these, the float synapses stay empty.
  std::unique_ptr<const IntegerNetwork> integers;
  std::string
      float_reason;  // why the integer engine cannot run this network, where it was asked to
};

// Lays out for the float engine.
ExecutionNetwork LayOutNetwork(const NetworkFile& file);
// Lays out for the integer engine, or for the float engine where the integer one cannot run it.
ExecutionNetwork LayOutNetworkInIntegers(const NetworkFile& file);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EXECUTION_NETWORK_H_
