// Range of constants.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kRangeVersions[] = {
    {11, "the first"},
};

Inferred InferRange(const Graph& graph, const Node& node, const Shape&) {
  const std::vector<int64_t>* values[3];
  for (size_t i = 0; i < 3; ++i) {
    values[i] = ConstantInts(graph, node, i);
    if (values[i] == nullptr || values[i]->size() != 1) return Unknown();
  }
  const int64_t step = (*values[2])[0];
  int64_t distance = 0;
  if (step == 0 || step == std::numeric_limits<int64_t>::min() ||
      __builtin_sub_overflow((*values[1])[0], (*values[0])[0], &distance)) {
    return NodeError(node, "the range has no end; export the model again");
  }
  int64_t count = distance / step;
  if (distance % step != 0 && (distance > 0) == (step > 0)) ++count;
  return Known({std::max<int64_t>(count, 0)});
}

Evaluated EvaluateRange(const Graph& graph, const Node& node, const Shape& shape) {
  const int64_t start = (*ConstantInts(graph, node, 0))[0];
  const int64_t step = (*ConstantInts(graph, node, 2))[0];
  std::vector<int64_t> values(static_cast<size_t>(shape[0]));
  for (size_t i = 0; i < values.size(); ++i) values[i] = start + static_cast<int64_t>(i) * step;
  return Done({shape, std::move(values)});
}

}  // namespace

constinit const Operator kRangeOperator = {
    .versions = kRangeVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferRange,
    .evaluate = EvaluateRange,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
