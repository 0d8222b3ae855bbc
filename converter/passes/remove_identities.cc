#include "converter/passes/remove_identities.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

bool AllZero(const std::vector<int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](int64_t v) { return v == 0; });
}

// noop_with_empty_axes
bool TakesNoMean(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value()) return false;
  const Result<std::optional<std::vector<size_t>>> axes = ReducedAxes(graph, node, input->size());
  return axes.ok() && axes.value().has_value() && axes.value()->empty();
}

bool ChangesNothing(const Graph& graph, const Node& node, const Node* producer) {
  if (node.op == OpKind::kIdentity) return true;
  if (node.op == OpKind::kDropout) return PassesOn(graph, node);
  if (node.op == OpKind::kReduceMean) return TakesNoMean(graph, node);
  // Activations are floats, so a Cast to a floating-point type keeps them.
  if (node.op == OpKind::kCast) return IsFloatingPoint(node.Int("to", 0));
  if (node.op == OpKind::kRelu) return IsRectifier(graph, producer);
  if (node.op == OpKind::kConcat) return node.inputs.size() == 1;
  if (node.op == OpKind::kPad) {
    const std::vector<int64_t>* pads = ConstantInts(graph, node, 1);
    return pads != nullptr && AllZero(*pads);
  }
  if (node.op == OpKind::kSlice) {
    const std::vector<int64_t>* axes = ConstantInts(graph, node, 3);
    return axes != nullptr && axes->empty();  // normalized: only axes that lose something
  }
  return false;
}

}  // namespace

Status RemoveIdentities(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    if (node.inputs.empty() || node.outputs.empty() || node.inputs[0] == kNoValue ||
        node.outputs[0] == kNoValue) {
      continue;
    }
    // Dropout's mask.
    if (node.outputs.size() > 1 && node.outputs[1] != kNoValue && sweep.IsRead(node.outputs[1])) {
      continue;
    }
    if (ChangesNothing(graph, node, sweep.Producer(node.inputs[0]))) {
      sweep.Replace(node, node.inputs[0]);
    }
  }
  sweep.Finish();
  return Status::Ok();
}

}  // namespace cssrun::converter
