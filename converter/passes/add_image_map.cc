#include "converter/passes/add_image_map.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"
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

class MapAdder {
 public:
  explicit MapAdder(Graph& graph)
      : graph_(graph),
        image_(graph.input),
        shape_(graph.value(graph.input).shape),
        map_(graph.image_map->floats()) {}

  Status Run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    if (!std::all_of(nodes.begin(), nodes.end(), [&](const Node& n) { return IsLayer(n); })) {
      AddAfterIdentity(nodes);
    }
    for (Node& node : nodes) {
      if (!Reads(node, image_) || node.op != OpKind::kConv) {
        graph_.nodes.push_back(std::move(node));
      } else if (Status status = AddBehind(std::move(node)); !status.ok()) {
        return status;
      }
    }
    graph_.image_map.reset();
    return Status::Ok();
  }

 private:
  static bool Reads(const Node& node, ValueId id) {
    return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
  }

  // True for nodes that do not read the image, or are layers that the map can be moved behind.
  bool IsLayer(const Node& node) const {
    if (!Reads(node, image_)) return true;
    return node.op == OpKind::kConv && ConstantFloats(graph_, node, 1) != nullptr &&
           graph_.ConstantInput(node, 1)->shape.size() == 4;
  }

  // All readers read a copy of the image, which a layer makes.
  void AddAfterIdentity(std::vector<Node>& nodes) {
    const ValueId copy = graph_.AddValue(graph_.value(image_).name + ".copy", shape_);
    for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), image_, copy);
    Node identity{OpKind::kConv, graph_.value(image_).name, {image_}, {copy}, {}};
    identity.inputs.push_back(AddFloats(graph_, "ones", {shape_[1], 1, 1, 1},
                                        Floats(static_cast<size_t>(shape_[1]), 1.0F)));
    identity.attributes = ConvAttributes({1, 1}, {0, 0, 0, 0}, shape_[1]);
    nodes.insert(nodes.begin(), std::move(identity));
  }

  Status AddBehind(Node conv) {
    Result<Window> window = WindowOf(graph_, conv, shape_);
    if (!window.ok()) return window.status();
    const Tensor& weights = *graph_.ConstantInput(conv, 1);
    const Shape output = graph_.value(conv.outputs[0]).shape;
    if (ElementCount(output) > kLargestMap) {
      return NodeError(conv, "its map is too large for a mean image; subtract it before");
    }
    const Floats map = Convolved(map_, shape_, window.value(), weights, conv.Int("group", 1));
    const ValueId sum = conv.outputs[0];
    const std::string name = graph_.value(sum).name;
    const std::string node_name = conv.name;
    const ValueId alone = graph_.AddValue(name + ".alone", output);
    const ValueId one = One();
    const ValueId potentials = graph_.AddValue(name + ".potentials", output);
    // The neuron's map has one position. Output (y, x) reads it with the tap as far from the end.
    Floats flipped;
    flipped.reserve(map.size());
    const auto positions = output[2] * output[3];
    for (int64_t c = 0; c < output[1]; ++c) {
      for (int64_t p = positions; p-- > 0;) {
        flipped.push_back(map[static_cast<size_t>(c * positions + p)]);
      }
    }
    const ValueId taps =
        AddFloats(graph_, name + ".map", {output[1], 1, output[2], output[3]}, std::move(flipped));
    const std::vector<int64_t> pads = {output[2] - 1, output[3] - 1, output[2] - 1, output[3] - 1};
    conv.outputs[0] = alone;
    graph_.nodes.push_back({OpKind::kConv,
                            node_name,
                            {one, taps},
                            {potentials},
                            ConvAttributes({output[2], output[3]}, pads, 1)});
    graph_.nodes.push_back(std::move(conv));
    graph_.nodes.push_back({OpKind::kAdd, node_name, {alone, potentials}, {sum}, {}});
    return Status::Ok();
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
  const Floats map_;
  ValueId one_ = kNoValue;
};

}  // namespace

Status AddImageMap(Graph& graph) {
  return graph.image_map == nullptr ? Status::Ok() : MapAdder(graph).Run();
}

}  // namespace cssrun::converter
