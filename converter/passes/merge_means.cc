#include "converter/passes/merge_means.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// The axes of a ReduceMean; none where they are not known or the node is another one.
Result<std::vector<size_t>> AxesOfMean(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (node.op != OpKind::kReduceMean || !input.has_value() ||
      graph.value(node.outputs[0]).shape.empty()) {
    return std::vector<size_t>();
  }
  Result<std::optional<std::vector<size_t>>> axes = ReducedAxes(graph, node, input->size());
  if (!axes.ok()) return axes.status();
  return std::move(axes).value().value_or(std::vector<size_t>());
}

// The axes of the first mean's input that the second one takes the mean over.
std::vector<size_t> SecondAxes(const std::vector<size_t>& first, bool first_keeps,
                               const std::vector<size_t>& second, size_t rank) {
  if (first_keeps) return second;
  std::vector<size_t> remaining;
  for (size_t axis = 0; axis < rank; ++axis) {
    if (!std::binary_search(first.begin(), first.end(), axis)) remaining.push_back(axis);
  }
  std::vector<size_t> axes;
  for (const size_t axis : second) axes.push_back(remaining[axis]);
  return axes;
}

// Makes `first` the mean over all axes, and `second` a Reshape.
void Merge(Graph& graph, const std::vector<size_t>& axes, Node& first, Node& second) {
  Shape kept = graph.value(first.inputs[0]).shape;
  for (const size_t axis : axes) kept[axis] = 1;
  graph.value(first.outputs[0]).shape = kept;
  first.inputs.resize(1);
  first.attributes = {{"axes", std::vector<int64_t>(axes.begin(), axes.end())},
                      {"keepdims", int64_t{1}}};
  const Value& output = graph.value(second.outputs[0]);
  const std::string name = output.name + ".shape";
  second.op = OpKind::kReshape;
  second.inputs = {first.outputs[0], AddInts(graph, name, Shape(output.shape))};
  second.attributes.clear();
}

}  // namespace

Status MergeMeans(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    if (node.op != OpKind::kReduceMean || node.outputs.empty() || node.outputs[0] == kNoValue) {
      continue;
    }
    Node* before = sweep.Producer(node.inputs[0]);
    if (before == nullptr || !sweep.OnlyReader(node.inputs[0])) continue;
    const Result<std::vector<size_t>> second = AxesOfMean(graph, node);
    if (!second.ok()) return second.status();
    const Result<std::vector<size_t>> first = AxesOfMean(graph, *before);
    if (!first.ok()) return first.status();
    if (first.value().empty() || second.value().empty()) continue;
    std::vector<size_t> axes =
        SecondAxes(first.value(), before->Int("keepdims", 1) != 0, second.value(),
                   graph.value(before->inputs[0]).shape.size());
    axes.insert(axes.end(), first.value().begin(), first.value().end());
    std::sort(axes.begin(), axes.end());
    axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
    Merge(graph, axes, *before, node);
  }
  sweep.Finish();
  return Status::Ok();
}

}  // namespace cssrun::converter
