// Split, of which ReplaceSplits() makes Slices and infers the shapes of all outputs.
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kSplitVersions[] = {
    {2, "lengths are the attribute split"},
    {11, "a negative axis"},
    {13, "lengths are input 1"},
    {18, "num_outputs, of which the last one may be shorter"},
};

}  // namespace

constinit const Operator kSplitOperator = {
    .versions = kSplitVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = Absent::kRewritten,
    .evaluate = Absent::kRewritten,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
