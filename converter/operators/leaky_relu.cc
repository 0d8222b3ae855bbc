// LeakyRelu and PRelu, which SplitLeakyRelus() makes two rectified halves of.
#include <optional>
#include <string>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/arithmetic.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/rectifier.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kLeakyVersions[] = {
    {6, "the oldest that any opset read here means"},
    {16, "bfloat16"},
};

constexpr OperatorVersion kPReluVersions[] = {
    {7, "the slopes broadcast to the input"},
    {9, "integers"},
    {16, "bfloat16"},
};

// Of what SplitLeakyRelus() has left.
Problem RefuseLeaky(const Graph& graph, const Node& node) {
  if (node.op == OpKind::kPRelu && ConstantFloats(graph, node, 1) == nullptr) {
    return {"its slopes are not constant", "export with constant weights"};
  }
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value())
    return {"its input's shape is not known", "export with a fixed image size"};
  const Tensor* slopes = graph.ConstantInput(node, 1);
  if (slopes == nullptr || NumberPerChannel(*slopes, *input).has_value()) {
    if (input->size() == 2 && slopes != nullptr && slopes->floats().size() > 1) {
      return {"its slopes differ from position to position of a flattened map",
              "put it before the Flatten, with a slope for each channel"};
    }
    return {"its slope is not a finite number", "train again"};
  }
  // Some exporters write slopes of channels as if these were the last axis.
  const Shape channels = {input->size() > 1 ? (*input)[1] : 0};
  if (slopes->shape == channels && Broadcast(slopes->shape, *input) != *input) {
    return {"its slopes " + ToString(slopes->shape) + " do not fit its input " + ToString(*input),
            "store them as " + ToString({channels[0], 1, 1})};
  }
  return {"its slopes " + ToString(slopes->shape) + " differ from position to position",
          "train with a slope for each channel (Keras: PReLU(shared_axes=[1, 2]))"};
}

}  // namespace

constinit const Operator kLeakyReluOperator = {
    .versions = kLeakyVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = FollowElementwise,
    .reorder_weights = Absent::kNoWeights,
    .check = RefuseLeaky,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kPReluOperator = {
    .versions = kPReluVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = FollowPerChannel,
    .reorder_weights = Absent::kNoWeights,
    .check = RefuseLeaky,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
