#include "converter/passes/evaluate.h"

#include <algorithm>
#include <string>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

// A few bytes of a file may ask for any amount of memory; no exporter makes larger constants out of
// smaller ones.
constexpr int64_t kMaximumFilled = int64_t{1} << 24;

}  // namespace

Evaluated Evaluate(const Graph& graph, const Node& node) {
  const Evaluated not_evaluated = std::optional<Tensor>();
  if (node.inputs.empty()) return not_evaluated;
  const Evaluation& evaluation = OperatorOf(node.op).evaluate;
  if (const auto* of_shapes = std::get_if<EvaluateShapes*>(&evaluation)) {
    return (*of_shapes)(graph, node);
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue && graph.ConstantInput(node, i) == nullptr) {
      return not_evaluated;
    }
  }
  Result<std::optional<Shape>> inferred = InferShape(graph, node);
  if (!inferred.ok()) return inferred.status();
  if (!inferred.value().has_value()) return not_evaluated;
  const Shape& shape = *inferred.value();
  const Tensor& input = *graph.ConstantInput(node, 0);
  if (ElementCount(shape) > std::max(kMaximumFilled, ElementCount(input.shape))) {
    return NodeError(
        node, "it makes a constant of shape " + ToString(shape) + "; export the model again");
  }
  const auto* of_constants = std::get_if<EvaluateConstants*>(&evaluation);
  return of_constants == nullptr ? not_evaluated : (*of_constants)(graph, node, shape);
}

}  // namespace cssrun::converter
