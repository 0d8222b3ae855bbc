// Identity and Dropout, which change nothing when a network is run.
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kIdentityVersions[] = {
    {1, "the oldest that any opset read here means"},
    {13, "bfloat16"},
    {14, "sequences"},
    {16, "optional values"},
    {19, "floats of 8 bits"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

constexpr OperatorVersion kDropoutVersions[] = {
    {7, "no attribute is_test"},
    {10, "a mask of booleans"},
    {12, "ratio and training_mode are inputs"},
    {13, "bfloat16"},
    {22, "floats of 8 bits"},
};

Evaluated EvaluateIdentity(const Graph& graph, const Node& node, const Shape&) {
  return Done(*graph.ConstantInput(node, 0));
}

}  // namespace

// RemoveIdentities() removes both; a Dropout stays where its mask is read.
constinit const Operator kIdentityOperator = {
    .versions = kIdentityVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = EvaluateIdentity,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kDropoutOperator = {
    .versions = kDropoutVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = EvaluateIdentity,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{"it drops at random (training_mode), or its mask is read",
                     "export in inference mode (model.eval())", true},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
