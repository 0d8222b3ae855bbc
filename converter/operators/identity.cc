// Identity and Dropout, which change nothing when a network is run.
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kVersions[] = {
    {1, "the oldest that any opset read here means"},
    {13, "bfloat16"},
    {14, "sequences"},
    {16, "optional values"},
};

constexpr OperatorVersion kDropoutVersions[] = {
    {7, "no attribute is_test"},
    {10, "a mask of booleans"},
    {12, "ratio and training_mode are inputs"},
    {13, "bfloat16"},
};

Evaluated EvaluateIdentity(const Graph& graph, const Node& node, const Shape&) {
  return Done(*graph.ConstantInput(node, 0));
}

}  // namespace

// RemoveIdentities() removes both; a Dropout stays where its mask is read.
constinit const Operator kIdentityOperator = {
    .versions = kVersions,
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
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
