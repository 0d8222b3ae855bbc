// Sum, of which Normalize() makes Adds.
#include "converter/operators/arithmetic.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kSumVersions[] = {
    {6, "of equal shapes"},
    {8, "broadcasts as NumPy does"},
    {13, "bfloat16"},
};

}  // namespace

constinit const Operator kSumOperator = {
    .versions = kSumVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferBroadcast,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
