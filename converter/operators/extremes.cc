// Max and Min, of which MergeLimits() and Normalize() make Clips where all inputs but one are
// constant numbers, and ReplaceFunctions() sums of rectified differences elsewhere.
#include "converter/operators/arithmetic.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kExtremesVersions[] = {
    {6, "of equal shapes"},
    {8, "broadcasts as NumPy does"},
    {12, "integers"},
    {13, "bfloat16"},
};

constexpr Refused kNotALimit = {"it compares values of different shapes, or several constants",
                                "compare two values of the same shape"};

}  // namespace

constinit const Operator kMaxOperator = {
    .versions = kExtremesVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferBroadcast,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kNotALimit,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kMinOperator = {
    .versions = kExtremesVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferBroadcast,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kNotALimit,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
