#include "tests/oracle/random_network.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "format/network_file.h"

namespace cssrun::oracle {
namespace {

using format::CodeT;
using format::Extent;
using format::NetworkT;
using format::NodeKind;
using format::NodeT;
using format::SynapseKind;
using format::SynapsesT;
using format::Window;

class Draw {
 public:
  explicit Draw(uint32_t seed) : generator_(seed) {}
  int Integer(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(generator_);
  }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(generator_); }
  float Normal(float scale) { return std::normal_distribution<float>(0, scale)(generator_); }
  template <typename T>
  T OneOf(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Integer(0, static_cast<int>(choices.size()) - 1))];
  }

 private:
  std::mt19937 generator_;
};

float Round(float value, bool exact) { return exact ? std::round(value * 32) / 32 : value; }

int Positions(int size, int kernel, int stride, int pads, int dilation) {
  const int room = size + pads - (kernel - 1) * dilation - 1;
  return room < 0 ? 0 : room / stride + 1;
}

Window RandomWindow(Draw& draw, const Extent& source, bool dilate) {
  for (;;) {
    const int ky = draw.Integer(1, 4), kx = draw.Integer(1, 4);
    const int sy = draw.Integer(1, 3), sx = draw.Integer(1, 3);
    const int dy = dilate ? draw.Integer(1, 2) : 1, dx = dilate ? draw.Integer(1, 2) : 1;
    const int top = draw.Integer(0, ky - 1), left = draw.Integer(0, kx - 1);
    const int bottom = draw.Integer(0, ky - 1), right = draw.Integer(0, kx - 1);
    const int h = Positions(static_cast<int>(source.height()), ky, sy, top + bottom, dy);
    const int w = Positions(static_cast<int>(source.width()), kx, sx, left + right, dx);
    if (h < 1 || w < 1) continue;
    return Window(ky, kx, sy, sx, top, left, bottom, right, dy, dx);
  }
}

Extent Through(const Window& w, const Extent& e, uint32_t channels) {
  return Extent(
      channels,
      static_cast<uint32_t>(Positions(static_cast<int>(e.height()), w.kernel_y(), w.stride_y(),
                                      w.pad_top() + w.pad_bottom(), w.dilation_y())),
      static_cast<uint32_t>(Positions(static_cast<int>(e.width()), w.kernel_x(), w.stride_x(),
                                      w.pad_left() + w.pad_right(), w.dilation_x())));
}

bool EveryPoolHasMembers(const Window& w, const Extent& from, const Extent& to) {
  return (static_cast<int>(to.height()) - 1) * w.stride_y() - w.pad_top() <
             static_cast<int>(from.height()) &&
         (static_cast<int>(to.width()) - 1) * w.stride_x() - w.pad_left() <
             static_cast<int>(from.width());
}

std::unique_ptr<SynapsesT> Convolution(Draw& draw, uint32_t source, const Extent& from,
                                       const Window& window, uint32_t channels, uint32_t groups,
                                       bool exact) {
  auto s = std::make_unique<SynapsesT>();
  s->source = source;
  s->kind = SynapseKind::Convolution;
  s->window = std::make_unique<Window>(window);
  s->groups = groups;
  const auto fan_in =
      static_cast<size_t>(window.kernel_y() * window.kernel_x()) * (from.channels() / groups);
  const float scale = 1.2F / std::sqrt(static_cast<float>(fan_in));
  s->weights.resize(fan_in * channels);
  for (float& weight : s->weights) weight = Round(draw.Normal(scale), exact);
  return s;
}

// One axis of a mean that skips the first positions of its source or goes beyond them, and whose
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

std::unique_ptr<NodeT> Node(const std::string& name, NodeKind kind, const Extent& extent) {
  auto node = std::make_unique<NodeT>();
  node->name = name;
  node->kind = kind;
  node->extent = std::make_unique<Extent>(extent);
  node->potential = std::make_unique<Extent>(extent);
  node->amplitude = 1;
  return node;
}

void DrawBias(Draw& draw, uint32_t timesteps, bool exact, NodeT& node) {
  for (uint32_t c = 0; c < node.potential->channels(); ++c) {
    node.bias.push_back(Round(draw.Normal(0.5F / static_cast<float>(timesteps)), exact));
  }
}

std::vector<float> Thresholds(uint32_t timesteps, float share) {
  std::vector<float> thresholds(timesteps, share);
  thresholds.back() = std::min(share, 0.5F);
  return thresholds;
}

NetworkT EmptyNetwork(uint32_t timesteps, float beta, uint32_t silent, bool negative,
                      const Extent& image) {
  NetworkT network;
  network.format_version = kFormatVersion;
  network.code = std::make_unique<CodeT>();
  network.code->timesteps = timesteps;
  network.code->beta = beta;
  network.code->silent_steps = silent;
  network.code->negative_spikes = negative;
  network.preprocessing = std::make_unique<format::PreprocessingT>();
  network.preprocessing->resize = std::max(image.height(), image.width());
  network.preprocessing->mean.assign(image.channels(), 0.45F);
  network.preprocessing->stddev.assign(image.channels(), 0.25F);
  network.origin = std::make_unique<format::OriginT>();
  auto encoder = Node("input", NodeKind::Encoder, image);
  double sum = 0;
  for (uint32_t k = 0; k < timesteps; ++k) sum += std::pow(static_cast<double>(beta), k);
  // No simple fraction of a pixel step: thresholds then fall between pixel values, not on them.
  encoder->amplitude = static_cast<float>(2.2136 / sum);
  encoder->thresholds = Thresholds(timesteps, 0.5F);
  network.nodes.push_back(std::move(encoder));
  return network;
}

