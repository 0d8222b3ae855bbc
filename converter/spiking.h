// Turns the ANN into spiking neurons: decides which ANN operations become nodes and which become
// synapses.
//
// Between two layers of neurons an ANN is linear. So every value of the graph is followed as a
// linear form: a sum of synapses from spiking nodes, plus a bias per channel. Convolutions, sums,
// means, slices and paddings compose with the form; a rectifier or a max pool ends it and makes
// neurons. Where two operations do not compose into one set of synapses, signed neurons in between
// carry the value (they cost L steps, not accuracy).
#ifndef CSSRUN_CONVERTER_SPIKING_H_
#define CSSRUN_CONVERTER_SPIKING_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"
#include "network_generated.h"

namespace cssrun::converter {

// Synapses in units of the ANN: amplitudes are not folded in yet.
struct SpikingSynapses {
  size_t source = 0;  // index of an earlier node
  format::SynapseKind kind = format::SynapseKind::Identity;
  std::optional<format::Window> average;
  format::Window window;
  uint32_t groups = 1;
  int32_t channel_offset = 0;
  // For an identity in a form: how often every position, or every mean, is repeated. Convolutions
  // of the form take this into their weights; the synapses of neurons are spread out instead.
  int32_t repeat_y = 1;
  int32_t repeat_x = 1;
  // For a convolution: see format/network.fbs.
  int32_t spread_y = 1;
  int32_t spread_x = 1;
  // The weights of a convolution, [target][source / groups][ky][kx]. A fully connected layer shares
  // its matrix, which has two dimensions, with the graph.
  std::shared_ptr<const Tensor> weights;
  double scale = 1;  // multiplies the weights; an identity's only weight
  // For an identity in a form: factors for the spikes of each source channel; null: none. A
  // convolution of the form takes them into its weights; the synapses of neurons have none.
  std::shared_ptr<const std::vector<double>> channel_scales;
};

struct SpikingNode {
  std::string name;
  format::NodeKind kind = format::NodeKind::Neurons;
  ValueId value = kNoValue;  // the ANN's value that these spikes stand for
  format::Extent extent;
  format::Extent potential;
  std::optional<format::Window> pool;
  bool rectify = false;
  std::optional<float> cap;  // Clip(0, cap): the amplitude is chosen so that no train exceeds it
  // The ANN rounds to whole multiples of `step` from `lowest` to `highest`; the cap of neurons is
  // the larger magnitude of both. The encoder rounds pixels so with direct input.
  struct Grid {
    double step = 1;
    int64_t lowest = 0;
    int64_t highest = 0;
  };
  std::optional<Grid> grid;
  bool half = false;         // one of two rectified halves of a value: it may never fire
  std::vector<double> bias;  // per channel
  std::vector<SpikingSynapses> synapses;
};

struct SpikingNetwork {
  std::vector<SpikingNode> nodes;  // the encoder first, the readouts last
  uint64_t macs = 0;               // of the dense ANN; at borders, taps in the padding do not count
};

// Lowers a graph that FindUnsupported() accepts. Error: kBadModel naming the node.
Result<SpikingNetwork> LowerToSpikes(const Graph& graph);

// Returns how many weights reach one neuron of `node`: the most that can be added in a step.
uint64_t FanIn(const SpikingNetwork& network, const SpikingNode& node);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_SPIKING_H_
