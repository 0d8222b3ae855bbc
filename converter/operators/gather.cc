// Gather of constants, such as one size out of a shape.
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kVersions[] = {
    {1, "the oldest that any opset read here means"},
    {11, "negative indices"},
    {13, "bfloat16"},
};

Inferred InferGather(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> indices = InputShape(graph, node, 1);
  if (!indices.has_value()) return Unknown();
  Result<size_t> axis = AxisOf(node, 0, input.size());
  if (!axis.ok()) return axis.status();
  const auto along = static_cast<std::ptrdiff_t>(axis.value());
  Shape output(input.begin(), input.begin() + along);
  output.insert(output.end(), indices->begin(), indices->end());
  output.insert(output.end(), input.begin() + along + 1, input.end());
  return Known(std::move(output));
}

Evaluated EvaluateGather(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  const std::vector<int64_t>* indices = ConstantInts(graph, node, 1);
  if (indices == nullptr) return NotEvaluated();
  Result<size_t> axis = AxisOf(node, 0, input.shape.size());
  if (!axis.ok()) return axis.status();
  const auto along = input.shape.begin() + static_cast<std::ptrdiff_t>(axis.value());
  const int64_t size = *along;
  const int64_t outer = ElementCount(Shape(input.shape.begin(), along));
  const int64_t inner = ElementCount(Shape(along + 1, input.shape.end()));
  for (const int64_t index : *indices) {
    if (index < -size || index >= size) {
      return NodeError(node, "index " + std::to_string(index) + " is outside of its input " +
                                 ToString(input.shape) + "; export the model again");
    }
  }
  Tensor output;
  output.shape = shape;
  std::visit(
      [&](const auto& from) {
        std::decay_t<decltype(from)> to;
        for (int64_t o = 0; o < outer; ++o) {
          for (const int64_t index : *indices) {
            const auto begin =
                from.begin() + (o * size + (index < 0 ? index + size : index)) * inner;
            to.insert(to.end(), begin, begin + inner);
          }
        }
        output.data = std::move(to);
      },
      input.data);
  return Done(std::move(output));
}

}  // namespace

constinit const Operator kGatherOperator = {
    .versions = kVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferGather,
    .evaluate = EvaluateGather,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
