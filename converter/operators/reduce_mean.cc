// ReduceMean over rows and columns, which Normalize() makes a GlobalAveragePool.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kVersions[] = {
    {1, "axes are an attribute"},
    {11, "negative axes"},
    {13, "bfloat16"},
};

Inferred InferReduceMean(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<std::vector<int64_t>> given = AxesOf(graph, node);
  if (!given.has_value()) return Unknown();
  Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, input.size());
  if (!axes.ok()) return axes.status();
  const bool keeps = node.Int("keepdims", 1) != 0;
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool reduced = given->empty() || std::find(axes.value().begin(), axes.value().end(), i) !=
                                               axes.value().end();
    if (!reduced) output.push_back(input[i]);
    if (reduced && keeps) output.push_back(1);
  }
  return Known(std::move(output));
}

// A mean over rows and columns that do not stand at the end.
bool FollowReduceMean(Views& views, const Node& node) {
  const View* found = views.ViewOf(node.inputs[0]);
  if (found == nullptr) return false;
  const View& view = *found;
  const std::optional<std::vector<int64_t>> axes = AxesOf(views.graph(), node);
  const Shape shape = views.ShapeOf(node.inputs[0]);
  if (!axes.has_value() || !views.IsChannelsLast(view, shape)) return false;
  Result<std::vector<size_t>> normalized = NormalizeAxes(node, *axes, 4);
  if (!normalized.ok()) return false;
  std::sort(normalized.value().begin(), normalized.value().end());
  if (normalized.value() != std::vector<size_t>{1, 2}) return false;
  Node mean = node;
  mean.op = OpKind::kGlobalAveragePool;
  mean.attributes.clear();
  const ValueId pooled = views.Emit(std::move(mean), {view.base}, {1, shape[3], 1, 1});
  return views.Set(node, View{pooled, Iota(shape[3])});
}

}  // namespace

constinit const Operator kReduceMeanOperator = {
    .versions = kVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferReduceMean,
    .evaluate = Absent::kNotInModels,
    .follow = FollowReduceMean,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
