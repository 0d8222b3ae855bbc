// Relu: rectifying neurons.
#include <optional>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/rectifier.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kVersions[] = {
    {6, "the oldest that any opset read here means"},
    {13, "bfloat16"},
    {14, "integers"},
};

std::optional<Problem> CheckRelu(const Graph&, const Node&, const Maps&) { return std::nullopt; }

std::vector<Elementwise> ReluSteps(const Graph&, const Node&) {
  return {{dnnl::algorithm::eltwise_relu, 0, 0}};
}

Status LowerRelu(Lowering& lowering, const Node& node) {
  return LowerRectifier(lowering, node, std::nullopt);
}

}  // namespace

constinit const Operator kReluOperator = {
    .versions = kVersions,
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
