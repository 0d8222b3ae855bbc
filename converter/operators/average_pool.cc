// AveragePool and GlobalAveragePool: means re-address synapses and cost no neurons.
#include <algorithm>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operators/operator.h"
#include "converter/operators/pool.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kAveragePoolVersions[] = {
    {7, "count_include_pad"}, {10, "ceil_mode"}, {11, "strides default to 1"},
    {19, "dilations"},        {22, "bfloat16"},
};

constexpr OperatorVersion kGlobalVersions[] = {
    {1, "the oldest that any opset read here means"},
    {22, "bfloat16"},
};

Status AddAveragePool(DenseBuilder& builder, const Node& node) {
  const Graph& graph = builder.graph();
  Result<Window> window = WindowOf(graph, node, graph.value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  const bool counts_padding = node.Int("count_include_pad", 1) != 0;
  return AddPool(builder, node,
                 counts_padding ? dnnl::algorithm::pooling_avg_include_padding
                                : dnnl::algorithm::pooling_avg_exclude_padding,
                 window.value());
}

Status AddGlobalAveragePool(DenseBuilder& builder, const Node& node) {
  return AddPool(builder, node, dnnl::algorithm::pooling_avg_include_padding,
                 WholeMap(builder.graph().value(node.inputs[0]).shape));
}

// Sensible windows have fewer regions; the limit keeps a hostile file from filling the memory.
constexpr size_t kMostRegions = 4096;

// The mean where all windows have equally many members.
Status LowerAverage(Lowering& lowering, const Node& node, const format::Window& window) {
  const bool padded = HasPadding(window);
  const Form& input = lowering.Fitting(node.inputs[0], [&](const Form& form) {
    return !(padded && form.HasBias()) && form.AllTerms(IsPlain);
  });
  Form output = input;
  output.name = node.name;
  output.extent = Through(window, input.extent, input.extent.channels());
  for (SpikingSynapses& term : output.terms) {
    term.average = window;
    term.scale /= static_cast<double>(window.kernel_y()) * window.kernel_x();
  }
  lowering.SetForm(node, std::move(output));
  return Status::Ok();
}

// The mean over the members that exist, which are fewer at the border. Positions whose windows have
// equally many members form a region, and each region gets its own synapses:
//
//     kernel 3, stride 1, padding 1, width 5     A b b b A     A: 4 members, b and c: 6, D: 9
//                                                c D D D c     (the first rows; each corner A is a
//                                                region)
Status LowerBorderedAverage(Lowering& lowering, const Node& node, const format::Window& window) {
  const Form& input =
      lowering.Fitting(node.inputs[0], [](const Form& form) { return form.AllTerms(IsPlain); });
  Form output;
  output.name = node.name;
  output.extent = Through(window, input.extent, input.extent.channels());
  output.bias = input.bias;
  const int64_t height = input.extent.height();
  const int64_t width = input.extent.width();
  const std::vector<EqualWindows> rows =
      FindEqualWindows(RowsOf(window), height, output.extent.height());
  const std::vector<EqualWindows> columns =
      FindEqualWindows(ColumnsOf(window), width, output.extent.width());
  if (rows.size() * columns.size() * input.terms.size() > kMostRegions) {
    return Status::BadModel("node " + node.name +
                            ": its windows at the border have too many different sizes; train "
                            "with a smaller window or without padding");
  }
  for (const SpikingSynapses& term : input.terms) {
    for (const EqualWindows& y : rows) {
      for (const EqualWindows& x : columns) {
        const int64_t top = window.pad_top() - y.first * window.stride_y();
        const int64_t left = window.pad_left() - x.first * window.stride_x();
        SpikingSynapses region = term;
        // The mean's window, starting at the region's first position.
        format::Window mean(window.kernel_y(), window.kernel_x(), window.stride_y(),
                            window.stride_x(), static_cast<int32_t>(top),
                            static_cast<int32_t>(left), 0, 0, 1, 1);
        mean.mutate_pad_bottom(PadAfter(RowsOf(mean), height, y.count));
        mean.mutate_pad_right(PadAfter(ColumnsOf(mean), width, x.count));
        region.average = mean;
        region.window =
            format::Window(1, 1, 1, 1, static_cast<int32_t>(y.first), static_cast<int32_t>(x.first),
                           static_cast<int32_t>(output.extent.height() - y.first - y.count),
                           static_cast<int32_t>(output.extent.width() - x.first - x.count), 1, 1);
        region.scale /= static_cast<double>(y.members * x.members);
        output.terms.push_back(std::move(region));
      }
    }
  }
  lowering.SetForm(node, std::move(output));
  return Status::Ok();
}

Status LowerAveragePool(Lowering& lowering, const Node& node) {
  const Graph& graph = lowering.graph();
  Result<Window> window = WindowOf(graph, node, graph.value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  const format::Window stored = StoredWindow(window.value());
  // Normalize() has set it: 0 where windows at the border have fewer members.
  if (node.Int("count_include_pad", 1) == 0) return LowerBorderedAverage(lowering, node, stored);
  return LowerAverage(lowering, node, stored);
}

Status LowerGlobalAveragePool(Lowering& lowering, const Node& node) {
  return LowerAverage(lowering, node, WholeForm(lowering.FormOf(node.inputs[0]).extent));
}

}  // namespace

constinit const Operator kAveragePoolOperator = {
    .versions = kAveragePoolVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferPool,
    .evaluate = Absent::kNotInModels,
    .follow = FollowPool,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckPool,
    .dense = DenseAlone{AddAveragePool},
    .lower = LowerAveragePool,
};

constinit const Operator kGlobalAveragePoolOperator = {
    .versions = kGlobalVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferGlobalPool,
    .evaluate = Absent::kNotInModels,
    .follow = FollowPool,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckGlobalPool,
    .dense = DenseAlone{AddGlobalAveragePool},
    .lower = LowerGlobalAveragePool,
};

}  // namespace cssrun::converter
