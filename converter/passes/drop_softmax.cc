#include "converter/passes/drop_softmax.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

// True when the classes compete along the only axis that has any.
bool SpansClasses(const Graph& graph, const Node& node, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  if (rank < 2 || ElementCount(shape) != shape[1]) return false;
  // Before version 13 everything from `axis` on was one axis.
  const OperatorVersion* version = VersionAt(node.op, graph.opset);
  const bool flattens = version != nullptr && version->since < 13;
  int64_t axis = node.Int("axis", flattens ? 1 : -1);
  if (axis < 0) axis += rank;
  return axis == 1 || (flattens && axis == 0);
}

}  // namespace

Status DropSoftmax(Graph& graph) {
  // The classes of one output have the same order without it; of several, the numbers matter.
  if (graph.outputs.size() != 1) return Status::Ok();
  // From the output backwards, through what only gives the vector another shape.
  ValueId* reader = &graph.outputs.front().value;
  const std::vector<int> uses = graph.CountUses();
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    Node& node = graph.nodes[i];
    if (node.outputs.empty() || node.outputs[0] != *reader) continue;
    if (uses[static_cast<size_t>(*reader)] != 1) break;
    if (OperatorOf(node.op).elements == ElementRule::kReshaped) {
      reader = node.inputs.data();
      continue;
    }
    if ((node.op != OpKind::kSoftmax && node.op != OpKind::kLogSoftmax) ||
        !SpansClasses(graph, node, graph.value(node.inputs[0]).shape)) {
      break;
    }
    *reader = node.inputs[0];
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  return Status::Ok();
}

}  // namespace cssrun::converter
