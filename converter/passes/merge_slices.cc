#include "converter/passes/merge_slices.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/normalize.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// The ranges of a Slice that only goes forwards and keeps something; empty otherwise.
Result<std::vector<AxisRange>> ForwardRanges(const Graph& graph, const Node* node) {
  if (node == nullptr || node->op != OpKind::kSlice) {
    return std::vector<AxisRange>();
  }
  Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, *node);
  if (!ranges.ok()) return ranges.status();
  if (!ranges.value().has_value()) return std::vector<AxisRange>();
  const bool forward = std::all_of(ranges.value()->begin(), ranges.value()->end(),
                                   [](const AxisRange& r) { return r.step > 0 && r.count > 0; });
  return forward ? *ranges.value() : std::vector<AxisRange>();
}

}  // namespace

Status MergeSlices(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    Result<std::vector<AxisRange>> outer = ForwardRanges(graph, &node);
    if (!outer.ok()) return outer.status();
    if (outer.value().empty() || !sweep.OnlyReader(node.inputs[0])) continue;
    Node* before = sweep.Producer(node.inputs[0]);
    Result<std::vector<AxisRange>> inner = ForwardRanges(graph, before);
    if (!inner.ok()) return inner.status();
    if (inner.value().empty()) continue;
    std::vector<AxisRange> merged;
    for (size_t axis = 0; axis < outer.value().size(); ++axis) {
      const AxisRange& o = outer.value()[axis];
      const AxisRange& in = inner.value()[axis];
      // A step that no second position uses may be larger than any axis.
      const int64_t step = o.count > 1 ? o.step * in.step : 1;
      merged.push_back({in.start + o.start * in.step, step, o.count});
    }
    sweep.Replace(*before, before->inputs[0]);
    sweep.Visit(i);
    SetSlice(graph, merged, node);
  }
  sweep.Finish();
  return Status::Ok();
}

}  // namespace cssrun::converter
