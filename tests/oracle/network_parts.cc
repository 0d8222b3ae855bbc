#include "tests/oracle/network_parts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "format/network_file.h"

namespace cssrun::oracle {

using format::CodeT;
using format::Extent;
using format::NetworkT;
using format::NodeKind;
using format::NodeT;
using format::SynapseKind;
using format::SynapsesT;
using format::Window;

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

uint32_t Channels(Draw& draw, int most) {
  struct Span {
    int low = 0;
    int high = 0;
  };
  std::vector<Span> spans = {{1, 8}, {9, 16}, {17, 32}, {33, 64}, {65, 130}};
  std::erase_if(spans, [most](const Span& span) { return span.low > most; });
  const Span span = draw.OneOf(spans);
  return draw.Count(span.low, std::min(span.high, most));
}

uint32_t ChannelsOfSameLayout(Draw& draw, uint32_t channels) {
  const auto last = static_cast<int>(channels);
  if (last <= 8) return draw.Count(1, 8);
  if (last <= 16) return draw.Count(9, 16);
  const int blocks = (last + 31) / 32;
  return draw.Count(std::max(17, 32 * blocks - 31), 32 * blocks);
}

Window Fitted(const Extent& from, const Extent& to, int kernel, int stride, int pad) {
  const auto rest = [&](uint32_t source, uint32_t target) {
    return (static_cast<int>(target) - 1) * stride + kernel - static_cast<int>(source) - pad;
  };
  return Window(kernel, kernel, stride, stride, pad, pad, rest(from.height(), to.height()),
                rest(from.width(), to.width()), 1, 1);
}

Extent Through(const Window& w, const Extent& e, uint32_t channels) {
  return Extent(
      channels,
      static_cast<uint32_t>(Positions(static_cast<int>(e.height()), w.kernel_y(), w.stride_y(),
                                      w.pad_top() + w.pad_bottom(), w.dilation_y())),
      static_cast<uint32_t>(Positions(static_cast<int>(e.width()), w.kernel_x(), w.stride_x(),
                                      w.pad_left() + w.pad_right(), w.dilation_x())));
}

Extent SpreadOut(const Extent& e, int32_t spread_y, int32_t spread_x) {
  return Extent(e.channels(), (e.height() - 1) * static_cast<uint32_t>(spread_y) + 1,
                (e.width() - 1) * static_cast<uint32_t>(spread_x) + 1);
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

std::unique_ptr<SynapsesT> Shortcut(uint32_t source, const Window& window, int channel_offset,
                                    float weight) {
  auto s = std::make_unique<SynapsesT>();
  s->source = source;
  s->kind = SynapseKind::Identity;
  s->window = std::make_unique<Window>(window);
  s->channel_offset = channel_offset;
  s->weights = {weight};
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
  network.format_version = format::kImagesVersion;
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
  // The amplitude is not a simple fraction of a pixel step, so that thresholds fall between pixel
  // values.
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

void AddReadout(Draw& draw, bool exact, NetworkT& network) {
  std::vector<bool> heard(network.nodes.size(), false);
  for (const auto& node : network.nodes) {
    for (const auto& s : node->synapses) heard[s->source] = true;
  }
  const auto classes = static_cast<uint32_t>(draw.Integer(2, 20));
  auto readout = Node("logits", NodeKind::Readout, Extent(classes, 1, 1));
  DrawBias(draw, network.code->timesteps, exact, *readout);
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
}

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

}  // namespace cssrun::oracle
