// BatchNormalization, which FoldAffine() folds into the weights around it.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kBatchNormalizationVersions[] = {
    {7, "spatial: 0 normalizes each element by itself"},
    {9, "no attribute spatial"},
    {14, "training_mode, and two outputs"},
    {15, "mean and variance of another type"},
};

constexpr const char* kEvaluationMode = "export in inference mode (model.eval())";

// One number per channel. Before opset 9, spatial = 0 asked for one per element of an image.
Shape Expected(const Node& node, const Shape& input) {
  if (node.Int("spatial", 1) != 0) return {input[1]};
  return {input.begin() + 1, input.end()};
}

Inferred InferBatchNormalization(const Graph& graph, const Node& node, const Shape& input) {
  for (size_t i = 1; i < 5; ++i) {
    const std::optional<Shape> parameter = InputShape(graph, node, i);
    if (!parameter.has_value()) continue;
    if (input.size() < 2 || *parameter != Expected(node, input)) {
      return NodeError(node, "parameters " + ToString(*parameter) + " do not fit its input " +
                                 ToString(input) + "; export the model again");
    }
  }
  return Known(input);
}

// The number of a parameter for each channel of a view's base; nothing when a channel would need
// several.
std::optional<std::vector<float>> OfBase(const View& view, const Shape& shape, const Shape& base,
                                         const std::vector<float>& parameter, float fallback) {
  const int64_t positions = ElementCount(base) / base[1];
  const int64_t inner = ElementCount(shape) / (shape[0] * shape[1]);
  std::vector<float> numbers(static_cast<size_t>(base[1]), fallback);
  std::vector<bool> known(numbers.size(), false);
  for (size_t i = 0; i < view.elements.size(); ++i) {
    const auto channel = static_cast<size_t>(view.elements[i] / positions);
    const float number = parameter[static_cast<size_t>(static_cast<int64_t>(i) / inner % shape[1])];
    if (known[channel] && numbers[channel] != number) return std::nullopt;
    numbers[channel] = number;
    known[channel] = true;
  }
  return numbers;
}

// Normalizes the view's base: its channels may be moved, or have another rank.
bool FollowBatchNormalization(Views& views, const Node& node) {
  const View* found = views.ViewOf(node.inputs[0]);
  const Shape shape = views.ShapeOf(node.inputs[0]);
  if (found == nullptr || node.inputs.size() != 5 || shape.size() < 2) return false;
  View view = *found;
  const Shape base = views.ShapeOf(view.base);
  constexpr float kFallback[] = {1, 0, 0, 1};  // channels that the view leaves out
  std::vector<ValueId> inputs = {view.base};
  for (size_t i = 1; i < 5; ++i) {
    const std::vector<float>* given = ConstantFloats(views.graph(), node, i);
    if (given == nullptr || static_cast<int64_t>(given->size()) != shape[1]) return false;
    std::optional<std::vector<float>> numbers = OfBase(view, shape, base, *given, kFallback[i - 1]);
    if (!numbers.has_value()) return false;
    inputs.push_back(AddFloats(views.graph(), views.graph().value(node.inputs[i]).name, {base[1]},
                               *std::move(numbers)));
  }
  view.base = views.Emit(node, std::move(inputs), base);
  return views.Set(node, std::move(view));
}

Problem RefuseBatchNormalization(const Graph& graph, const Node& node) {
  for (size_t i = 1; i < 5; ++i) {
    if (ConstantFloats(graph, node, i) == nullptr) {
      return Problem{"its parameters are not constant", kEvaluationMode};
    }
  }
  if (node.Int("training_mode", 0) != 0) return Problem{"it is in training mode", kEvaluationMode};
  if (node.Int("spatial", 1) == 0) {
    return Problem{"it normalizes each position by itself (spatial = 0)",
                   "train with one mean and variance per channel"};
  }
  return Problem{"it does not normalize the channels of a map or vector",
                 "normalize [batch, channels, ...]"};
}

}  // namespace

constinit const Operator kBatchNormalizationOperator = {
    .versions = kBatchNormalizationVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferBatchNormalization,
    .evaluate = Absent::kNotInModels,
    .follow = FollowBatchNormalization,
    .reorder_weights = Absent::kNoWeights,
    .check = RefuseBatchNormalization,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
