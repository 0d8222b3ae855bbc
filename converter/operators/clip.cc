// Clip(0, max): rectifying neurons whose trains carry at most max.
#include <optional>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/rectifier.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kClipVersions[] = {
    {6, "bounds are the attributes min and max"},
    {11, "bounds are inputs 1 and 2"},
    {12, "integers"},
    {13, "bfloat16"},
};

std::optional<Problem> CheckClip(const Graph& graph, const Node& node, const Maps&) {
  const std::optional<ClipBounds> bounds = ClipBoundsOf(graph, node);
  if (bounds.has_value() && node.inputs.size() == 3 && bounds->low == 0 && bounds->high > 0) {
    return std::nullopt;
  }
  return Problem{"only Clip(0, max) with constant bounds is a neuron", "train with ReLU or ReLU6"};
}

// The lower bound is 0: CheckClip() saw to it.
std::vector<Elementwise> ClipSteps(const Graph& graph, const Node& node) {
  return {
      {dnnl::algorithm::eltwise_clip, 0, ClipBoundsOf(graph, node).value_or(ClipBounds()).high}};
}

Status LowerClip(Lowering& lowering, const Node& node) {
  const std::optional<ClipBounds> bounds = ClipBoundsOf(lowering.graph(), node);
  return LowerRectifier(lowering, node, bounds->high);
}

}  // namespace

constinit const Operator kClipOperator = {
    .versions = kClipVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kInput,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = FollowElementwise,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckClip,
    .dense = DenseRectifier{ClipSteps},
    .lower = LowerClip,
};

}  // namespace cssrun::converter
