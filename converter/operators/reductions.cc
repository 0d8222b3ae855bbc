// ReduceMean and ReduceMax over rows, columns or both, which become pools; ReduceSum, of which
// ReplaceFunctions() makes a mean.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/strides.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kReduceMeanVersions[] = {
    {1, "axes are an attribute"},
    {11, "negative axes"},
    {13, "bfloat16"},
    {18, "axes are input 1; noop_with_empty_axes"},
};

constexpr OperatorVersion kReduceMaxVersions[] = {
    {1, "axes are an attribute"},
    {11, "negative axes"},
    {12, "integers of 8 bits"},
    {13, "bfloat16"},
    {18, "axes are input 1; noop_with_empty_axes"},
    {20, "truth values"},
};

constexpr OperatorVersion kReduceSumVersions[] = {
    {1, "axes are an attribute"},
    {11, "negative axes"},
    {13, "axes are input 1; noop_with_empty_axes"},
};

Inferred InferReduction(const Graph& graph, const Node& node, const Shape& input) {
  Result<std::optional<std::vector<size_t>>> axes = ReducedAxes(graph, node, input.size());
  if (!axes.ok()) return axes.status();
  if (!axes.value().has_value()) return Unknown();
  const bool keeps = node.Int("keepdims", 1) != 0;
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool reduced = std::binary_search(axes.value()->begin(), axes.value()->end(), i);
    if (!reduced) output.push_back(input[i]);
    if (reduced && keeps) output.push_back(1);
  }
  return Known(std::move(output));
}

// The elements of a view's base that each output of the reduction reads.
std::vector<Elements> MembersOf(const View& view, const Shape& from,
                                const std::vector<size_t>& axes) {
  Shape kept = from;
  for (const size_t axis : axes) kept[axis] = 1;
  // For each element of the input, the output that it is a member of.
  const Elements outputs =
      ReadBox(Iota(ElementCount(kept)), from, {0, BroadcastStrides(kept, from)});
  std::vector<Elements> members(static_cast<size_t>(ElementCount(kept)));
  for (size_t i = 0; i < outputs.size(); ++i) {
    members[static_cast<size_t>(outputs[i])].push_back(view.elements[i]);
  }
  return members;
}

// The elements of a map pooled by windows of this kernel, of which each pools one group of
// `groups`; nothing when a group is no such window.
std::optional<Elements> AsWindows(std::vector<Elements> groups, const Shape& base,
                                  std::array<int64_t, 2> kernel) {
  const Shape pooled = {base[1], base[2] / kernel[0], base[3] / kernel[1]};
  Elements outputs;
  for (Elements& group : groups) {
    if (static_cast<int64_t>(group.size()) != kernel[0] * kernel[1]) return std::nullopt;
    std::sort(group.begin(), group.end());
    const int64_t channel = group[0] / (base[2] * base[3]);
    const int64_t row = group[0] / base[3] % base[2];
    const int64_t column = group[0] % base[3];
    if (row % kernel[0] != 0 || column % kernel[1] != 0) return std::nullopt;
    const int64_t window = kernel[0] * kernel[1];
    for (int64_t i = 0; i < window; ++i) {
      const int64_t offset = i / kernel[1] * base[3] + i % kernel[1];
      if (group[static_cast<size_t>(i)] != group[0] + offset) return std::nullopt;
    }
    outputs.push_back((channel * pooled[1] + row / kernel[0]) * pooled[2] + column / kernel[1]);
  }
  return outputs;
}

// A reduction over all rows, all columns or both of a map, wherever its view has them.
bool FollowReduction(Views& views, const Node& node) {
  const std::optional<View> view = views.Look(node.inputs[0]);
  if (!view.has_value()) return false;
  const Shape shape = views.ShapeOf(node.inputs[0]);
  const Result<std::optional<std::vector<size_t>>> axes =
      ReducedAxes(views.graph(), node, shape.size());
  if (!axes.ok() || !axes.value().has_value()) return false;
  const std::vector<Elements> groups = MembersOf(*view, shape, *axes.value());
  if (groups[0].size() == 1) {
    Elements same;
    for (const Elements& group : groups) same.push_back(group[0]);
    return views.Set(node, View{view->base, std::move(same)});
  }
  const Shape base = views.ShapeOf(view->base);
  if (base.size() != 4) return false;
  const std::array<int64_t, 2> kernels[] = {{base[2], base[3]}, {1, base[3]}, {base[2], 1}};
  for (const auto& kernel : kernels) {
    std::optional<Elements> pooled = AsWindows(groups, base, kernel);
    if (!pooled.has_value()) continue;
    const bool is_mean = node.op == OpKind::kReduceMean;
    Node pool{is_mean ? OpKind::kAveragePool : OpKind::kMaxPool, node.name, {}, node.outputs, {}};
    pool.attributes = {{"kernel_shape", std::vector<int64_t>{kernel[0], kernel[1]}},
                       {"strides", std::vector<int64_t>{kernel[0], kernel[1]}},
                       {"dilations", std::vector<int64_t>{1, 1}},
                       {"pads", std::vector<int64_t>{0, 0, 0, 0}}};
    if (is_mean && kernel == kernels[0]) {
      pool.op = OpKind::kGlobalAveragePool;
      pool.attributes.clear();
    } else if (is_mean) {
      pool.attributes.push_back({"count_include_pad", int64_t{1}});
    }
    const ValueId result = views.Emit(std::move(pool), {view->base},
                                      {1, base[1], base[2] / kernel[0], base[3] / kernel[1]});
    return views.Set(node, View{result, *std::move(pooled)});
  }
  return false;
}

}  // namespace

constinit const Operator kReduceMaxOperator = {
    .versions = kReduceMaxVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferReduction,
    .evaluate = Absent::kNotInModels,
    .follow = FollowReduction,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{"it takes the maximum over other axes than the rows and columns of a map",
                     "take the maximum over axes 2 and 3"},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kReduceMeanOperator = {
    .versions = kReduceMeanVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferReduction,
    .evaluate = Absent::kNotInModels,
    .follow = FollowReduction,
    .reorder_weights = Absent::kNoWeights,
    .check =
        Refused{"it takes the mean or the sum over other axes than the rows and columns of a map",
                "take the mean over axes 2 and 3"},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kReduceSumOperator = {
    .versions = kReduceSumVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferReduction,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{"its axes are not constant", kExportAgain},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
