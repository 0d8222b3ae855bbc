#include "tests/oracle/random_network.h"

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
using format::SynapsesT;
using format::Window;

// One axis of a mean. It may skip the first positions of its source or go beyond them, and its
// `count` positions are those of the target from `first` on.
struct Placement {
  int kernel, stride, before, after, first, rest;
};

Placement RandomPlacement(Draw& draw, uint32_t source, uint32_t target) {
  const auto from = static_cast<int>(source), to = static_cast<int>(target);
  Placement p;
  p.kernel = draw.Integer(1, 3);
  p.stride = draw.Integer(1, 2);
  p.before = draw.Integer(1 - from, p.kernel - 1);
  p.first = draw.Integer(0, to - 1);
  const int count = draw.Integer(1, to - p.first);
  p.after = (count - 1) * p.stride + p.kernel - from - p.before;
  p.rest = to - p.first - count;
  return p;
}

std::unique_ptr<SynapsesT> PlacedMean(Draw& draw, uint32_t source, const Extent& from,
                                      const Extent& to, bool exact) {
  const Placement y = RandomPlacement(draw, from.height(), to.height());
  const Placement x = RandomPlacement(draw, from.width(), to.width());
  auto s = std::make_unique<SynapsesT>();
  s->source = source;
  s->kind = SynapseKind::Identity;
  s->average = std::make_unique<Window>(y.kernel, x.kernel, y.stride, x.stride, y.before, x.before,
                                        y.after, x.after, 1, 1);
  s->window = std::make_unique<Window>(1, 1, 1, 1, y.first, x.first, y.rest, x.rest, 1, 1);
  s->weights = {Round(draw.Normal(0.3F), exact)};
  return s;
}

}  // namespace

NetworkT RandomNetwork(uint32_t seed, const RandomOptions& options) {
  Draw draw(seed);
  const bool exact = options.exact;
  auto timesteps = static_cast<uint32_t>(draw.Integer(1, exact ? 6 : 14));
  float beta = draw.OneOf<float>(exact ? std::vector<float>{1.5F, 2.0F}
                                       : std::vector<float>{1.1F, 1.5F, 1.7F, 2.0F, 1.0F});
  auto silent = static_cast<uint32_t>(draw.Integer(0, 3));
  if (options.settled) {
    timesteps = 1 + timesteps % 6;
    beta = 2;
    silent = std::min(8U, timesteps - 1 + silent % 2);
  }
  const bool negative = draw.Chance(0.8);
  const auto image_width = static_cast<uint32_t>(draw.Integer(4, 11));
  const auto image_height = static_cast<uint32_t>(draw.Integer(4, 11));
  const auto image_channels = static_cast<uint32_t>(draw.Integer(1, 4));
  const Extent image(image_channels, image_height, image_width);
  NetworkT network = EmptyNetwork(timesteps, beta, silent, negative, image);

  const int layers = draw.Integer(1, 6);
  for (int layer = 0; layer < layers; ++layer) {
    // The source is the latest node, or sometimes an earlier one.
    const auto last = static_cast<uint32_t>(network.nodes.size() - 1);
    const uint32_t source =
        draw.Chance(0.8) ? last : static_cast<uint32_t>(draw.Integer(0, static_cast<int>(last)));
    const Extent from = *network.nodes[source]->extent;

    std::unique_ptr<Window> average;
    Extent view = from;
    if (draw.Chance(0.2)) {
      average = std::make_unique<Window>(RandomWindow(draw, from, false));
      view = Through(*average, from, from.channels());
    }
    int32_t spread_y = 1;
    int32_t spread_x = 1;
    if (options.spread && draw.Chance(0.6)) {
      spread_y = draw.Integer(1, 3);
      spread_x = draw.Integer(1, 3);
      view = SpreadOut(view, spread_y, spread_x);
    }
    const Window window = RandomWindow(draw, view, true);
    std::vector<uint32_t> divisors;
    for (uint32_t g = 1; g <= from.channels(); ++g) {
      if (from.channels() % g == 0) divisors.push_back(g);
    }
    const uint32_t groups = draw.Chance(0.3) ? draw.OneOf(divisors) : 1;
    uint32_t channels = groups * static_cast<uint32_t>(draw.Integer(
                                     1, groups > 1 ? 4 : draw.OneOf<int>({8, 20, 150})));
    const Extent potential = Through(window, view, channels);

    auto node = Node("layer" + std::to_string(layer), NodeKind::Neurons, potential);
    node->rectify = draw.Chance(0.8);
    if (beta == 1.0F) node->initial_potential = Round(draw.Normal(0.3F), exact);
    node->thresholds = Thresholds(
        timesteps, negative ? Round(draw.OneOf<float>({0.5F, 0.6875F, 0.75F}), exact) : 1.0F);
    DrawBias(draw, timesteps, exact, *node);
    auto synapses = Convolution(draw, source, from, window, channels, groups, exact);
    synapses->average = std::move(average);
    synapses->spread_y = spread_y;
    synapses->spread_x = spread_x;
    node->synapses.push_back(std::move(synapses));

    // Shortcuts are identities of any earlier node that fits with a stride and a channel offset.
    for (uint32_t other = 0; other <= last; ++other) {
      const Extent& e = *network.nodes[other]->extent;
      if (!draw.Chance(0.6)) continue;
      const int sy = draw.Integer(1, 2), sx = draw.Integer(1, 2);
      const int pad_y =
          static_cast<int>(potential.height() - 1) * sy + 1 - static_cast<int>(e.height());
      const int pad_x =
          static_cast<int>(potential.width() - 1) * sx + 1 - static_cast<int>(e.width());
      auto s = std::make_unique<SynapsesT>();
      s->source = other;
      s->kind = SynapseKind::Identity;
      s->window = std::make_unique<Window>(1, 1, sy, sx, 0, 0, pad_y, pad_x, 1, 1);
      s->channel_offset = draw.Integer(1 - static_cast<int>(e.channels()),
                                       static_cast<int>(potential.channels()) - 1);
      s->weights = {Round(draw.Normal(0.8F), exact)};
      node->synapses.push_back(std::move(s));
    }
    if (options.placed_means) {
      for (uint32_t other = 0; other <= last; ++other) {
        node->synapses.push_back(
            PlacedMean(draw, other, *network.nodes[other]->extent, potential, exact));
      }
    }
    if (draw.Chance(0.3)) {
      const Window pool = RandomWindow(draw, potential, false);
      const Extent pooled = Through(pool, potential, channels);
      if (EveryPoolHasMembers(pool, potential, pooled)) {
        node->pool = std::make_unique<Window>(pool);
        *node->extent = pooled;
      }
    }
    network.nodes.push_back(std::move(node));
  }

  AddReadout(draw, exact, network);
  SetTiming(network);
  if (options.whole_weights) {
    for (auto& node : network.nodes) {
      for (auto& s : node->synapses) MakeWhole(draw, *node, *s);
    }
  }
  if (options.direct) {
    network.code->input = format::InputCoding::Direct;
    network.nodes[0]->thresholds.clear();
    network.code->whole_pixels = seed % 2 == 1;
  }
  return network;
}

