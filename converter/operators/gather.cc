// Gather of constants, such as one size out of a shape, and of an activation's elements, such as
// one colour of an image.
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kGatherVersions[] = {
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

Status CheckIndices(const Node& node, const std::vector<int64_t>& indices, int64_t size,
                    const Shape& input) {
  for (const int64_t index : indices) {
    if (index < -size || index >= size) {
      return NodeError(node, "index " + std::to_string(index) + " is outside of its input " +
                                 ToString(input) + "; export the model again");
    }
  }
  return Status::Ok();
}

// The elements that are gathered from a tensor of shape `from`, whose own are `elements`.
template <typename Values>
Values Gathered(const Values& elements, const Shape& from, size_t axis,
                const std::vector<int64_t>& indices) {
  const auto along = from.begin() + static_cast<std::ptrdiff_t>(axis);
  const int64_t size = *along;
  const int64_t outer = ElementCount(Shape(from.begin(), along));
  const int64_t inner = ElementCount(Shape(along + 1, from.end()));
  Values gathered;
  for (int64_t o = 0; o < outer; ++o) {
    for (const int64_t index : indices) {
      const auto begin = elements.begin() + (o * size + (index < 0 ? index + size : index)) * inner;
      gathered.insert(gathered.end(), begin, begin + inner);
    }
  }
  return gathered;
}

Evaluated EvaluateGather(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  const std::vector<int64_t>* indices = ConstantInts(graph, node, 1);
  if (indices == nullptr) return NotEvaluated();
  Result<size_t> axis = AxisOf(node, 0, input.shape.size());
  if (!axis.ok()) return axis.status();
  const int64_t size = input.shape[axis.value()];
  if (Status status = CheckIndices(node, *indices, size, input.shape); !status.ok()) return status;
  Tensor output;
  output.shape = shape;
  std::visit(
      [&](const auto& from) { output.data = Gathered(from, input.shape, axis.value(), *indices); },
      input.data);
  return Done(std::move(output));
}

// Elements of one vector or map, by constant indices.
bool FollowGather(Views& views, const Node& node) {
  const std::optional<View> view = views.Look(node.inputs[0]);
  const std::vector<int64_t>* indices = ConstantInts(views.graph(), node, 1);
  if (!view.has_value() || indices == nullptr) return false;
  const Shape shape = views.ShapeOf(node.inputs[0]);
  const Result<size_t> axis = AxisOf(node, 0, shape.size());
  if (!axis.ok() || !CheckIndices(node, *indices, shape[axis.value()], shape).ok()) return false;
  return views.Set(node, View{view->base, Gathered(view->elements, shape, axis.value(), *indices)});
}

}  // namespace

constinit const Operator kGatherOperator = {
    .versions = kGatherVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferGather,
    .evaluate = EvaluateGather,
    .follow = FollowGather,
    .reorder_weights = Absent::kNoWeights,
    .check =
        Refused{
            "it picks out elements of an activation in a way that spikes' addresses cannot follow",
            "use slices of channels, rows or columns"},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
