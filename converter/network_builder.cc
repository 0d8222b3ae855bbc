#include "converter/network_builder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "format/geometry.h"
#include "format/network_file.h"
#include "runtime/neuron/settled.h"

namespace cssrun::converter {
namespace {

using format::NodeKind;
using format::SynapseKind;

// Whether weights are rounded for Winograd's products: in long settled codes whose levels are small
// enough for them, where kernels use them. Others keep all of their bits.
bool TakesWinograd(const SpikingNetwork& network, const SpikingNode& node,
                   const SpikingSynapses& synapses, const CodeSettings& code) {
  constexpr uint32_t kLongestTrain = 7;    // sums of two levels fit bytes
  constexpr uint32_t kFewestSources = 32;  // 16 gain 3 % (bench_kernels), 32 gain 15 %
  constexpr uint32_t kFewestColumns = 7;   // see winograd.cc
  const SpikingNode& source = network.nodes[synapses.source];
  const format::Window& w = synapses.window;
  return internal::SumsAreWide(code.Settled(), code.timesteps) && code.timesteps <= kLongestTrain &&
         synapses.kind == SynapseKind::Convolution && source.kind == NodeKind::Neurons &&
         node.kind == NodeKind::Neurons && !synapses.average.has_value() &&
         synapses.spread_y == 1 && synapses.spread_x == 1 &&
         w.kernel_x() == format::kWinogradTaps && w.stride_y() == 1 && w.stride_x() == 1 &&
         w.dilation_y() == 1 && w.dilation_x() == 1 &&
         source.extent.channels() / synapses.groups >= kFewestSources &&
         node.potential.width() >= kFewestColumns;
}

std::unique_ptr<format::SynapsesT> BuildSynapses(const SpikingSynapses& synapses,
                                                 const NodeCode& source, const NodeCode& target) {
  auto built = std::make_unique<format::SynapsesT>();
  built->source = static_cast<uint32_t>(synapses.source);
  built->kind = synapses.kind;
  if (synapses.average.has_value()) {
    built->average = std::make_unique<format::Window>(*synapses.average);
  }
  built->window = std::make_unique<format::Window>(synapses.window);
  built->groups = synapses.groups;
  built->channel_offset = synapses.channel_offset;
  built->spread_y = synapses.spread_y;
  built->spread_x = synapses.spread_x;
  if (synapses.kind == SynapseKind::Identity) {
    // An identity joins nodes whose channels share one amplitude.
    const double scale = synapses.scale * source.Largest() / target.Largest();
    built->weights = {static_cast<float>(scale)};
    return built;
  }
  const float* weight = synapses.weights->floats().data();  // [target][source of the group][ky][kx]
  const auto targets = static_cast<size_t>(synapses.weights->shape[0]);
  const auto taps = static_cast<size_t>(synapses.window.kernel_y()) *
                    static_cast<size_t>(synapses.window.kernel_x());
  const size_t sources = synapses.weights->floats().size() / (targets * taps);
  built->weights.reserve(targets * sources * taps);
  for (size_t t = 0; t < targets; ++t) {
    const size_t group = t / (targets / synapses.groups);
    for (size_t s = 0; s < sources; ++s) {
      const double scale =
          synapses.scale * source.AmplitudeOf(group * sources + s) / target.AmplitudeOf(t);
      for (size_t tap = 0; tap < taps; ++tap) {
        built->weights.push_back(static_cast<float>(static_cast<double>(*weight++) * scale));
      }
    }
  }
  return built;
}

// Sets offsets and delays. A node consumes input index i when its slowest source has sent it;
// spikes of the other sources wait in delay lines.
void SetTiming(format::NetworkT& network) {
  for (auto& node : network.nodes) {
    uint32_t input_offset = 0;
    for (const auto& synapses : node->synapses) {
      input_offset = std::max(input_offset, network.nodes[synapses->source]->offset);
    }
    for (auto& synapses : node->synapses) {
      synapses->delay = input_offset - network.nodes[synapses->source]->offset;
    }
    const bool fires = node->kind == NodeKind::Neurons;
    node->offset = input_offset + (fires ? network.code->silent_steps : 0);
  }
}

}  // namespace

format::NetworkT BuildNetwork(const SpikingNetwork& network, const std::vector<NodeCode>& codes,
                              const CodeSettings& code) {
  format::NetworkT built;
  built.format_version = format::kImagesVersion;
  built.macs_per_image = network.macs;
  built.code = std::make_unique<format::CodeT>();
  built.code->timesteps = code.timesteps;
  built.code->beta = code.beta;
  built.code->silent_steps = code.silent_steps;
  built.code->negative_spikes = code.negative_spikes;
  built.code->input =
      code.DirectInput() ? format::InputCoding::Direct : format::InputCoding::Spikes;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    const SpikingNode& node = network.nodes[i];
    auto built_node = std::make_unique<format::NodeT>();
    built_node->name = node.name;
    built_node->kind = node.kind;
    built_node->extent = std::make_unique<format::Extent>(node.extent);
    built_node->potential = std::make_unique<format::Extent>(node.potential);
    built_node->rectify = node.rectify;
    if (node.pool.has_value()) built_node->pool = std::make_unique<format::Window>(*node.pool);
    built_node->amplitude = static_cast<float>(codes[i].Largest());
    if (node.kind == NodeKind::Encoder) built_node->thresholds = code.EncoderThresholds();
    if (node.kind == NodeKind::Neurons) {
      built_node->thresholds = codes[i].thresholds;
      built_node->initial_potential = code.InitialPotential();
      built_node->lowest_level = codes[i].lowest_level;
      built_node->highest_level = codes[i].highest_level;
    }
    for (size_t c = 0; c < node.bias.size(); ++c) {
      const double per_step = node.bias[c] / (code.SumOfWeights() * codes[i].AmplitudeOf(c));
      built_node->bias.push_back(static_cast<float>(per_step));
    }
    for (const SpikingSynapses& synapses : node.synapses) {
      built_node->synapses.push_back(BuildSynapses(synapses, codes[synapses.source], codes[i]));
      if (TakesWinograd(network, node, synapses, code)) {
        built_node->synapses.back()->winograd = true;
        built.format_version = format::kWinogradVersion;
      }
    }
    built.nodes.push_back(std::move(built_node));
  }
  SetTiming(built);
  return built;
}

}  // namespace cssrun::converter