NetworkT ChainNetwork(uint32_t layers, uint32_t timesteps, float beta, uint32_t silent) {
  Draw draw(layers);
  const Extent map(3, 4, 4);
  const Window unit(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  NetworkT network = EmptyNetwork(timesteps, beta, silent, true, map);
  for (uint32_t layer = 0; layer < layers; ++layer) {
    auto node = Node("layer" + std::to_string(layer), NodeKind::Neurons, map);
    node->rectify = true;
    node->thresholds = Thresholds(timesteps, 0.5F);
    node->bias.assign(3, 0.02F);
    node->synapses.push_back(Convolution(draw, layer, map, unit, 3, 1, false));
    network.nodes.push_back(std::move(node));
  }
  auto readout = Node("logits", NodeKind::Readout, Extent(4, 1, 1));
  readout->bias.assign(4, 0.0F);
  readout->synapses.push_back(
      Convolution(draw, layers, map, Window(4, 4, 1, 1, 0, 0, 0, 0, 1, 1), 4, 1, false));
  network.nodes.push_back(std::move(readout));
  SetTiming(network);
  return network;
}

NetworkT SmallNetwork() {
  NetworkT network = ChainNetwork(2, 6, 1.5F, 1);
  NodeT& pooled = *network.nodes[2];
  pooled.pool = std::make_unique<Window>(2, 2, 2, 2, 0, 0, 0, 0, 1, 1);
  *pooled.extent = Extent(3, 2, 2);
  auto shortcut = std::make_unique<SynapsesT>();
  shortcut->source = 0;
  shortcut->kind = SynapseKind::Identity;
  shortcut->window = std::make_unique<Window>(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  shortcut->weights = {0.5F};
  pooled.synapses.push_back(std::move(shortcut));
  SynapsesT& readout = *network.nodes[3]->synapses[0];
  readout.average = std::make_unique<Window>(2, 2, 1, 1, 0, 0, 0, 0, 1, 1);
  readout.window = std::make_unique<Window>(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  readout.weights.resize(3 * 4);
  network.labels = {"a", "b", "c", "d"};
  SetTiming(network);
  return network;
}

NetworkT WideNetwork(uint32_t side, uint32_t from, uint32_t to, uint32_t groups) {
  Draw draw(from);
  const Extent image(3, side, side);
  const Window unit(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  const Window around(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
  NetworkT network = EmptyNetwork(4, 2, 1, true, image);
  Extent source = image;
  for (uint32_t layer = 0; layer < 2; ++layer) {
    const Extent target(layer == 0 ? from : to, side, side);
    auto node = Node("layer" + std::to_string(layer), NodeKind::Neurons, target);
    node->rectify = true;
    node->thresholds = Thresholds(4, 0.5F);
    node->bias.assign(target.channels(), 0.02F);
    node->synapses.push_back(Convolution(draw, layer, source, layer == 0 ? unit : around,
                                         target.channels(), layer == 0 ? 1 : groups, false));
    network.nodes.push_back(std::move(node));
    source = target;
  }
  auto readout = Node("logits", NodeKind::Readout, Extent(4, 1, 1));
  readout->bias.assign(4, 0.0F);
  const auto whole = static_cast<int32_t>(side);
  readout->synapses.push_back(
      Convolution(draw, 2, source, Window(whole, whole, 1, 1, 0, 0, 0, 0, 1, 1), 4, 1, false));
  network.nodes.push_back(std::move(readout));
  SetTiming(network);
  return network;
}

std::vector<uint8_t> RandomPixels(const NetworkT& network, uint32_t seed) {
  Draw draw(seed);
  const Extent& image = *network.nodes.front()->extent;
  std::vector<uint8_t> pixels(size_t{image.channels()} * image.height() * image.width());
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(draw.Integer(0, 255));
  return pixels;
}

}  // namespace cssrun::oracle
