// Neg and Sqrt of constants; Neg, Abs and HardSigmoid of activations, which ReplaceFunctions()
// rewrites.
#include <cmath>
#include <utility>
#include <vector>

#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kUnaryVersions[] = {
    {6, "the oldest that any opset read here means"},
    {13, "bfloat16"},
};

constexpr OperatorVersion kHardSigmoidVersions[] = {
    {6, "the oldest that any opset read here means"},
    {22, "bfloat16"},
};

// Of floats; integers are left to be reported.
template <typename Function>
Evaluated EvaluateFloats(const Graph& graph, const Node& node, const Function& function) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  if (!input.is_float()) return NotEvaluated();
  std::vector<float> values = input.floats();
  for (float& v : values) v = function(v);
  return Done({input.shape, std::move(values)});
}

Evaluated EvaluateNeg(const Graph& graph, const Node& node, const Shape&) {
  return EvaluateFloats(graph, node, [](float v) { return -v; });
}

Evaluated EvaluateSqrt(const Graph& graph, const Node& node, const Shape&) {
  return EvaluateFloats(graph, node, [](float v) { return std::sqrt(v); });
}

}  // namespace

constinit const Operator kAbsOperator = {
    .versions = kUnaryVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kHardSigmoidOperator = {
    .versions = kHardSigmoidVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kNegOperator = {
    .versions = kUnaryVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = EvaluateNeg,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kSqrtOperator = {
    .versions = kUnaryVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = EvaluateSqrt,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
