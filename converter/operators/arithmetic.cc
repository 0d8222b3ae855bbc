#include "converter/operators/arithmetic.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

float Compute(OpKind op, float a, float b) {
  if (op == OpKind::kAdd) return a + b;
  if (op == OpKind::kSub) return a - b;
  if (op == OpKind::kMul) return a * b;
  return a / b;
}

// Wraps around instead of overflowing. Division by zero was refused before.
int64_t Compute(OpKind op, int64_t a, int64_t b) {
  const auto ua = static_cast<uint64_t>(a);
  const auto ub = static_cast<uint64_t>(b);
  if (op == OpKind::kAdd) return static_cast<int64_t>(ua + ub);
  if (op == OpKind::kSub) return static_cast<int64_t>(ua - ub);
  if (op == OpKind::kMul) return static_cast<int64_t>(ua * ub);
  return b == -1 ? static_cast<int64_t>(0 - ua) : a / b;
}

constexpr OperatorVersion kArithmeticVersions[] = {
    {7, "broadcasts as NumPy does"},
    {13, "bfloat16"},
    {14, "integers of 8 and 16 bits"},
};

// The shape of one number for each channel of a map or vector of this shape.
Shape PerChannelShape(const Shape& base) {
  Shape shape(base.size(), 1);
  shape[1] = base[1];
  return shape;
}

// The numbers of a view's elements as those of its base, of which `together` elements in a row
// share one of `count`; nothing where they differ.
std::optional<std::vector<float>> NumbersOfBase(const View& view, const std::vector<float>& numbers,
                                                int64_t together, int64_t count, float neutral) {
  std::vector<float> moved(static_cast<size_t>(count), neutral);
  std::vector<bool> known(moved.size(), false);
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto at = static_cast<size_t>(view.elements[i] / together);
    if (known[at] && moved[at] != numbers[i]) return std::nullopt;
    moved[at] = numbers[i];
    known[at] = true;
  }
  return moved;
}

Status DoNotFit(const Node& node, const Shape& a, const Shape& b) {
  return NodeError(node, "the shapes " + ToString(a) + " and " + ToString(b) +
                             " do not fit; check the image size that the model was exported with");
}

}  // namespace

Inferred InferArithmetic(const Graph& graph, const Node& node, const Shape& a) {
  const std::optional<Shape> b = InputShape(graph, node, 1);
  if (!b.has_value()) return Unknown();
  std::optional<Shape> output = Broadcast(a, *b);
  if (!output.has_value()) return DoNotFit(node, a, *b);
  return output;
}

Inferred InferBroadcast(const Graph& graph, const Node& node, const Shape& first) {
  Shape output = first;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const std::optional<Shape> next = InputShape(graph, node, i);
    if (!next.has_value()) return Unknown();
    std::optional<Shape> both = Broadcast(output, *next);
    if (!both.has_value()) return DoNotFit(node, output, *next);
    output = *std::move(both);
  }
  return Known(std::move(output));
}

Evaluated EvaluateArithmetic(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& a = *graph.ConstantInput(node, 0);
  const Tensor& b = *graph.ConstantInput(node, 1);
  if (a.data.index() != b.data.index()) {
    return NodeError(node, "its inputs are numbers of different types; export the model again");
  }
  const std::vector<int64_t>* divisors = ConstantInts(graph, node, 1);
  if (node.op == OpKind::kDiv && divisors != nullptr &&
      std::find(divisors->begin(), divisors->end(), 0) != divisors->end()) {
    return NodeError(node, "it divides by zero; export the model again");
  }
  Tensor output = Rearranged(a, shape, {0, BroadcastStrides(a.shape, shape)});
  const Tensor right = Rearranged(b, shape, {0, BroadcastStrides(b.shape, shape)});
  std::visit(
      [&](auto& values) {
        const auto& other = std::get<std::decay_t<decltype(values)>>(right.data);
        for (size_t i = 0; i < values.size(); ++i) {
          values[i] = Compute(node.op.kind(), values[i], other[i]);
        }
      },
      output.data);
  return Done(std::move(output));
}

bool FollowPerChannel(Views& views, const Node& node) {
  const size_t activation = views.IsActivation(node.inputs[0]) ? 0 : 1;
  if (node.inputs.size() != 2 || !views.IsActivation(node.inputs[activation])) return false;
  const View* found = views.ViewOf(node.inputs[activation]);
  const std::vector<float>* constant = ConstantFloats(views.graph(), node, 1 - activation);
  const Shape shape = views.ShapeOf(node.inputs[activation]);
  if (found == nullptr || constant == nullptr || views.ShapeOf(node.outputs[0]) != shape) {
    return false;
  }
  View view = *found;
  const Shape base = views.ShapeOf(view.base);
  const Shape& of_constant = views.graph().ConstantInput(node, 1 - activation)->shape;
  // For each element, the number that it is combined with.
  const std::vector<float> numbers =
      ReadBox(*constant, shape, {0, BroadcastStrides(of_constant, shape)});
  const bool scales = node.op == OpKind::kMul || node.op == OpKind::kDiv;
  const float neutral = scales ? 1.0F : 0.0F;
  Shape of_numbers = PerChannelShape(base);
  std::optional<std::vector<float>> moved =
      NumbersOfBase(view, numbers, ElementCount(base) / base[1], base[1], neutral);
  // AddMaps() adds a number of its own to each position.
  if (!moved.has_value() && !scales && base.size() == 4) {
    of_numbers = base;
    moved = NumbersOfBase(view, numbers, 1, ElementCount(base), neutral);
  }
  if (!moved.has_value()) return false;
  const ValueId id = AddFloats(views.graph(), views.graph().value(node.inputs[1 - activation]).name,
                               std::move(of_numbers), *std::move(moved));
  std::vector<ValueId> inputs = {view.base, id};
  if (activation == 1) std::swap(inputs[0], inputs[1]);
  view.base = views.Emit(node, std::move(inputs), base);
  return views.Set(node, std::move(view));
}

constinit const Operator kSubOperator = {
    .versions = kArithmeticVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferArithmetic,
    .evaluate = EvaluateArithmetic,
    .follow = FollowPerChannel,
    .reorder_weights = Absent::kNoWeights,
    .check = kNotASum,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kMulOperator = {
    .versions = kArithmeticVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferArithmetic,
    .evaluate = EvaluateArithmetic,
    .follow = FollowPerChannel,
    .reorder_weights = Absent::kNoWeights,
    .check = kNotASum,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kDivOperator = {
    .versions = kArithmeticVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferArithmetic,
    .evaluate = EvaluateArithmetic,
    .follow = FollowPerChannel,
    .reorder_weights = Absent::kNoWeights,
    .check = kNotASum,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
