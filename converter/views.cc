#include "converter/views.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "converter/passes/sweep.h"

namespace cssrun::converter {

Elements Iota(int64_t count) {
  Elements elements(static_cast<size_t>(count));
  std::iota(elements.begin(), elements.end(), int64_t{0});
  return elements;
}

bool IsIdentity(const Elements& elements) {
  for (size_t i = 0; i < elements.size(); ++i) {
    if (elements[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

bool IsPermutation(std::vector<int64_t> channels, int64_t count) {
  std::sort(channels.begin(), channels.end());
  return channels == Iota(count);
}

const View* Views::ViewOf(ValueId id) const {
  const auto found = views_.find(id);
  return found == views_.end() ? nullptr : &found->second;
}

std::optional<View> Views::Look(ValueId id) const {
  if (const View* view = ViewOf(id); view != nullptr) return *view;
  if (!IsActivation(id)) return std::nullopt;
  const Shape& shape = ShapeOf(id);
  if (shape.empty() || shape[0] != 1 || ElementCount(shape) < 1 ||
      (shape.size() != 2 && shape.size() != 4) || ElementCount(shape) > kMostViewedElements) {
    return std::nullopt;
  }
  return View{id, Iota(ElementCount(shape))};
}

std::optional<std::vector<View>> Views::LookAll(const Node& node) const {
  const bool moved = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](ValueId id) { return ViewOf(id) != nullptr; });
  if (!moved) return std::nullopt;
  std::vector<View> views;
  for (const ValueId id : node.inputs) {
    std::optional<View> view = Look(id);
    if (!view.has_value()) return std::nullopt;
    views.push_back(std::move(*view));
    if (ShapeOf(views.back().base).size() != ShapeOf(views[0].base).size()) return std::nullopt;
  }
  return views;
}

bool Views::Set(const Node& node, View view) {
  Set(node.outputs[0], std::move(view));
  return true;
}

ValueId Views::Emit(Node node, std::vector<ValueId> inputs, Shape shape) {
  const std::string& name = graph_.value(node.outputs[0]).name;
  const ValueId output =
      graph_.AddValue(name + ".followed" + std::to_string(graph_.values.size()), std::move(shape));
  node.inputs = std::move(inputs);
  node.outputs = {output};
  graph_.nodes.push_back(std::move(node));
  return output;
}

ValueId Views::EmitFlatten(const std::string& name, ValueId from) {
  Node flatten{OpKind::kFlatten, name, {}, {from}, {{"axis", int64_t{1}}}};
  return Emit(std::move(flatten), {from}, {1, ElementCount(ShapeOf(from))});
}

std::optional<std::vector<int64_t>> Views::ChannelsOf(const View& view, const Shape& shape) const {
  const Shape& base = ShapeOf(view.base);
  if (shape.size() != 4 || base.size() != 4 || shape[0] != 1 || shape[2] != base[2] ||
      shape[3] != base[3]) {
    return std::nullopt;
  }
  const int64_t positions = shape[2] * shape[3];
  std::vector<int64_t> channels;
  for (int64_t c = 0; c < shape[1]; ++c) {
    const int64_t first = view.elements[static_cast<size_t>(c * positions)];
    if (first % positions != 0) return std::nullopt;
    for (int64_t p = 1; p < positions; ++p) {
      if (view.elements[static_cast<size_t>(c * positions + p)] != first + p) return std::nullopt;
    }
    channels.push_back(first / positions);
  }
  return channels;
}

View Views::MoveChannels(ValueId base, const std::vector<int64_t>& channels) const {
  const int64_t positions = ShapeOf(base)[2] * ShapeOf(base)[3];
  View view;
  view.base = base;
  for (const int64_t c : channels) {
    for (int64_t p = 0; p < positions; ++p) view.elements.push_back(c * positions + p);
  }
  return view;
}

bool Views::IsChannelsLast(const View& view, const Shape& shape) const {
  const Shape& base = ShapeOf(view.base);
  if (base.size() != 4 || shape != Shape{1, base[2], base[3], base[1]}) return false;
  const int64_t positions = base[2] * base[3];
  for (size_t i = 0; i < view.elements.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    if (view.elements[i] != index % base[1] * positions + index / base[1]) return false;
  }
  return true;
}

ValueId Views::Unmoved(ValueId id) {
  const View view = *ViewOf(id);
  const Shape shape = ShapeOf(id);
  const Shape base = ShapeOf(view.base);
  if (IsIdentity(view.elements) && ElementCount(base) == ElementCount(shape)) {
    if (base == shape) return view.base;
    if (base.size() == 4 && shape.size() == 2 && shape[0] == 1) {
      return EmitFlatten(graph_.value(id).name, view.base);
    }
  }
  const std::optional<std::vector<int64_t>> channels = ChannelsOf(view, shape);
  if (!channels.has_value()) return kNoValue;
  // The new node is a convolution with one weight of 1 for each channel.
  std::vector<float> weights(static_cast<size_t>(shape[1] * base[1]), 0.0F);
  for (size_t c = 0; c < channels->size(); ++c) {
    weights[c * static_cast<size_t>(base[1]) + static_cast<size_t>((*channels)[c])] = 1;
  }
  const std::string name = graph_.value(id).name;
  const ValueId constant =
      AddFloats(graph_, name + ".channels", {shape[1], base[1], 1, 1}, std::move(weights));
  Node conv{OpKind::kConv, name, {}, {id}, {}};
  conv.attributes = {{"kernel_shape", std::vector<int64_t>{1, 1}},
                     {"strides", std::vector<int64_t>{1, 1}},
                     {"dilations", std::vector<int64_t>{1, 1}},
                     {"pads", std::vector<int64_t>{0, 0, 0, 0}},
                     {"group", int64_t{1}}};
  return Emit(std::move(conv), {view.base, constant}, shape);
}

}  // namespace cssrun::converter
