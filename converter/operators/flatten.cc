// Flatten: a map that is read as a vector, in place.
#include <optional>
#include <string>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/reshape.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kFlattenVersions[] = {
    {1, "floats"},    {9, "all types"},           {11, "a negative axis"},
    {13, "bfloat16"}, {21, "integers of 4 bits"}, {23, "floats of 4 bits"},
};

Inferred InferFlatten(const Graph&, const Node& node, const Shape& input) {
  const auto rank = static_cast<int64_t>(input.size());
  int64_t axis = node.Int("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) {
    return NodeError(node, "axis " + std::to_string(axis) + " is outside of its input " +
                               ToString(input) + "; export the model again");
  }
  const Shape before(input.begin(), input.begin() + axis);
  const Shape after(input.begin() + axis, input.end());
  return Known({ElementCount(before), ElementCount(after)});
}

// Only a moved map is followed: all readers of a plain Flatten understand it as it is.
bool FollowFlatten(Views& views, const Node& node) {
  return views.ViewOf(node.inputs[0]) != nullptr && FollowReshape(views, node);
}

std::optional<Problem> CheckFlatten(const Graph& graph, const Node& node, const Maps&) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  const Shape& output = graph.value(node.outputs[0]).shape;
  if (!input.has_value()) return std::nullopt;
  if (input->size() == 4 && output.size() == 2 && output[0] == 1) return std::nullopt;
  return Problem{kReordersMap.reason, kReordersMap.remedy};
}

// The same memory under another name.
Status AddFlatten(DenseBuilder& builder, const Node& node) {
  builder.MakeAlias(node.outputs[0], node.inputs[0]);
  return Status::Ok();
}

// The order of a flattened map is that of a kernel that covers it: nothing to do.
Status LowerFlatten(Lowering& lowering, const Node& node) {
  lowering.SetForm(node, lowering.FormOf(node.inputs[0]));
  return Status::Ok();
}

}  // namespace

constinit const Operator kFlattenOperator = {
    .versions = kFlattenVersions,
    .elements = ElementRule::kReshaped,
    .map = MapRule::kInput,
    .infer_shape = InferFlatten,
    .evaluate = EvaluateReshaped,
    .follow = FollowFlatten,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckFlatten,
    .dense = DenseAlone{AddFlatten},
    .lower = LowerFlatten,
};

}  // namespace cssrun::converter
