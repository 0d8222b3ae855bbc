#include "converter/passes/replace_splits.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// The length of each output: given as an attribute or an input, or else all equal. Empty when not
// known.
Result<std::vector<int64_t>> LengthsOf(const Graph& graph, const Node& node, int64_t size) {
  std::vector<int64_t> lengths = node.Ints("split", {});
  if (node.inputs.size() > 1 && node.inputs[1] != kNoValue) {
    const std::vector<int64_t>* given = ConstantInts(graph, node, 1);
    if (given == nullptr) return std::vector<int64_t>();
    lengths = *given;
  }
  const auto count = static_cast<int64_t>(node.outputs.size());
  if (lengths.empty() && node.Int("num_outputs", 0) == count) {
    // From opset 18 on the last one may be shorter.
    const int64_t length = (size + count - 1) / count;
    for (int64_t first = 0; first < count * length; first += length) {
      lengths.push_back(std::clamp<int64_t>(size - first, 0, length));
    }
  } else if (lengths.empty() && size % count == 0) {
    lengths.assign(node.outputs.size(), size / count);
  }
  int64_t sum = 0;
  bool fits = static_cast<int64_t>(lengths.size()) == count;
  for (const int64_t length : lengths) {
    fits = fits && length >= 0 && length <= size;
    sum += fits ? length : 0;
  }
  if (fits && sum == size) return lengths;
  return NodeError(node, "lengths " + ToString(lengths) + " of " + std::to_string(count) +
                             " outputs do not make up its input's " + std::to_string(size) +
                             "; export the model again");
}

}  // namespace

Status ReplaceSplits(Graph& graph) {
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0] == kNoValue) {
      nodes.push_back(std::move(node));
      continue;
    }
    const std::optional<Shape> input = InputShape(graph, node, 0);
    if (node.op != OpKind::kSplit || !input.has_value()) {
      Result<std::optional<Shape>> shape = InferShape(graph, node);
      if (!shape.ok()) return shape.status();
      if (shape.value().has_value()) graph.value(node.outputs[0]).shape = *shape.value();
      nodes.push_back(std::move(node));
      continue;
    }
    Result<std::vector<size_t>> axes = NormalizeAxes(node, {node.Int("axis", 0)}, input->size());
    if (!axes.ok()) return axes.status();
    const size_t axis = axes.value()[0];
    Result<std::vector<int64_t>> lengths = LengthsOf(graph, node, (*input)[axis]);
    if (!lengths.ok()) return lengths.status();
    if (lengths.value().empty()) {
      nodes.push_back(std::move(node));
      continue;
    }
    int64_t first = 0;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const int64_t length = lengths.value()[i];
      if (node.outputs[i] != kNoValue) {
        const std::string name = graph.value(node.outputs[i]).name;
        Node slice{OpKind::kSlice, node.name, {node.inputs[0]}, {node.outputs[i]}, {}};
        slice.inputs.push_back(AddInts(graph, name + ".starts", {first}));
        slice.inputs.push_back(AddInts(graph, name + ".ends", {first + length}));
        slice.inputs.push_back(AddInts(graph, name + ".axes", {static_cast<int64_t>(axis)}));
        slice.inputs.push_back(AddInts(graph, name + ".steps", {1}));
        Shape shape = *input;
        shape[axis] = length;
        graph.value(node.outputs[i]).shape = std::move(shape);
        nodes.push_back(std::move(slice));
      }
      first += length;
    }
  }
  graph.nodes = std::move(nodes);
  return Status::Ok();
}

}  // namespace cssrun::converter
