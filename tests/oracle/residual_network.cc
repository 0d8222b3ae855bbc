#include "tests/oracle/residual_network.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "tests/oracle/network_parts.h"

namespace cssrun::oracle {
namespace {

using format::Extent;
using format::NetworkT;
using format::NodeKind;
using format::NodeT;
using format::SynapseKind;
using format::Window;

// Rounds the weights to 3 bits: from -4 to 3 steps, with a step for each channel.
void MakeThreeBits(Draw& draw, NodeT& node) {
  for (auto& s : node.synapses) {
    if (s->kind == SynapseKind::Identity) continue;
    const size_t fan_in = s->weights.size() / node.potential->channels();
    for (size_t i = 0; i < s->weights.size(); i += fan_in) {
      const float step = 0.7F / std::sqrt(static_cast<float>(fan_in)) + draw.Normal(0.001F);
      for (size_t k = i; k < i + fan_in; ++k) {
        s->weights[k] = std::clamp(std::round(s->weights[k] / step), -4.0F, 3.0F) * step;
      }
    }
  }
}

}  // namespace

NetworkT ResidualNetwork(uint32_t seed) {
  Draw draw(seed);
  const uint32_t timesteps = 3 + seed % 4;
  const bool direct = draw.Chance(0.5);
  const bool three_bits = draw.Chance(0.5);
  const uint32_t side = draw.Count(9, 13);
  uint32_t channels = draw.Count(9, 16);
  const Extent image(3, side, side);
  NetworkT network = EmptyNetwork(timesteps, 2.0F, timesteps - 1, true, image);
  Extent from = image;
  const auto convolve = [&](uint32_t to_channels, int stride, float gain) {
    const auto source = static_cast<uint32_t>(network.nodes.size()) - 1;
    const Window window(3, 3, stride, stride, 1, 1, 1, 1, 1, 1);
    const Extent to = Through(window, from, to_channels);
    auto node = Node("layer" + std::to_string(source), NodeKind::Neurons, to);
    node->rectify = true;
    node->thresholds = Thresholds(timesteps, 0.5F);
    DrawBias(draw, timesteps, false, *node);
    node->synapses.push_back(Convolution(draw, source, from, window, to_channels, 1, false));
    for (float& weight : node->synapses.back()->weights) weight *= gain;
    network.nodes.push_back(std::move(node));
    from = to;
  };
  convolve(channels, 1, 1);
  for (int stage = 0; stage < 3; ++stage) {
    for (int block = 0; block < 3; ++block) {
      const auto before = static_cast<uint32_t>(network.nodes.size()) - 1;
      const Extent block_input = from;
      const bool first = stage > 0 && block == 0;
      if (first) channels *= 2;
      convolve(channels, first ? 2 : 1, 1);
      convolve(channels, 1, 0.7F);
      const int rows = (static_cast<int>(from.height()) - 1) * (first ? 2 : 1) + 1 -
                       static_cast<int>(block_input.height());
      const Window window =
          first ? Window(1, 1, 2, 2, 0, 0, rows, rows, 1, 1) : Window(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
      const int offset = static_cast<int>(channels - block_input.channels()) / 2;
      const float weight = 0.75F + draw.Normal(0.05F);
      network.nodes.back()->synapses.push_back(Shortcut(before, window, offset, weight));
    }
  }
  if (three_bits) {
    for (auto& node : network.nodes) MakeThreeBits(draw, *node);
  }
  AddReadout(draw, false, network);
  SetTiming(network);
  if (direct) {
    network.code->input = format::InputCoding::Direct;
    network.nodes[0]->thresholds.clear();
    network.code->whole_pixels = true;
  }
  return network;
}

}  // namespace cssrun::oracle
