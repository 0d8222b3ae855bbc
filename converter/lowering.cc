#include "converter/lowering.h"

#include <utility>

#include "format/geometry.h"

namespace cssrun::converter {

bool Form::HasBias() const {
  return std::any_of(bias.begin(), bias.end(), [](double b) { return b != 0; });
}

bool IsUnit(const format::Window& window) { return window == format::UnitWindow(); }

bool IsIdentityTerm(const SpikingSynapses& term) {
  return term.kind == format::SynapseKind::Identity;
}

bool IsRepeated(const SpikingSynapses& term) { return term.repeat_y != 1 || term.repeat_x != 1; }

bool IsPlain(const SpikingSynapses& term) {
  return IsIdentityTerm(term) && !term.average.has_value() && !IsRepeated(term) &&
         IsUnit(term.window);
}

bool HasPadding(const format::Window& w) {
  return w.pad_top() != 0 || w.pad_left() != 0 || w.pad_bottom() != 0 || w.pad_right() != 0;
}

format::Extent ExtentOf(const Shape& shape) {
  return {static_cast<uint32_t>(shape[1]), static_cast<uint32_t>(shape[2]),
          static_cast<uint32_t>(shape[3])};
}

format::Extent Through(const format::Window& window, const format::Extent& from,
                       uint32_t channels) {
  return {channels, static_cast<uint32_t>(WindowRows(window, from.height())),
          static_cast<uint32_t>(WindowColumns(window, from.width()))};
}

format::Window WholeForm(const format::Extent& extent) {
  return {static_cast<int32_t>(extent.height()),
          static_cast<int32_t>(extent.width()),
          1,
          1,
          0,
          0,
          0,
          0,
          1,
          1};
}

Lowering::Lowering(const Graph& graph)
    : graph_(graph), uses_(graph.CountUses()), forms_(graph.values.size()) {
  SpikingNode encoder;
  encoder.name = graph_.value(graph_.input).name;
  encoder.kind = format::NodeKind::Encoder;
  encoder.value = graph_.input;
  encoder.extent = ExtentOf(graph_.value(graph_.input).shape);
  encoder.potential = encoder.extent;
  network_.nodes.push_back(std::move(encoder));
  FormOf(graph_.input) = IdentityOf(0);
}

Form Lowering::IdentityOf(size_t index) const {
  const SpikingNode& node = network_.nodes[index];
  SpikingSynapses term;
  term.source = index;
  term.window = format::UnitWindow();
  return {node.name, node.extent, {term}, std::vector<double>(node.extent.channels(), 0.0)};
}

SpikingNode* Lowering::OnlySource(const Form& form) {
  if (form.terms.size() != 1 || form.HasBias()) return nullptr;
  const SpikingSynapses& term = form.terms.front();
  if (!IsPlain(term) || term.scale != 1 || term.channel_scales != nullptr ||
      term.channel_offset != 0) {
    return nullptr;
  }
  SpikingNode& node = NodeAt(term.source);
  return node.extent == form.extent ? &node : nullptr;
}

SpikingNode* Lowering::OwnNeurons(ValueId id) {
  SpikingNode* source = OnlySource(FormOf(id));
  const bool own = source != nullptr && source->kind == format::NodeKind::Neurons &&
                   source->value == id && OnlyReader(id);
  return own ? source : nullptr;
}

void Lowering::ScaleForm(const std::vector<double>& numbers, Form& form) const {
  const auto number = [&](size_t channel) {
    return numbers.size() == 1 ? numbers[0] : numbers[channel];
  };
  for (size_t c = 0; c < form.bias.size(); ++c) form.bias[c] *= number(c);
  for (SpikingSynapses& term : form.terms) {
    if (numbers.size() == 1) {
      term.scale *= numbers[0];
    } else if (IsIdentityTerm(term)) {
      // Source channels that the form does not have keep theirs.
      const auto sources = static_cast<int64_t>(network_.nodes[term.source].extent.channels());
      auto scales = term.channel_scales == nullptr
                        ? std::vector<double>(static_cast<size_t>(sources), 1.0)
                        : *term.channel_scales;
      for (int64_t s = 0; s < sources; ++s) {
        const int64_t c = s + term.channel_offset;
        const bool inside = c >= 0 && c < static_cast<int64_t>(numbers.size());
        if (inside) scales[static_cast<size_t>(s)] *= numbers[static_cast<size_t>(c)];
      }
      term.channel_scales = std::make_shared<const std::vector<double>>(std::move(scales));
    } else {
      std::vector<float> weights = term.weights->floats();
      const size_t row = weights.size() / numbers.size();
      for (size_t i = 0; i < weights.size(); ++i) {
        weights[i] = static_cast<float>(weights[i] * numbers[i / row]);
      }
      term.weights =
          std::make_shared<const Tensor>(Tensor{term.weights->shape, std::move(weights)});
    }
  }
}

// An identity whose channels have scales of their own, or whose positions come several times, is a
// convolution: a depthwise one, or where only some channels join, one with a matrix.
std::vector<SpikingSynapses> Lowering::SynapsesOf(Form& form) const {
  for (SpikingSynapses& term : form.terms) {
    if (term.channel_scales == nullptr && !IsRepeated(term)) continue;
    const auto sources = static_cast<int64_t>(network_.nodes[term.source].extent.channels());
    const auto targets = static_cast<int64_t>(form.extent.channels());
    const int64_t taps = int64_t{term.repeat_y} * term.repeat_x;
    const bool depthwise = sources == targets && term.channel_offset == 0;
    const int64_t row = (depthwise ? 1 : sources) * taps;
    std::vector<float> weights(static_cast<size_t>(targets * row), 0.0F);
    for (int64_t s = 0; s < sources; ++s) {
      const int64_t t = s + term.channel_offset;
      if (t < 0 || t >= targets) continue;
      const double scale =
          term.channel_scales == nullptr ? 1 : (*term.channel_scales)[static_cast<size_t>(s)];
      const int64_t first = t * row + (depthwise ? 0 : s * taps);
      std::fill_n(weights.begin() + first, taps, static_cast<float>(scale));
    }
    term.kind = format::SynapseKind::Convolution;
    term.groups = depthwise ? form.extent.channels() : 1;
    term.channel_offset = 0;
    term.weights = std::make_shared<const Tensor>(Tensor{{targets, row}, std::move(weights)});
    term.channel_scales = nullptr;
    if (!IsRepeated(term)) continue;
    // With 2 times: target 3 looks at 2 and 3, of which the source has 2, its position 1.
    term.spread_y = term.repeat_y;
    term.spread_x = term.repeat_x;
    const int32_t before_y = std::exchange(term.repeat_y, 1) - 1;
    const int32_t before_x = std::exchange(term.repeat_x, 1) - 1;
    term.window = format::Window(before_y + 1, before_x + 1, 1, 1, before_y, before_x, before_y,
                                 before_x, 1, 1);
  }
  return std::move(form.terms);
}

Form Lowering::MakeNeurons(Form form, ValueId value, bool rectify) {
  SpikingNode node;
  node.name = form.name;
  node.value = value;
  node.extent = form.extent;
  node.potential = form.extent;
  node.rectify = rectify;
  node.bias = std::move(form.bias);
  node.synapses = SynapsesOf(form);
  network_.nodes.push_back(std::move(node));
  return IdentityOf(network_.nodes.size() - 1);
}

bool Lowering::StaysWithin(const SpikingSynapses& term, int64_t first, int64_t channels,
                           int64_t total) const {
  const int64_t offset = term.channel_offset + first;
  const int64_t begin = std::max<int64_t>(offset, 0);
  const int64_t end =
      std::min(offset + int64_t{network_.nodes[term.source].extent.channels()}, total);
  return begin >= end || (begin >= first && end <= first + channels);
}

SpikingNetwork Lowering::Finish() {
  for (const GraphOutput& output : graph_.outputs) {
    Form form = FormOf(output.value);
    SpikingNode readout;
    readout.name = form.name;
    readout.kind = format::NodeKind::Readout;
    readout.value = output.value;
    readout.extent = form.extent;
    readout.potential = form.extent;
    readout.bias = form.bias;
    readout.synapses = SynapsesOf(form);
    network_.nodes.push_back(std::move(readout));
  }
  return std::move(network_);
}

}  // namespace cssrun::converter
