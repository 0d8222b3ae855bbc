// A loaded network: verified, immutable, laid out for one engine.
//
// What every engine needs stands here: the code, the layers in execution order with their
// parameters and their place in the schedule, and the synapses of direct input. The synapses that
// spikes cross are laid out by the engine that will run the network, in `layout`.
#ifndef CSSRUN_RUNTIME_NETWORK_LOADED_NETWORK_H_
#define CSSRUN_RUNTIME_NETWORK_LOADED_NETWORK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "hwy/aligned_allocator.h"
#include "runtime/direct_input.h"
#include "runtime/float/float_network.h"
#include "runtime/integer/network.h"
#include "runtime/neuron/neuron.h"

namespace cssrun::internal {

struct Layer {
  std::string name;
  format::NodeKind kind = format::NodeKind::Neurons;
  format::Extent extent;      // of its spikes or logits
  format::Extent potential;   // of its membranes
  uint32_t offset = 0;        // global step at which spike index 0 leaves
  uint32_t input_offset = 0;  // global step at which input index 0 is consumed
  NeuronParameters neuron;
  std::optional<format::Window> pool;
  float amplitude = 1;
  float initial_potential = 0;
  std::vector<float> thresholds;            // per spike index, in units of a membrane
  hwy::AlignedFreeUniquePtr<float[]> bias;  // per channel of the membranes
  std::vector<DirectSynapses> direct;       // from the image, where it is not coded in spikes
};

struct LoadedNetwork {
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
  // The alternative says which engine runs the network.
  std::variant<FloatNetwork, IntegerNetwork> layout;
  // Why the integer engine cannot run this network, where it was asked to; else empty.
  std::string float_reason;

  EngineKind engine() const {
    return std::holds_alternative<IntegerNetwork>(layout) ? EngineKind::kInteger
                                                          : EngineKind::kFloat;
  }
  // For engines, tests and benchmarks that know which one they have. Throws
  // std::bad_variant_access.
  const FloatNetwork& floats() const { return std::get<FloatNetwork>(layout); }
  const IntegerNetwork& integers() const { return std::get<IntegerNetwork>(layout); }
};

// Lays out for `engine`; for the float engine where the integer one cannot run the network. Throws
// std::bad_alloc.
LoadedNetwork LayOutNetwork(const format::NetworkFile& file, EngineKind engine);

// Whether the layer sends spikes: the readout does not, nor does the image of direct input.
bool SendsSpikes(const LoadedNetwork& network, size_t layer);
// Whether the layer's membranes can be recorded: it has some, and its engine keeps them step by
// step.
bool KeepsMembranes(const LoadedNetwork& network, size_t layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NETWORK_LOADED_NETWORK_H_
