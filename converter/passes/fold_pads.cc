#include "converter/passes/fold_pads.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// Rows and columns that a Pad adds, as a window's pads; empty when it does anything else.
std::vector<int64_t> ZeroBorder(const Graph& graph, const Node* node) {
  if (node == nullptr || node->op != OpKind::kPad) return {};
  const std::vector<int64_t>* pads = ConstantInts(graph, *node, 1);
  if (pads == nullptr || pads->size() != 8 || node->inputs.size() != 2 ||
      node->String("mode", "constant") != "constant" || (*pads)[0] != 0 || (*pads)[1] != 0 ||
      (*pads)[4] != 0 || (*pads)[5] != 0 || *std::min_element(pads->begin(), pads->end()) < 0) {
    return {};
  }
  return {(*pads)[2], (*pads)[3], (*pads)[6], (*pads)[7]};
}

bool AllZero(const std::vector<int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](int64_t v) { return v == 0; });
}

// Every window sees a pixel of the map itself.
bool SeesTheMap(const Node& pool, const std::vector<int64_t>& pads, const Shape& map) {
  const std::vector<int64_t> kernel = pool.Ints("kernel_shape", {1, 1});
  const std::vector<int64_t> strides = pool.Ints("strides", {1, 1});
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t room = map[axis + 2] + pads[axis] + pads[axis + 2] - kernel[axis];
    const int64_t last = room / strides[axis] * strides[axis] - pads[axis];
    if (pads[axis] >= kernel[axis] || last >= map[axis + 2]) return false;
  }
  return true;
}

bool CanTake(const Graph& graph, const Node& node, const std::vector<int64_t>& own,
             const std::vector<int64_t>& border, const Node* source, const Shape& map) {
  if (node.op == OpKind::kConv) return true;
  if (!SeesTheMap(node, border, map)) return false;
  if (node.op == OpKind::kAveragePool) return node.Int("count_include_pad", 0) == 1;
  return AllZero(own) && IsRectifier(graph, source) &&
         node.Ints("dilations", {1, 1}) == std::vector<int64_t>{1, 1};
}

}  // namespace

Status FoldPads(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    if ((node.op != OpKind::kConv && node.op != OpKind::kAveragePool &&
         node.op != OpKind::kMaxPool)) {
      continue;
    }
    std::vector<int64_t> own = node.Ints("pads", {});
    Node* pad = sweep.Producer(node.inputs[0]);
    std::vector<int64_t> border = ZeroBorder(graph, pad);
    if (border.empty() || own.size() != 4 || !sweep.OnlyReader(node.inputs[0])) continue;
    for (size_t side = 0; side < 4; ++side) border[side] += own[side];
    const ValueId map = pad->inputs[0];
    if (!CanTake(graph, node, own, border, sweep.Producer(map), graph.value(map).shape)) continue;
    SetAttribute(node, "pads", border);
    sweep.Replace(*pad, map);
    sweep.Visit(i);
  }
  sweep.Finish();
  return Status::Ok();
}

}  // namespace cssrun::converter
