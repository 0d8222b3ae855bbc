// Quantize, which FoldQuantization() makes: a value rounded to a multiple of its step.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/rectifier.h"

namespace cssrun::converter {
namespace {

std::optional<Problem> CheckQuantize(const Graph&, const Node& node, const Maps&) {
  if (node.Float("step", 0) > 0 && node.Int("low", 0) < node.Int("high", 0) &&
      node.Int("high", 0) > 0) {
    return std::nullopt;
  }
  return Problem{"it leaves no value above zero", "quantize the model again"};
}

std::vector<Elementwise> QuantizeSteps(const Graph&, const Node& node) {
  const float step = node.Float("step", 1);
  const auto low = static_cast<float>(node.Int("low", 0));
  const auto high = static_cast<float>(node.Int("high", 0));
  // Two linear ones after another primitive share one factor in oneDNN 2.6, so the second is the
  // scale of the clip.
  return {{dnnl::algorithm::eltwise_linear, 1 / step, 0},
          {dnnl::algorithm::eltwise_round, 0, 0},
          {dnnl::algorithm::eltwise_clip, low, high, step}};
}

// So many integers hardly change an 8-bit image, so that its spikes need not be rounded; fewer take
// neurons.
constexpr int64_t kWholeImage = 254;

// max(quantize(x)) = quantize(max(x)), so that pooled neurons quantize themselves.
Status LowerQuantize(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0];
  const int64_t low = node.Int("low", 0);
  const int64_t high = node.Int("high", 0);
  const SpikingNode::Grid grid{static_cast<double>(node.Float("step", 0)), low, high};
  if (input == lowering.graph().input && high - low >= kWholeImage) {
    lowering.NodeAt(0).grid = grid;
    lowering.SetForm(node, lowering.FormOf(input));
    return Status::Ok();
  }
  SpikingNode* neurons = lowering.OwnNeurons(input);
  if (neurons != nullptr && !neurons->cap.has_value()) {
    lowering.SetForm(node, lowering.FormOf(input));
  } else {
    lowering.SetForm(node, lowering.MakeNeurons(lowering.FormOf(input), node.outputs[0], false));
    neurons = &lowering.LastNode();
  }
  const int64_t most = std::max(std::abs(low), std::abs(high));
  neurons->rectify = neurons->rectify || low >= 0;
  neurons->cap = static_cast<float>(most) * node.Float("step", 0);
  neurons->grid = grid;
  neurons->value = node.outputs[0];
  return Status::Ok();
}

}  // namespace

constinit const Operator kQuantizeOperator = {
    .versions = NotInOnnx{"FoldQuantization()"},
    .elements = ElementRule::kComputed,
    .map = MapRule::kInput,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = FollowElementwise,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckQuantize,
    .dense = DenseRectifier{QuantizeSteps},
    .lower = LowerQuantize,
};

}  // namespace cssrun::converter
