// Equal and Where of constants: exporters choose sizes with them.
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/arithmetic.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/strides.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kEqualVersions[] = {
    {7, "broadcasts as NumPy does"},
    {11, "floats"},
    {13, "bfloat16"},
    {19, "texts"},
};

constexpr OperatorVersion kWhereVersions[] = {
    {9, "the first"},
    {16, "bfloat16"},
};

Tensor Broadcasted(const Graph& graph, const Node& node, size_t input, const Shape& shape) {
  const Tensor& tensor = *graph.ConstantInput(node, input);
  return Rearranged(tensor, shape, {0, BroadcastStrides(tensor.shape, shape)});
}

Evaluated EvaluateEqual(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor a = Broadcasted(graph, node, 0, shape);
  const Tensor b = Broadcasted(graph, node, 1, shape);
  if (a.data.index() != b.data.index()) return NotEvaluated();
  std::vector<int64_t> equal;
  std::visit(
      [&](const auto& values) {
        const auto& others = std::get<std::decay_t<decltype(values)>>(b.data);
        for (size_t i = 0; i < values.size(); ++i) equal.push_back(values[i] == others[i]);
      },
      a.data);
  return Done({shape, std::move(equal)});
}

Evaluated EvaluateWhere(const Graph& graph, const Node& node, const Shape& shape) {
  if (node.inputs.size() != 3) return NotEvaluated();
  const Tensor condition = Broadcasted(graph, node, 0, shape);
  Tensor chosen = Broadcasted(graph, node, 1, shape);
  const Tensor others = Broadcasted(graph, node, 2, shape);
  if (condition.is_float() || chosen.data.index() != others.data.index()) return NotEvaluated();
  std::visit(
      [&](auto& values) {
        const auto& other = std::get<std::decay_t<decltype(values)>>(others.data);
        for (size_t i = 0; i < values.size(); ++i) {
          if (condition.ints()[i] == 0) values[i] = other[i];
        }
      },
      chosen.data);
  return Done(std::move(chosen));
}

constexpr Refused kDependsOnActivations = {"what it computes depends on the activations",
                                           "export by tracing, with a fixed image size"};

}  // namespace

constinit const Operator kEqualOperator = {
    .versions = kEqualVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferBroadcast,
    .evaluate = EvaluateEqual,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kDependsOnActivations,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kWhereOperator = {
    .versions = kWhereVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferBroadcast,
    .evaluate = EvaluateWhere,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kDependsOnActivations,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
