#include "converter/passes/fold_constants.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/evaluate.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// CastLike takes the type of its second input. What is no constant by now is an activation, a
// float.
void MakeCast(const Graph& graph, Node& node) {
  const Tensor* like = graph.ConstantInput(node, 1);
  node.op = OpKind::kCast;
  node.inputs.resize(1);
  SetAttribute(node, "to", like == nullptr || like->is_float() ? kOnnxFloat : kOnnxInt64);
}

}  // namespace

Status FoldConstants(Graph& graph) {
  std::vector<Node> remaining;
  remaining.reserve(graph.nodes.size());
  // Nodes are sorted, so that every input is folded, or has its shape, before it is read.
  for (Node& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0] == kNoValue) {
      remaining.push_back(std::move(node));
      continue;
    }
    if (node.op == OpKind::kCastLike && node.inputs.size() == 2) MakeCast(graph, node);
    Value& output = graph.value(node.outputs[0]);
    Result<std::optional<Tensor>> folded = Evaluate(graph, node);
    if (!folded.ok()) return folded.status();
    if (folded.value().has_value() && node.outputs.size() == 1) {
      output.shape = folded.value()->shape;
      output.constant = std::make_shared<const Tensor>(*std::move(folded).value());
      continue;
    }
    Result<std::optional<Shape>> shape = InferShape(graph, node);
    if (!shape.ok()) return shape.status();
    output.shape = shape.value().value_or(Shape());
    remaining.push_back(std::move(node));
  }
  graph.nodes = std::move(remaining);
  return Status::Ok();
}

}  // namespace cssrun::converter
