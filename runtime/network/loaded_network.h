// A loaded network: verified, immutable, laid out for one engine. Threads may share it.
//
// LoadedNetwork holds what every engine needs: the code, the layers in execution order with their
// parameters and their place in the schedule, and the synapses of direct input. `layout` holds the
// synapses that spikes cross, in the layout of the engine that will run the network.
#ifndef CSSRUN_RUNTIME_NETWORK_LOADED_NETWORK_H_
#define CSSRUN_RUNTIME_NETWORK_LOADED_NETWORK_H_

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "hwy/aligned_allocator.h"
#include "runtime/direct_input.h"
#include "runtime/events/event_network.h"
#include "runtime/float/float_network.h"
#include "runtime/integer/network.h"
#include "runtime/neuron/neuron.h"

namespace cssrun::internal {

struct Layer {
  std::string name;
  format::NodeKind kind = format::NodeKind::Neurons;
  format::Extent extent;      // of the spikes or logits that leave
  format::Extent potential;   // of the membranes; differs from `extent` only with a pool
  uint32_t offset = 0;        // global step at which spike index 0 leaves
  uint32_t input_offset = 0;  // global step at which input index 0 is consumed
  NeuronParameters neuron;
  std::optional<format::Window> pool;  // nothing: each membrane has a neuron of its own
  float amplitude = 1;                 // theta
  float initial_potential = 0;  // h before the first input, in spike weights of the last step
  // S of each spike index, in the unit of h (the file has shares of the spike's weight); empty
  // where no spikes leave.
  std::vector<float> thresholds;
  hwy::AlignedFreeUniquePtr<float[]> bias;  // per channel of the membranes; unset for the encoder
  // Of a readout: by element of the output, the neuron; empty: all in their order.
  std::vector<uint32_t> output_order;
  std::vector<DirectSynapses> direct;  // from the image, with direct input only
  int32_t lowest_level = 0;            // limits of what a train carries, in amplitudes
  int32_t highest_level = 0;           // both 0: none

  // The neuron's parameters at a spike index, limits included. They are for beta 2.
  NeuronParameters NeuronAt(uint32_t index) const {
    NeuronParameters at = neuron;
    if (lowest_level == 0 && highest_level == 0) return at;
    const int after = static_cast<int>(thresholds.size()) - 1 - static_cast<int>(index);
    const float unit = std::ldexp(neuron.spike_weight, -after);
    at.lowest = static_cast<float>(lowest_level) * unit;
    at.highest = static_cast<float>(highest_level) * unit;
    return at;
  }
};

struct LoadedNetwork {
  uint32_t timesteps = 0;     // T
  uint32_t silent_steps = 0;  // L
  bool negative_spikes = true;
  std::optional<PixelScale> direct_input;  // nothing: the encoder codes pixels in spikes
  float beta = 1.5F;
  // u = beta^L: what a spike of a neuron adds to g when it leaves (Algorithm 1, amplitude 1).
  float spike_weight = 1;
  uint32_t latency_steps = 0;    // global steps until the readout is complete
  uint64_t macs_per_image = 0;   // of the dense ANN
  float early_exit_margin = -1;  // negative: not measured
  InputFormat input;
  std::vector<std::string> labels;
  std::vector<LayerInfo> layer_infos;
  std::vector<Layer> layers;
  AnswerKind answer = AnswerKind::kClasses;
  std::vector<OutputInfo> outputs;  // of the readouts, which are the last layers
  // The alternative held says which engine runs the network. One that takes events has no `layers`.
  std::variant<FloatNetwork, IntegerNetwork, EventNetwork> layout;
  // Why the integer engine does not run this network, if the caller asked for it; else empty.
  std::string float_reason;

  size_t first_readout() const { return layers.size() - outputs.size(); }
  EngineKind engine() const {
    return std::holds_alternative<IntegerNetwork>(layout) ? EngineKind::kInteger
                                                          : EngineKind::kFloat;
  }
  // For engines, tests and benchmarks that know which engine they have; throw
  // std::bad_variant_access if they are wrong.
  const FloatNetwork& floats() const { return std::get<FloatNetwork>(layout); }
  const IntegerNetwork& integers() const { return std::get<IntegerNetwork>(layout); }
  // Null for a network that takes images.
  const EventNetwork* events() const { return std::get_if<EventNetwork>(&layout); }
};

// Lays out the network for `engine`, or for the float engine if the integer engine cannot run it.
// With `file_may_ask_for_float`, the file's reason not to run in integers counts. `file` may be
// released afterwards. Throws as NetworkFile::WeightsOf().
LoadedNetwork LayOutNetwork(const format::NetworkFile& file, EngineKind engine,
                            bool file_may_ask_for_float = false);

// Whether the layer sends spikes. The readout does not, nor does the image with direct input.
bool SendsSpikes(const LoadedNetwork& network, size_t layer);
// Whether the layer's membranes can be recorded: it has neurons, and its engine computes them step
// by step (the integer engine computes settled layers in one step).
bool KeepsMembranes(const LoadedNetwork& network, size_t layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_NETWORK_LOADED_NETWORK_H_
