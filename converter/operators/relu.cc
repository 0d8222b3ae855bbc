// Relu: rectifying neurons.
#include <optional>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/rectifier.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kReluVersions[] = {
    {6, "the oldest that any opset read here means"},
    {13, "bfloat16"},
    {14, "integers"},
};

std::optional<Problem> CheckRelu(const Graph&, const Node&, const Maps&) { return std::nullopt; }

std::vector<Elementwise> ReluSteps(const Graph&, const Node&) {
  return {{dnnl::algorithm::eltwise_relu, 0, 0}};
}

Status LowerRelu(Lowering& lowering, const Node& node) {
  Status status = LowerRectifier(lowering, node, std::nullopt);
  const Form& form = lowering.FormOf(node.outputs[0]);
  if (node.Int("half", 0) != 0) lowering.NodeAt(form.terms.front().source).half = true;
  return status;
}

}  // namespace

constinit const Operator kReluOperator = {
    .versions = kReluVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kInput,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = FollowElementwise,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckRelu,
    .dense = DenseRectifier{ReluSteps},
    .lower = LowerRelu,
};

}  // namespace cssrun::converter
