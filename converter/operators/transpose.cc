// Transpose: followed, or of constants.
#include <optional>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/reshape.h"
#include "converter/strides.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kTransposeVersions[] = {
    {1, "the oldest that any opset read here means"},
    {13, "bfloat16"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

Inferred InferTranspose(const Graph&, const Node& node, const Shape& input) {
  Result<std::vector<size_t>> axes = PermutationOf(node, input);
  if (!axes.ok()) return axes.status();
  Shape output;
  for (const size_t axis : axes.value()) output.push_back(input[axis]);
  return Known(std::move(output));
}

Evaluated EvaluateTranspose(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  Result<std::vector<size_t>> axes = PermutationOf(node, input.shape);
  if (!axes.ok()) return axes.status();
  return Done(Rearranged(input, shape, {0, TransposedStrides(input.shape, axes.value())}));
}

bool FollowTranspose(Views& views, const Node& node) {
  std::optional<View> view = views.Look(node.inputs[0]);
  if (!view.has_value()) return false;
  const Shape& from = views.ShapeOf(node.inputs[0]);
  const Result<std::vector<size_t>> axes = PermutationOf(node, from);
  if (!axes.ok()) return false;
  view->elements = ReadBox(view->elements, views.ShapeOf(node.outputs[0]),
                           {0, TransposedStrides(from, axes.value())});
  return views.Set(node, std::move(*view));
}

}  // namespace

constinit const Operator kTransposeOperator = {
    .versions = kTransposeVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferTranspose,
    .evaluate = EvaluateTranspose,
    .follow = FollowTranspose,
    .reorder_weights = Absent::kNoWeights,
    .check = kReordersMap,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
