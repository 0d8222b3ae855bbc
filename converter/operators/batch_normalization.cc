// BatchNormalization, which FoldAffine() folds into the weights around it.
#include <optional>
#include <string>

#include "converter/operator_attributes.h"
#include "converter/operators/channels.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kVersions[] = {
    {9, "no attribute spatial"},
    {14, "training_mode, and two outputs"},
    {15, "mean and variance of another type"},
};

Inferred InferBatchNormalization(const Graph& graph, const Node& node, const Shape& input) {
  for (size_t i = 1; i < 5; ++i) {
    const std::optional<Shape> parameter = InputShape(graph, node, i);
    if (!parameter.has_value()) continue;
    if (input.size() < 2 || *parameter != Shape{input[1]}) {
      return NodeError(node, "parameters " + ToString(*parameter) + " do not fit its input " +
                                 ToString(input) + "; export the model again");
    }
  }
  return Known(input);
}

}  // namespace

constinit const Operator kBatchNormalizationOperator = {
    .versions = kVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferBatchNormalization,
    .evaluate = Absent::kNotInModels,
    .follow = FollowPermutedChannels,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{"its parameters are not constant, or it does not normalize channels",
                     "export in inference mode (model.eval())"},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
