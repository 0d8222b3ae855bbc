#include "converter/passes/add_maps.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"
#include "converter/strides.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

using Floats = std::vector<float>;

// A larger map is a sign of a damaged file.
constexpr int64_t kLargestMap = int64_t{1} << 26;

std::vector<Attribute> ConvAttributes(std::vector<int64_t> kernel, std::vector<int64_t> pads,
                                      int64_t groups) {
  return {{"kernel_shape", std::move(kernel)},
          {"strides", std::vector<int64_t>{1, 1}},
          {"dilations", std::vector<int64_t>{1, 1}},
          {"pads", std::move(pads)},
          {"group", groups}};
}

// What a Conv makes of a map of shape `from`, without its bias.
Floats Convolved(const Floats& map, const Shape& from, const Window& w, const Tensor& weights,
                 int64_t groups) {
  const int64_t outputs = weights.shape[0];
  const int64_t inputs = weights.shape[1];
  Floats result;
  result.reserve(static_cast<size_t>(outputs * w.positions[0] * w.positions[1]));
  for (int64_t o = 0; o < outputs; ++o) {
    const int64_t first = o / (outputs / groups) * inputs;
    for (int64_t y = 0; y < w.positions[0]; ++y) {
      for (int64_t x = 0; x < w.positions[1]; ++x) {
        double sum = 0;
        const float* weight = weights.floats().data() + o * inputs * w.kernel[0] * w.kernel[1];
        for (int64_t i = 0; i < inputs; ++i) {
          for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
            const int64_t row = y * w.stride[0] - w.pad_before[0] + ky * w.dilation[0];
            for (int64_t kx = 0; kx < w.kernel[1]; ++kx, ++weight) {
              const int64_t column = x * w.stride[1] - w.pad_before[1] + kx * w.dilation[1];
              if (row < 0 || row >= from[2] || column < 0 || column >= from[3]) continue;
              const int64_t at = ((first + i) * from[2] + row) * from[3] + column;
              sum += static_cast<double>(*weight) * map[static_cast<size_t>(at)];
            }
          }
        }
        result.push_back(static_cast<float>(sum));
      }
    }
  }
  return result;
}

// A map of constants, [channels, rows, columns], and the activation that it is added to.
struct AddedMap {
  ValueId source = kNoValue;
  bool negated = false;  // the source is subtracted
  Floats map;
  // All readers of the sum are layers that the map can be moved behind, so that no neurons have to
  // send the sum.
  bool behind = false;
};

class MapAdder {
 public:
  explicit MapAdder(Graph& graph)
      : graph_(graph), image_(graph.input), shape_(graph.value(graph.input).shape) {}

  Status Run() {
    for (const Node& node : graph_.nodes) FindMap(node);
    if (graph_.image_map != nullptr) {
      sums_[image_] = {image_, false, graph_.image_map->floats(), true};
    }
    if (sums_.empty()) return Status::Ok();
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    FindReaders(nodes);
    if (graph_.image_map != nullptr && !sums_[image_].behind) AddAfterIdentity(nodes);
    for (Node& node : nodes) {
      const auto sum = node.outputs.empty() ? sums_.end() : sums_.find(node.outputs[0]);
      if (sum != sums_.end()) {
        AddTo(std::move(node), sum->second);
      } else if (const AddedMap* added = MapBehind(node); added != nullptr) {
        if (Status status = AddBehind(std::move(node), *added); !status.ok()) return status;
      } else {
        graph_.nodes.push_back(std::move(node));
      }
    }
    graph_.image_map.reset();
    return Status::Ok();
  }

