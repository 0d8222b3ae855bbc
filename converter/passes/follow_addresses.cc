#include "converter/passes/follow_addresses.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

using Elements = std::vector<int64_t>;

// Beyond this the tables of a hostile file would fill the memory.
constexpr int64_t kMostElements = int64_t{1} << 26;

// A value whose element i is element elements[i] of `base`.
struct View {
  ValueId base = kNoValue;
  Elements elements;
};

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

// The elements of a tensor of shape `from` that a box of another one reads: position p reads
// offset + sum of p[axis] * strides[axis].
Elements Read(const Elements& elements, const Shape& box, int64_t offset,
              const std::vector<int64_t>& strides) {
  Elements read;
  read.reserve(static_cast<size_t>(ElementCount(box)));
  std::vector<int64_t> position(box.size(), 0);
  for (int64_t i = 0; i < ElementCount(box); ++i) {
    read.push_back(elements[static_cast<size_t>(offset)]);
    for (size_t axis = box.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++position[axis] < box[axis]) break;
      offset -= position[axis] * strides[axis];
      position[axis] = 0;
    }
  }
  return read;
}

std::vector<int64_t> StridesOf(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

class Follower {
 public:
  explicit Follower(Graph& graph) : graph_(graph) {}

  Status Run() {
    const ValueId image = graph_.input;
    const bool turned = TurnImage();
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) Visit(std::move(node));
    if (const auto view = views_.find(graph_.output); view != views_.end()) {
      if (const ValueId same = Unmoved(graph_.output); same != kNoValue) graph_.output = same;
    }
    graph_.RemoveDeadNodes();
    if (!turned || graph_.CountUses()[static_cast<size_t>(image)] == 0) return Status::Ok();
    for (const Node& node : graph_.nodes) {
      if (std::find(node.inputs.begin(), node.inputs.end(), image) == node.inputs.end()) continue;
      return NodeError(node,
                       "it reads an image with its channels last; export channels-first "
                       "([batch, channels, height, width])");
    }
    return Status::BadModel("output " + graph_.value(graph_.output).name +
                            " does not depend on the image; export the model again");
  }

 private:
  const Shape& ShapeOf(ValueId id) const { return graph_.value(id).shape; }
  bool IsActivation(ValueId id) const {
    return id != kNoValue && graph_.value(id).constant == nullptr;
  }
  const View* ViewOf(ValueId id) const {
    const auto found = views_.find(id);
    return found == views_.end() ? nullptr : &found->second;
  }

  ValueId NewValue(const std::string& name, Shape shape) {
    return graph_.AddValue(name + ".followed" + std::to_string(graph_.values.size()),
                           std::move(shape));
  }

  // A copy of `node` that reads `inputs`, and makes a new value of this shape.
  ValueId Emit(Node node, std::vector<ValueId> inputs, Shape shape) {
    const ValueId output = NewValue(graph_.value(node.outputs[0]).name, std::move(shape));
    node.inputs = std::move(inputs);
    node.outputs = {output};
    graph_.nodes.push_back(std::move(node));
    return output;
  }

  ValueId EmitFlatten(const std::string& name, ValueId from) {
    Node flatten{OpKind::kFlatten, name, {}, {from}, {{"axis", int64_t{1}}}};
    return Emit(std::move(flatten), {from}, {1, ElementCount(ShapeOf(from))});
  }

  // An image [1, rows, columns, channels] that a Transpose turns into a map.
  bool TurnImage() {
    const ValueId image = graph_.input;
    const Shape shape = ShapeOf(image);
    const std::vector<int64_t> order = {0, 3, 1, 2};
    const bool turned = std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& n) {
      return n.op == OpKind::kTranspose && n.Ints("perm", {}) == order &&
             IsActivation(n.inputs[0]) && ShapeOf(n.inputs[0]) == shape;
    });
    const bool used_as_map =
        std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& n) {
          return !n.inputs.empty() && n.inputs[0] == image &&
                 IsOneOf(n.op, {OpKind::kConv, OpKind::kMaxPool, OpKind::kAveragePool,
                                OpKind::kBatchNormalization});
        });
    if (!turned || used_as_map || ElementCount(shape) > kMostElements) return false;
    const int64_t channels = shape[3];
    const int64_t positions = shape[1] * shape[2];
    const std::string name = graph_.value(image).name;
    const ValueId map = graph_.AddValue(name, {1, channels, shape[1], shape[2]});
    View view;
    view.base = map;
    for (int64_t p = 0; p < positions; ++p) {
      for (int64_t c = 0; c < channels; ++c) view.elements.push_back(c * positions + p);
    }
    graph_.input = map;
    views_[image] = std::move(view);
    return true;
  }

  // The view of an activation, or of itself; nothing when it is no single vector or map.
  std::optional<View> Look(ValueId id) const {
    if (const View* view = ViewOf(id); view != nullptr) return *view;
    const Shape& shape = ShapeOf(id);
    if (!IsActivation(id) || shape.empty() || shape[0] != 1 || ElementCount(shape) < 1 ||
        (shape.size() != 2 && shape.size() != 4) || ElementCount(shape) > kMostElements) {
      return std::nullopt;
    }
    return View{id, Iota(ElementCount(shape))};
  }

  // Where the view is a map whose channels alone are moved: the base's channel of each of its own.
  std::optional<std::vector<int64_t>> ChannelsOf(const View& view, const Shape& shape) const {
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

  static bool IsPermutation(std::vector<int64_t> channels, int64_t count) {
    std::sort(channels.begin(), channels.end());
    return channels == Iota(count);
  }

  // Whether the view is [1, rows, columns, channels] of its base.
  bool IsChannelsLast(const View& view, const Shape& shape) const {
    const Shape& base = ShapeOf(view.base);
    if (base.size() != 4 || shape != Shape{1, base[2], base[3], base[1]}) return false;
    const int64_t positions = base[2] * base[3];
    for (size_t i = 0; i < view.elements.size(); ++i) {
      const auto index = static_cast<int64_t>(i);
      if (view.elements[i] != index % base[1] * positions + index / base[1]) return false;
    }
    return true;
  }

  // The same map for a base of the same channels and another size.
  View MoveChannels(ValueId base, const std::vector<int64_t>& channels) const {
    const int64_t positions = ShapeOf(base)[2] * ShapeOf(base)[3];
    View view;
    view.base = base;
    for (const int64_t c : channels) {
      for (int64_t p = 0; p < positions; ++p) view.elements.push_back(c * positions + p);
    }
    return view;
  }

  // A value equal to `id` that no Transpose makes; kNoValue when there is none.
  ValueId Unmoved(ValueId id) {
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
    // A convolution with one weight of 1 for each channel.
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

  void Visit(Node node) {
    const bool plain = node.op.is_foreign() || node.outputs.empty() ||
                       node.outputs[0] == kNoValue || node.inputs.empty();
    if (!plain && Follow(node)) {
      // Whoever cannot follow reads what this node makes; otherwise it is dead.
      graph_.nodes.push_back(std::move(node));
      return;
    }
    if (!plain && std::any_of(node.inputs.begin(), node.inputs.end(),
                              [&](ValueId id) { return ViewOf(id) != nullptr; })) {
      Rewrite(node);
    }
    graph_.nodes.push_back(std::move(node));
  }

  // True when the node's output has become a view.
  bool Follow(const Node& node) {
    const Shape& shape = ShapeOf(node.outputs[0]);
    if (shape.empty() || !IsActivation(node.inputs[0])) {
      return IsOneOf(node.op, {OpKind::kAdd, OpKind::kSub, OpKind::kMul, OpKind::kDiv}) &&
             FollowConstant(node);
    }
    const bool viewed = ViewOf(node.inputs[0]) != nullptr;
    if (IsOneOf(node.op,
                {OpKind::kReshape, OpKind::kFlatten, OpKind::kSqueeze, OpKind::kUnsqueeze})) {
      // A flattened map is what everything else understands.
      if (!viewed && node.op == OpKind::kFlatten) return false;
      return SetView(node, Look(node.inputs[0]));
    }
    if (node.op == OpKind::kTranspose) return FollowTranspose(node);
    if (IsOneOf(node.op, {OpKind::kConcat, OpKind::kAdd}) && FollowSeveral(node)) return true;
    if (IsOneOf(node.op, {OpKind::kAdd, OpKind::kSub, OpKind::kMul, OpKind::kDiv}))
      return FollowConstant(node);
    if (!viewed) return false;
    if (IsOneOf(node.op, {OpKind::kRelu, OpKind::kClip, OpKind::kQuantize})) {
      View view = *ViewOf(node.inputs[0]);
      std::vector<ValueId> inputs = node.inputs;
      inputs[0] = view.base;
      view.base = Emit(node, std::move(inputs), ShapeOf(view.base));
      return SetView(node, std::move(view));
    }
    if (node.op == OpKind::kSlice) return FollowSlice(node);
    if (IsOneOf(node.op, {OpKind::kMaxPool, OpKind::kAveragePool, OpKind::kGlobalAveragePool}))
      return FollowPool(node);
    if (node.op == OpKind::kReduceMean) return FollowMean(node);
    if (node.op == OpKind::kPad) return FollowPad(node);
    if (node.op == OpKind::kBatchNormalization || node.op == OpKind::kConv)
      return FollowChannels(node);
    return false;
  }

  bool SetView(const Node& node, std::optional<View> view) {
    if (!view.has_value()) return false;
    views_[node.outputs[0]] = std::move(*view);
    return true;
  }

  bool FollowTranspose(const Node& node) {
    std::optional<View> view = Look(node.inputs[0]);
    if (!view.has_value()) return false;
    const Shape& from = ShapeOf(node.inputs[0]);
    std::vector<int64_t> order(from.size());
    std::iota(order.rbegin(), order.rend(), int64_t{0});
    order = node.Ints("perm", order);
    const std::vector<int64_t> strides = StridesOf(from);
    std::vector<int64_t> permuted;
    permuted.reserve(order.size());
    for (const int64_t axis : order) {
      permuted.push_back(
          strides[static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(from.size()) : axis)]);
    }
    view->elements = Read(view->elements, ShapeOf(node.outputs[0]), 0, permuted);
    return SetView(node, std::move(view));
  }

  bool FollowSlice(const Node& node) {
    const Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph_, node);
    if (!ranges.ok() || !ranges.value().has_value()) return false;
    View view = *ViewOf(node.inputs[0]);
    std::vector<int64_t> strides = StridesOf(ShapeOf(node.inputs[0]));
    int64_t offset = 0;
    for (size_t axis = 0; axis < strides.size(); ++axis) {
      const AxisRange& range = (*ranges.value())[axis];
      if (range.count == 0) return false;
      offset += range.start * strides[axis];
      strides[axis] = range.count > 1 ? strides[axis] * range.step : 0;
    }
    view.elements = Read(view.elements, ShapeOf(node.outputs[0]), offset, strides);
    return SetView(node, std::move(view));
  }

  // A Concat, or an Add of two activations, of views.
  bool FollowSeveral(const Node& node) {
    std::vector<View> views;
    bool viewed = false;
    for (const ValueId id : node.inputs) {
      if (!IsActivation(id)) return false;
      viewed = viewed || ViewOf(id) != nullptr;
    }
    if (!viewed) return false;
    for (const ValueId id : node.inputs) {
      std::optional<View> view = Look(id);
      if (!view.has_value() || ShapeOf(view->base).size() != 4) return false;
      views.push_back(std::move(*view));
    }
    if (node.op == OpKind::kAdd) {
      if (views.size() != 2 || views[0].elements != views[1].elements ||
          ShapeOf(views[0].base) != ShapeOf(views[1].base) ||
          ShapeOf(node.inputs[0]) != ShapeOf(node.inputs[1])) {
        return false;
      }
      const ValueId sum = Emit(node, {views[0].base, views[1].base}, ShapeOf(views[0].base));
      return SetView(node, View{sum, std::move(views[0].elements)});
    }
    return Join(node, views);
  }

  // The bases joined along their channels; of each view the elements behind those before it.
  bool Join(const Node& node, const std::vector<View>& views) {
    Shape joined = ShapeOf(views[0].base);
    joined[1] = 0;
    std::vector<ValueId> bases;
    std::vector<int64_t> firsts;
    for (const View& view : views) {
      const Shape& base = ShapeOf(view.base);
      if (base[2] != joined[2] || base[3] != joined[3]) return false;
      firsts.push_back(joined[1] * joined[2] * joined[3]);
      bases.push_back(view.base);
      joined[1] += base[1];
    }
    const Result<std::vector<size_t>> axes =
        NormalizeAxes(node, {node.Int("axis", 1)}, ShapeOf(node.outputs[0]).size());
    if (!axes.ok()) return false;
    const size_t axis = axes.value()[0];
    const Shape& shape = ShapeOf(node.outputs[0]);
    const int64_t outer =
        ElementCount(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis)));
    View result;
    for (int64_t o = 0; o < outer; ++o) {
      for (size_t i = 0; i < views.size(); ++i) {
        const auto part = static_cast<int64_t>(views[i].elements.size()) / outer;
        for (int64_t k = o * part; k < (o + 1) * part; ++k) {
          result.elements.push_back(firsts[i] + views[i].elements[static_cast<size_t>(k)]);
        }
      }
    }
    Node concat = node;
    concat.attributes = {{"axis", int64_t{1}}};
    result.base = Emit(std::move(concat), std::move(bases), std::move(joined));
    return SetView(node, std::move(result));
  }

  // One number per channel of the base, whatever the constant's axes were.
  bool FollowConstant(const Node& node) {
    const size_t activation = IsActivation(node.inputs[0]) ? 0 : 1;
    if (node.inputs.size() != 2 || !IsActivation(node.inputs[activation])) return false;
    const View* found = ViewOf(node.inputs[activation]);
    const std::vector<float>* constant = ConstantFloats(graph_, node, 1 - activation);
    const Shape shape = ShapeOf(node.inputs[activation]);
    if (found == nullptr || constant == nullptr || ShapeOf(node.outputs[0]) != shape ||
        ShapeOf(found->base).size() != 4) {
      return false;
    }
    View view = *found;
    const Shape base = ShapeOf(view.base);
    const Shape& of_constant = graph_.ConstantInput(node, 1 - activation)->shape;
    std::vector<int64_t> strides(shape.size(), 0);
    const std::vector<int64_t> own = StridesOf(of_constant);
    for (size_t i = 0; i < own.size(); ++i) {
      if (of_constant[i] != 1) strides[shape.size() - own.size() + i] = own[i];
    }
    const Elements numbers = Read(Iota(static_cast<int64_t>(constant->size())), shape, 0, strides);
    const int64_t positions = base[2] * base[3];
    const bool scales = node.op == OpKind::kMul || node.op == OpKind::kDiv;
    std::vector<float> channels(static_cast<size_t>(base[1]), scales ? 1.0F : 0.0F);
    std::vector<bool> known(channels.size(), false);
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto channel = static_cast<size_t>(view.elements[i] / positions);
      const float number = (*constant)[static_cast<size_t>(numbers[i])];
      if (known[channel] && channels[channel] != number) return false;
      channels[channel] = number;
      known[channel] = true;
    }
    const ValueId id = AddFloats(graph_, graph_.value(node.inputs[1 - activation]).name,
                                 {1, base[1], 1, 1}, std::move(channels));
    std::vector<ValueId> inputs = {view.base, id};
    if (activation == 1) std::swap(inputs[0], inputs[1]);
    view.base = Emit(node, std::move(inputs), base);
    return SetView(node, std::move(view));
  }

  bool FollowPool(const Node& node) {
    const View& view = *ViewOf(node.inputs[0]);
    const auto channels = ChannelsOf(view, ShapeOf(node.inputs[0]));
    if (!channels.has_value()) return false;
    Shape shape = ShapeOf(node.outputs[0]);
    shape[1] = ShapeOf(view.base)[1];
    const ValueId pooled = Emit(node, {view.base}, std::move(shape));
    return SetView(node, MoveChannels(pooled, *channels));
  }

  // A mean over rows and columns that do not stand at the end.
  bool FollowMean(const Node& node) {
    const View& view = *ViewOf(node.inputs[0]);
    const std::optional<std::vector<int64_t>> axes = AxesOf(graph_, node);
    const Shape shape = ShapeOf(node.inputs[0]);
    if (!axes.has_value() || !IsChannelsLast(view, shape)) return false;
    Result<std::vector<size_t>> normalized = NormalizeAxes(node, *axes, 4);
    if (!normalized.ok()) return false;
    std::sort(normalized.value().begin(), normalized.value().end());
    if (normalized.value() != std::vector<size_t>{1, 2}) return false;
    Node mean = node;
    mean.op = OpKind::kGlobalAveragePool;
    mean.attributes.clear();
    const ValueId pooled = Emit(std::move(mean), {view.base}, {1, shape[3], 1, 1});
    return SetView(node, View{pooled, Iota(shape[3])});
  }

  bool FollowPad(const Node& node) {
    const View& view = *ViewOf(node.inputs[0]);
    const std::vector<int64_t>* given = ConstantInts(graph_, node, 1);
    const Shape shape = ShapeOf(node.inputs[0]);
    if (given == nullptr || given->size() != 8 || !IsChannelsLast(view, shape)) return false;
    const std::vector<int64_t> p = *given;
    const Shape to = ShapeOf(node.outputs[0]);
    const ValueId pads = AddInts(graph_, graph_.value(node.inputs[1]).name,
                                 {p[0], p[3], p[1], p[2], p[4], p[7], p[5], p[6]});
    std::vector<ValueId> inputs = node.inputs;
    inputs[0] = view.base;
    inputs[1] = pads;
    const Shape turned = {1, to[3], to[1], to[2]};
    const ValueId padded = Emit(node, std::move(inputs), turned);
    View result{padded, {}};
    const std::vector<int64_t> strides = StridesOf(turned);
    result.elements =
        Read(Iota(ElementCount(turned)), to, 0, {strides[0], strides[2], strides[3], strides[1]});
    return SetView(node, std::move(result));
  }

  // A BatchNormalization or depthwise Conv of moved channels moves its parameters instead.
  bool FollowChannels(const Node& node) {
    const View& view = *ViewOf(node.inputs[0]);
    const Shape base = ShapeOf(view.base);
    const auto channels = ChannelsOf(view, ShapeOf(node.inputs[0]));
    if (!channels.has_value() || !IsPermutation(*channels, base[1])) return false;
    const bool depthwise = node.op == OpKind::kConv && node.Int("group", 1) == base[1];
    if (node.op == OpKind::kConv && (!depthwise || ShapeOf(node.outputs[0])[1] != base[1]))
      return false;
    std::vector<ValueId> inputs = {view.base};
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue) {
        inputs.push_back(kNoValue);
        continue;
      }
      const std::vector<float>* values = ConstantFloats(graph_, node, i);
      if (values == nullptr) return false;
      const size_t row = values->size() / channels->size();
      std::vector<float> moved(values->size());
      for (size_t c = 0; c < channels->size(); ++c) {
        std::copy_n(values->begin() + static_cast<std::ptrdiff_t>(c * row), row,
                    moved.begin() + (*channels)[c] * static_cast<std::ptrdiff_t>(row));
      }
      const Shape shape = graph_.ConstantInput(node, i)->shape;
      inputs.push_back(
          AddFloats(graph_, graph_.value(node.inputs[i]).name, shape, std::move(moved)));
    }
    const ValueId result = Emit(node, std::move(inputs), ShapeOf(node.outputs[0]));
    return SetView(node, MoveChannels(result, *channels));
  }

  // Makes a node that ends views read their bases.
  void Rewrite(Node& node) {
    if (node.op == OpKind::kConv && RewriteConv(node)) return;
    if (node.op == OpKind::kGemm && RewriteGemm(node)) return;
    for (ValueId& id : node.inputs) {
      if (id == kNoValue || ViewOf(id) == nullptr) continue;
      if (const ValueId same = Unmoved(id); same != kNoValue) id = same;
    }
  }

  // Weights of the base's channels; those that the view leaves out are zero.
  bool RewriteConv(Node& node) {
    const View* view = ViewOf(node.inputs[0]);
    const std::vector<float>* weights = ConstantFloats(graph_, node, 1);
    if (view == nullptr || weights == nullptr || node.Int("group", 1) != 1) return false;
    const Shape shape = graph_.ConstantInput(node, 1)->shape;
    const auto channels = ChannelsOf(*view, ShapeOf(node.inputs[0]));
    if (!channels.has_value() || shape.size() != 4 ||
        shape[1] != static_cast<int64_t>(channels->size())) {
      return false;
    }
    const int64_t from = ShapeOf(view->base)[1];
    const int64_t taps = shape[2] * shape[3];
    std::vector<float> moved(static_cast<size_t>(shape[0] * from * taps), 0.0F);
    const float* weight = weights->data();
    for (int64_t o = 0; o < shape[0]; ++o) {
      for (const int64_t c : *channels) {
        float* to = moved.data() + (o * from + c) * taps;
        for (int64_t tap = 0; tap < taps; ++tap) to[tap] += *weight++;
      }
    }
    node.inputs[0] = view->base;
    node.inputs[1] = AddFloats(graph_, graph_.value(node.inputs[1]).name,
                               {shape[0], from, shape[2], shape[3]}, std::move(moved));
    return true;
  }

  bool RewriteGemm(Node& node) {
    const View* found = ViewOf(node.inputs[0]);
    const std::vector<float>* weights = ConstantFloats(graph_, node, 1);
    if (found == nullptr || weights == nullptr || node.Int("transB", 0) != 1 ||
        node.Int("transA", 0) != 0 || ShapeOf(node.inputs[0]).size() != 2) {
      return false;
    }
    const View view = *found;
    const Shape shape = graph_.ConstantInput(node, 1)->shape;
    if (shape.size() != 2 || shape[1] != static_cast<int64_t>(view.elements.size())) return false;
    const int64_t features = ElementCount(ShapeOf(view.base));
    ValueId constant = node.inputs[1];
    if (!IsIdentity(view.elements) || features != shape[1]) {
      std::vector<float> moved(static_cast<size_t>(shape[0] * features), 0.0F);
      const float* weight = weights->data();
      for (int64_t o = 0; o < shape[0]; ++o) {
        for (const int64_t i : view.elements) {
          moved[static_cast<size_t>(o * features + i)] += *weight++;
        }
      }
      constant = AddFloats(graph_, graph_.value(node.inputs[1]).name, {shape[0], features},
                           std::move(moved));
    }
    node.inputs[1] = constant;
    node.inputs[0] = ShapeOf(view.base).size() == 4
                         ? EmitFlatten(graph_.value(node.inputs[0]).name, view.base)
                         : view.base;
    return true;
  }

  Graph& graph_;
  std::unordered_map<ValueId, View> views_;
};

}  // namespace

Status FollowAddresses(Graph& graph) {
  const bool moves = std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return IsOneOf(node.op,
                   {OpKind::kTranspose, OpKind::kReshape, OpKind::kSqueeze, OpKind::kUnsqueeze});
  });
  return moves ? Follower(graph).Run() : Status::Ok();
}

}  // namespace cssrun::converter
