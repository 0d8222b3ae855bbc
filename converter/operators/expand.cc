// Expand of constants.
#include <optional>
#include <string>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/strides.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kVersions[] = {
    {8, "the first"},
    {13, "bfloat16"},
};

Inferred InferExpand(const Graph& graph, const Node& node, const Shape& input) {
  const std::vector<int64_t>* wanted = ConstantInts(graph, node, 1);
  if (wanted == nullptr) return Unknown();
  std::optional<Shape> output = Broadcast(input, *wanted);
  if (!output.has_value()) {
    return NodeError(node, "its input " + ToString(input) + " cannot be expanded to " +
                               ToString(*wanted) + "; export the model again");
  }
  return output;
}

Evaluated EvaluateExpand(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  return Done(Rearranged(input, shape, {0, BroadcastStrides(input.shape, shape)}));
}

}  // namespace

constinit const Operator kExpandOperator = {
    .versions = kVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferExpand,
    .evaluate = EvaluateExpand,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