 private:
  // Takes note of a sum of a map and constants that differ from position to position.
  void FindMap(const Node& node) {
    if (!IsOneOf(node.op, {OpKind::kAdd, OpKind::kSub}) || node.inputs.size() != 2) return;
    const size_t constant = graph_.ConstantInput(node, 0) != nullptr ? 0 : 1;
    const ValueId source = node.inputs[1 - constant];
    const std::vector<float>* numbers = ConstantFloats(graph_, node, constant);
    if (numbers == nullptr || source == kNoValue || graph_.value(source).constant != nullptr)
      return;
    const Shape& shape = graph_.value(source).shape;
    const Shape& own = graph_.ConstantInput(node, constant)->shape;
    if (shape.size() != 4 || shape[0] != 1 || graph_.value(node.outputs[0]).shape != shape ||
        ElementCount(shape) > kLargestMap || Broadcast(own, shape) != shape) {
      return;
    }
    AddedMap added{source, node.op == OpKind::kSub && constant == 0,
                   ReadBox(*numbers, shape, {0, BroadcastStrides(own, shape)})};
    if (node.op == OpKind::kSub && constant == 1) {
      for (float& number : added.map) number = -number;
    }
    sums_[node.outputs[0]] = std::move(added);
  }

  // Decides which maps are moved behind the layers that read their sums.
  void FindReaders(const std::vector<Node>& nodes) {
    std::map<ValueId, int> layers;
    std::map<ValueId, int> others;
    for (const Node& node : nodes) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (!sums_.contains(node.inputs[i])) continue;
        ++(i == 0 && IsLayer(node) ? layers : others)[node.inputs[i]];
      }
    }
    for (const GraphOutput& output : graph_.outputs) ++others[output.value];
    for (auto& [sum, added] : sums_) {
      added.behind = layers[sum] > 0 && others[sum] == 0 && !added.negated;
    }
  }

  // True for a layer that a map can be moved behind.
  bool IsLayer(const Node& node) const {
    return node.op == OpKind::kConv && ConstantFloats(graph_, node, 1) != nullptr &&
           graph_.ConstantInput(node, 1)->shape.size() == 4;
  }

  // The map that is added to what a node reads, if it is moved behind this node; null if not.
  const AddedMap* MapBehind(const Node& node) const {
    if (node.inputs.empty()) return nullptr;
    const auto sum = sums_.find(node.inputs[0]);
    return sum == sums_.end() || !sum->second.behind ? nullptr : &sum->second;
  }

  // All readers read a copy of the image, which a layer makes.
  void AddAfterIdentity(std::vector<Node>& nodes) {
    const ValueId copy = graph_.AddValue(graph_.value(image_).name + ".copy", shape_);
    for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), image_, copy);
    for (auto& [sum, added] : sums_) {
      if (sum != image_ && added.source == image_) added.source = copy;
    }
    sums_[image_].behind = true;
    Node identity{OpKind::kConv, graph_.value(image_).name, {image_}, {copy}, {}};
    identity.inputs.push_back(AddFloats(graph_, "ones", {shape_[1], 1, 1, 1},
                                        Floats(static_cast<size_t>(shape_[1]), 1.0F)));
    identity.attributes = ConvAttributes({1, 1}, {0, 0, 0, 0}, shape_[1]);
    nodes.insert(nodes.begin(), std::move(identity));
  }

  // The sum of a map and constants, as one of two activations.
  void AddTo(Node node, const AddedMap& added) {
    if (added.behind) return;  // nobody reads the sum
    const Value& sum = graph_.value(node.outputs[0]);
    const Shape shape = sum.shape;
    const std::string name = sum.name;
    ValueId source = added.source;
    if (added.negated) {
      source = graph_.AddValue(name + ".negated", shape);
      Node negate{OpKind::kScale, node.name, {added.source}, {source}, {}};
      negate.inputs.push_back(AddFloats(graph_, name + ".sign", {1}, {-1.0F}));
      graph_.nodes.push_back(std::move(negate));
    }
    const ValueId potentials = Potentials(node.name, name, shape, added.map);
    graph_.nodes.push_back({OpKind::kAdd, node.name, {source, potentials}, node.outputs, {}});
  }

  Status AddBehind(Node conv, const AddedMap& added) {
    const Shape from = graph_.value(added.source).shape;
    Result<Window> window = WindowOf(graph_, conv, from);
    if (!window.ok()) return window.status();
    const Tensor& weights = *graph_.ConstantInput(conv, 1);
    const Shape output = graph_.value(conv.outputs[0]).shape;
    if (ElementCount(output) > kLargestMap) {
      return NodeError(conv,
                       "its map is too large for a map of constants before it; export the "
                       "model without that map");
    }
    const Floats map = Convolved(added.map, from, window.value(), weights, conv.Int("group", 1));
    const ValueId sum = conv.outputs[0];
    const std::string name = graph_.value(sum).name;
    const std::string node_name = conv.name;
    const ValueId alone = graph_.AddValue(name + ".alone", output);
    const ValueId potentials = Potentials(node_name, name, output, map);
    conv.inputs[0] = added.source;
    conv.outputs[0] = alone;
    graph_.nodes.push_back(std::move(conv));
    graph_.nodes.push_back({OpKind::kAdd, node_name, {alone, potentials}, {sum}, {}});
    return Status::Ok();
  }

  // An activation of this shape whose elements are constants, made of the neuron that stands for 1.
  ValueId Potentials(const std::string& node, const std::string& name, const Shape& shape,
                     const Floats& map) {
    const ValueId one = One();
    const ValueId potentials = graph_.AddValue(name + ".potentials", shape);
    // The neuron's map has one position. Output (y, x) reads it with the tap as far from the end.
    Floats flipped;
    flipped.reserve(map.size());
    const auto positions = shape[2] * shape[3];
    for (int64_t c = 0; c < shape[1]; ++c) {
      for (int64_t p = positions; p-- > 0;) {
        flipped.push_back(map[static_cast<size_t>(c * positions + p)]);
      }
    }
    const ValueId taps =
        AddFloats(graph_, name + ".map", {shape[1], 1, shape[2], shape[3]}, std::move(flipped));
    const std::vector<int64_t> pads = {shape[2] - 1, shape[3] - 1, shape[2] - 1, shape[3] - 1};
    graph_.nodes.push_back({OpKind::kConv,
                            node,
                            {one, taps},
                            {potentials},
                            ConvAttributes({shape[2], shape[3]}, pads, 1)});
    return potentials;
  }

  // The neuron that always stands for 1, made once.
  ValueId One() {
    if (one_ != kNoValue) return one_;
    const std::string name = graph_.value(image_).name + ".one";
    const ValueId pixel = graph_.AddValue(name + ".pixel", {1, shape_[1], 1, 1});
    const ValueId potential = graph_.AddValue(name + ".potential", {1, 1, 1, 1});
    one_ = graph_.AddValue(name, {1, 1, 1, 1});
    Node slice{OpKind::kSlice, name, {image_}, {pixel}, {}};
    for (const std::vector<int64_t>& values :
         {std::vector<int64_t>{0, 0}, {1, 1}, {2, 3}, {1, 1}}) {
      slice.inputs.push_back(AddInts(graph_, name + ".slice", values));
    }
    graph_.nodes.push_back(std::move(slice));
    const ValueId none = AddFloats(graph_, name + ".weights", {1, shape_[1], 1, 1},
                                   Floats(static_cast<size_t>(shape_[1]), 0.0F));
    const ValueId bias = AddFloats(graph_, name + ".bias", {1}, {1.0F});
    graph_.nodes.push_back({OpKind::kConv,
                            name,
                            {pixel, none, bias},
                            {potential},
                            ConvAttributes({1, 1}, {0, 0, 0, 0}, 1)});
    graph_.nodes.push_back({OpKind::kRelu, name, {potential}, {one_}, {}});
    return one_;
  }

  Graph& graph_;
  const ValueId image_;
  const Shape shape_;
  std::map<ValueId, AddedMap> sums_;  // by the value that is the sum; the image is its own
  ValueId one_ = kNoValue;
};

}  // namespace

Status AddMaps(Graph& graph) {
  const Shape& image = graph.value(graph.input).shape;
  return image.size() == 4 && image[0] == 1 ? MapAdder(graph).Run() : Status::Ok();
}

}  // namespace cssrun::converter
