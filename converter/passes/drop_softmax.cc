#include "converter/passes/drop_softmax.h"

#include <algorithm>
#include <cstdint>

namespace cssrun::converter {
namespace {

// True when the classes compete along the only axis that has any.
bool SpansClasses(const Graph& graph, const Node& node, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  if (rank < 2 || ElementCount(shape) != shape[1]) return false;
  // Before opset 13 everything from `axis` on was one axis.
  const bool flattens = graph.opset < 13;
  int64_t axis = node.Int("axis", flattens ? 1 : -1);
  if (axis < 0) axis += rank;
  return axis == 1 || (flattens && axis == 0);
}

}  // namespace

Status DropSoftmax(Graph& graph) {
  const auto last = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    return !node.outputs.empty() && node.outputs[0] == graph.output;
  });
  if (last == graph.nodes.end() || (last->op != "Softmax" && last->op != "LogSoftmax") ||
      !last->domain.empty() || graph.CountUses()[static_cast<size_t>(graph.output)] != 1 ||
      !SpansClasses(graph, *last, graph.value(last->inputs[0]).shape)) {
    return Status::Ok();
  }
  graph.output = last->inputs[0];
  graph.nodes.erase(last);
  return Status::Ok();
}

}  // namespace cssrun::converter
