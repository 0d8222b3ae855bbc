#include "converter/passes/fold_pads.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"
#include "converter/window.h"

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

// Whether a Conv or pool computes the same when the border that a Pad added to `map` becomes its
// own padding. `source` makes the map; null for the image.
Result<bool> CanTake(const Graph& graph, const Node& node, const std::vector<int64_t>& border,
                     const Node* source, const Shape& map) {
  if (node.op == OpKind::kConv) return true;
  if (map.size() != 4) return false;
  Result<Window> window = WindowOf(graph, node, graph.value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  Window& w = window.value();
  // The padded map was as large as the map with its border, so the number of positions stays.
  const bool unpadded =
      w.pad_before == std::array<int64_t, 2>{0, 0} && w.pad_after == std::array<int64_t, 2>{0, 0};
  const bool undilated = w.dilation == std::array<int64_t, 2>{1, 1};
  for (size_t axis = 0; axis < 2; ++axis) {
    w.pad_before[axis] += border[axis];
    if (!EveryPositionSeesTheMap(w, axis, map[axis + 2])) return false;
  }
  if (node.op == OpKind::kAveragePool) return node.Int("count_include_pad", 0) == 1;
  return unpadded && IsRectifier(graph, source) && undilated;
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
    const std::vector<int64_t> own = node.Ints("pads", {});
    Node* pad = sweep.Producer(node.inputs[0]);
    std::vector<int64_t> border = ZeroBorder(graph, pad);
    if (border.empty() || own.size() != 4 || !sweep.OnlyReader(node.inputs[0])) continue;
    const ValueId map = pad->inputs[0];
    const Result<bool> can_take =
        CanTake(graph, node, border, sweep.Producer(map), graph.value(map).shape);
    if (!can_take.ok()) return can_take.status();
    if (!can_take.value()) continue;
    for (size_t side = 0; side < 4; ++side) border[side] += own[side];
    SetAttribute(node, "pads", border);
    sweep.Replace(*pad, map);
    sweep.Visit(i);
  }
  sweep.Finish();
  return Status::Ok();
}

}  // namespace cssrun::converter
