// Shape, which is known without running anything.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kShapeVersions[] = {
    {1, "the oldest that any opset read here means"},
    {13, "bfloat16"},
    {15, "start and end"},
    {19, "floats of 8 bits"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

// The axes from `start` on and before `end`, cut off at the rank.
Shape PartOf(const Node& node, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  const auto position = [rank](int64_t axis) {
    axis = std::clamp(axis, -rank, rank);
    return axis < 0 ? axis + rank : axis;
  };
  const int64_t start = position(node.Int("start", 0));
  const int64_t end = position(node.Int("end", rank));
  if (start >= end) return {};
  return {shape.begin() + start, shape.begin() + end};
}

Inferred InferShapeOfShape(const Graph&, const Node& node, const Shape& input) {
  return Known({static_cast<int64_t>(PartOf(node, input).size())});
}

// Of constants and of activations whose shape is known.
Evaluated EvaluateShape(const Graph& graph, const Node& node) {
  const std::optional<Shape> shape = InputShape(graph, node, 0);
  if (!shape.has_value()) return NotEvaluated();
  Shape part = PartOf(node, *shape);
  const auto length = static_cast<int64_t>(part.size());
  return Done({{length}, std::move(part)});
}

}  // namespace

constinit const Operator kShapeOperator = {
    .versions = kShapeVersions,
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
