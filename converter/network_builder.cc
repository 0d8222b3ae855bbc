#include "converter/network_builder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "converter/round_weights.h"

namespace cssrun::converter {
namespace {

using format::NodeKind;
using format::SynapseKind;

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

// What the channels of a node send on average, in their amplitudes; zeros where it is unknown.
std::vector<double> MeansOf(const SpikingNetwork& network,
                            std::span<const std::vector<double>> means,
                            const std::vector<NodeCode>& codes, size_t node) {
  std::vector<double> sent(network.nodes[node].extent.channels(), 0);
  if (node >= means.size() || means[node].empty()) return sent;
  for (size_t c = 0; c < sent.size(); ++c) sent[c] = means[node][c] / codes[node].AmplitudeOf(c);
  return sent;
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
                              const CodeSettings& code, const RoundingBasis& basis) {
  format::NetworkT built;
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
      const WeightRounding rounding =
          RoundingOf(network, node, synapses, code, !basis.pixel_steps.empty());
      if (rounding == WeightRounding::kNone) continue;
      const std::vector<double> means = MeansOf(network, basis.means, codes, synapses.source);
      SentBy sources{means, {}};
      if (synapses.source == 0) sources.steps = basis.pixel_steps;
      const std::vector<double> lost =
          RoundWeights(rounding, sources, *built_node->synapses.back());
      for (size_t c = 0; c < lost.size(); ++c) {
        built_node->bias[c] += static_cast<float>(lost[c] / code.SumOfWeights());
      }
    }
    built.nodes.push_back(std::move(built_node));
  }
  SetTiming(built);
  return built;
}

}  // namespace cssrun::converter
