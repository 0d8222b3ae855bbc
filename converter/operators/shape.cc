// Shape, which is known without running anything.
#include <optional>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kVersions[] = {
    {1, "the oldest that any opset read here means"},
    {13, "bfloat16"},
    {15, "start and end, which are not read"},
};

Inferred InferShapeOfShape(const Graph&, const Node&, const Shape& input) {
  return Known({static_cast<int64_t>(input.size())});
}

// Of constants and of activations whose shape is known.
Evaluated EvaluateShape(const Graph& graph, const Node& node) {
  // Opset 15 can cut a part out. No exporter uses that, so such a node is left to be reported.
  const std::optional<Shape> shape = InputShape(graph, node, 0);
  if (!shape.has_value() || node.Find("start") != nullptr || node.Find("end") != nullptr) {
    return NotEvaluated();
  }
  return Done({{static_cast<int64_t>(shape->size())}, *shape});
}

}  // namespace

constinit const Operator kShapeOperator = {
    .versions = kVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferShapeOfShape,
    .evaluate = EvaluateShape,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