void MakeWhole(Draw& draw, const NodeT& node, SynapsesT& s) {
  const size_t fan_in = s.weights.size() / node.potential->channels();
  if (s.kind == SynapseKind::Identity) return;
  for (size_t c = 0; c < node.potential->channels(); ++c) {
    float largest = 1e-3F;
    for (size_t k = 0; k < fan_in; ++k) {
      largest = std::max(largest, std::abs(s.weights[c * fan_in + k]));
    }
    const auto levels = static_cast<float>(draw.Integer(100, 127));
    for (size_t k = 0; k < fan_in; ++k) {
      float& weight = s.weights[c * fan_in + k];
      weight = std::round(weight / largest * levels) * (largest / levels);
    }
  }
}

}  // namespace

void SetTiming(NetworkT& network) {
  for (auto& node : network.nodes) {
    uint32_t input_offset = 0;
    for (const auto& s : node->synapses) {
      input_offset = std::max(input_offset, network.nodes[s->source]->offset);
    }
    for (auto& s : node->synapses) s->delay = input_offset - network.nodes[s->source]->offset;
    node->offset = input_offset;
    if (node->kind == NodeKind::Neurons) node->offset += network.code->silent_steps;
  }
}

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
  const Extent image(static_cast<uint32_t>(draw.Integer(1, 4)),
                     static_cast<uint32_t>(draw.Integer(4, 11)),
                     static_cast<uint32_t>(draw.Integer(4, 11)));
  NetworkT network = EmptyNetwork(timesteps, beta, silent, negative, image);

  const int layers = draw.Integer(1, 6);
  for (int layer = 0; layer < layers; ++layer) {
    // The latest node, or now and then an earlier one.
    const auto last = static_cast<uint32_t>(network.nodes.size() - 1);
    const uint32_t source =
        draw.Chance(0.8) ? last : static_cast<uint32_t>(draw.Integer(0, static_cast<int>(last)));
    const Extent from = *network.nodes[source]->extent;

    std::unique_ptr<Window> average;
    Extent seen = from;
    if (draw.Chance(0.2)) {
      average = std::make_unique<Window>(RandomWindow(draw, from, false));
      seen = Through(*average, from, from.channels());
    }
    const Window window = RandomWindow(draw, seen, true);
    std::vector<uint32_t> divisors;
    for (uint32_t g = 1; g <= from.channels(); ++g) {
      if (from.channels() % g == 0) divisors.push_back(g);
    }
    const uint32_t groups = draw.Chance(0.3) ? draw.OneOf(divisors) : 1;
    uint32_t channels = groups * static_cast<uint32_t>(draw.Integer(
                                     1, groups > 1 ? 4 : draw.OneOf<int>({8, 20, 150})));
    const Extent potential = Through(window, seen, channels);

    auto node = Node("layer" + std::to_string(layer), NodeKind::Neurons, potential);
    node->rectify = draw.Chance(0.8);
    if (beta == 1.0F) node->initial_potential = Round(draw.Normal(0.3F), exact);
    node->thresholds = Thresholds(
        timesteps, negative ? Round(draw.OneOf<float>({0.5F, 0.5F, 0.6875F}), exact) : 1.0F);
    DrawBias(draw, timesteps, exact, *node);
    auto synapses = Convolution(draw, source, from, window, channels, groups, exact);
    synapses->average = std::move(average);
    node->synapses.push_back(std::move(synapses));

    // Shortcuts: identities of any earlier node that a stride and a channel offset can fit.
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

  // The readout hears every layer that nothing else hears.
  std::vector<bool> heard(network.nodes.size(), false);
  for (const auto& node : network.nodes) {
    for (const auto& s : node->synapses) heard[s->source] = true;
  }
  const auto classes = static_cast<uint32_t>(draw.Integer(2, 20));
  auto readout = Node("logits", NodeKind::Readout, Extent(classes, 1, 1));
  DrawBias(draw, timesteps, exact, *readout);
  for (uint32_t source = 0; source < network.nodes.size(); ++source) {
    if (heard[source]) continue;
    const Extent from = *network.nodes[source]->extent;
    const Window all(static_cast<int>(from.height()), static_cast<int>(from.width()), 1, 1, 0, 0, 0,
                     0, 1, 1);
    const bool mean = draw.Chance(0.5);
    auto synapses = Convolution(
        draw, source, from, mean ? Window(1, 1, 1, 1, 0, 0, 0, 0, 1, 1) : all, classes, 1, exact);
    if (mean) synapses->average = std::make_unique<Window>(all);
    readout->synapses.push_back(std::move(synapses));
  }
  network.nodes.push_back(std::move(readout));
  SetTiming(network);
  if (options.whole_weights) {
    for (auto& node : network.nodes) {
      for (auto& s : node->synapses) MakeWhole(draw, *node, *s);
    }
  }
  if (options.direct) {
    network.code->input = format::InputCoding::Direct;
    network.nodes[0]->thresholds.clear();
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
