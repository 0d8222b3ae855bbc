// Softmax and LogSoftmax, which DropEnding() drops at the end of a network.
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kSoftmaxVersions[] = {
    {1, "everything from axis on, 1 by default, is one axis"},
    {11, "a negative axis"},
    {13, "one axis, the last by default"},
};

constexpr Refused kInside = {"a softmax inside of the network needs all values at once",
                             "remove it; at the very end it is dropped by itself", true};

}  // namespace

constinit const Operator kSoftmaxOperator = {
    .versions = kSoftmaxVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kInside,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kLogSoftmaxOperator = {
    .versions = kSoftmaxVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kInside,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
