#include "converter/infer_shapes.h"

#include <algorithm>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

// Limits the number of elements, so that later products of sizes cannot overflow.
Status CheckSize(const Node& node, const Shape& shape) {
  int64_t elements = 1;
  for (const int64_t size : shape) {
    // Other sizes of an empty tensor must not overflow a product either.
    if (size < 0 || __builtin_mul_overflow(elements, std::max<int64_t>(size, 1), &elements) ||
        elements > kMaximumElements) {
      return NodeError(
          node, "its output would have the shape " + ToString(shape) + "; export the model again");
    }
  }
  return Status::Ok();
}

}  // namespace

std::optional<Shape> Broadcast(const Shape& a, const Shape& b) {
  Shape output(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < output.size(); ++i) {
    // Dimensions are counted from the last one; missing ones are 1.
    const int64_t size_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t size_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1) return std::nullopt;
    output[output.size() - 1 - i] = size_a == 1 ? size_b : size_a;
  }
  return output;
}

Result<std::optional<Shape>> InferShape(const Graph& graph, const Node& node) {
  const auto* infer = std::get_if<InferFunction*>(&OperatorOf(node.op).infer_shape);
  if (infer == nullptr) return std::optional<Shape>();
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value()) return std::optional<Shape>();
  Inferred inferred = (*infer)(graph, node, *input);
  if (inferred.ok() && inferred.value().has_value()) {
    if (Status status = CheckSize(node, *inferred.value()); !status.ok()) return status;
  }
  return inferred;
}

Status InferShapes(Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0] == kNoValue) continue;
    Result<std::optional<Shape>> shape = InferShape(graph, node);
    if (!shape.ok()) return shape.status();
    graph.value(node.outputs[0]).shape = shape.value().value_or(Shape());
  }
  return Status::Ok();
}

}  // namespace cssrun::converter
