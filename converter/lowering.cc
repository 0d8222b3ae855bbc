#include "converter/lowering.h"

#include "format/geometry.h"

namespace cssrun::converter {

bool Form::HasBias() const {
  return std::any_of(bias.begin(), bias.end(), [](double b) { return b != 0; });
}

bool IsUnit(const format::Window& window) { return window == format::UnitWindow(); }

bool IsIdentityTerm(const SpikingSynapses& term) {
  return term.kind == format::SynapseKind::Identity;
}

bool IsPlain(const SpikingSynapses& term) {
  return IsIdentityTerm(term) && !term.average.has_value() && IsUnit(term.window);
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
  if (!IsPlain(term) || term.scale != 1 || term.channel_offset != 0) return nullptr;
  SpikingNode& node = NodeAt(term.source);
  return node.extent == form.extent ? &node : nullptr;
}

SpikingNode* Lowering::OwnNeurons(ValueId id) {
  SpikingNode* source = OnlySource(FormOf(id));
  const bool own = source != nullptr && source->kind == format::NodeKind::Neurons &&
                   source->value == id && OnlyReader(id);
  return own ? source : nullptr;
}

Form Lowering::MakeNeurons(Form form, ValueId value, bool rectify) {
  SpikingNode node;
  node.name = form.name;
  node.value = value;
  node.extent = form.extent;
  node.potential = form.extent;
  node.rectify = rectify;
  node.bias = std::move(form.bias);
  node.synapses = std::move(form.terms);
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
    const Form& form = FormOf(output.value);
    SpikingNode readout;
    readout.name = form.name;
    readout.kind = format::NodeKind::Readout;
    readout.value = output.value;
    readout.extent = form.extent;
    readout.potential = form.extent;
    readout.bias = form.bias;
    readout.synapses = form.terms;
    network_.nodes.push_back(std::move(readout));
  }
  return std::move(network_);
}

}  // namespace cssrun::converter
