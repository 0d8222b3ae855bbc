#include "converter/passes/merge_reshapes.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// A transposition whose dimensions larger than 1 stay in order moves no element in memory.
bool KeepsOrder(const Node& node, const Shape& input) {
  if (node.Find("perm") == nullptr) return false;
  const Result<std::vector<size_t>> axes = PermutationOf(node, input);
  if (!axes.ok()) return false;
  size_t previous = 0;
  for (const size_t axis : axes.value()) {
    if (input[axis] == 1) continue;
    if (axis < previous) return false;
    previous = axis;
  }
  return true;
}

bool IsReshape(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || node.outputs.empty() || node.outputs[0] == kNoValue ||
      graph.value(node.outputs[0]).shape.empty()) {
    return false;
  }
  if (node.op == OpKind::kTranspose) return KeepsOrder(node, *input);
  return OperatorOf(node.op).elements == ElementRule::kReshaped;
}

}  // namespace

Status MergeReshapes(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    if (!IsReshape(graph, node)) continue;
    const Node* before = sweep.Producer(node.inputs[0]);
    // Merged already, so one look back is enough.
    if (before != nullptr && IsReshape(graph, *before)) sweep.SetInput(node, 0, before->inputs[0]);
    const Shape& from = graph.value(node.inputs[0]).shape;
    const Shape& to = graph.value(node.outputs[0]).shape;
    if (from == to) {
      sweep.Replace(node, node.inputs[0]);
    } else if (to.size() == 2 && to[0] == 1 && from.size() == 4) {
      node.op = OpKind::kFlatten;
      node.inputs.resize(1);
      node.attributes = {{"axis", int64_t{1}}};
    } else if (node.op != OpKind::kReshape) {
      // The input may have changed; only the output's shape still says what is meant.
      node.op = OpKind::kReshape;
      node.inputs = {node.inputs[0], AddInts(graph, graph.value(node.outputs[0]).name + ".shape",
                                             Shape(graph.value(node.outputs[0]).shape))};
      node.attributes.clear();
    } else if (node.inputs.size() == 2) {
      node.inputs[1] = AddInts(graph, graph.value(node.outputs[0]).name + ".shape",
                               Shape(graph.value(node.outputs[0]).shape));
      node.attributes.clear();
    }
  }
  sweep.Finish();
  graph.RemoveDeadNodes();
  return Status::Ok();
}

}  // namespace cssrun::converter
