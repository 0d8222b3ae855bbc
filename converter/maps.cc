#include "converter/maps.h"

#include "converter/operators/operator.h"

namespace cssrun::converter {

Maps::Maps(const Graph& graph) : graph_(graph), maps_(graph.values.size()) {
  const Shape& shape = graph.value(graph.input).shape;
  if (shape.size() == 4) {
    maps_[static_cast<size_t>(graph.input)] = Shape(shape.begin() + 1, shape.end());
  }
}

void Maps::Add(const Node& node) {
  const ValueId output = node.outputs[0];
  const Shape& shape = graph_.value(output).shape;
  Shape& map = maps_[static_cast<size_t>(output)];
  if (shape.size() == 4) {
    map = Shape(shape.begin() + 1, shape.end());
  } else if (shape.size() == 2) {
    map = {shape[1], 1, 1};
    const bool keeps_map = OperatorOf(node.op).map == MapRule::kInput;
    if (keeps_map && !Of(node.inputs[0]).empty()) map = Of(node.inputs[0]);
  }
}

}  // namespace cssrun::converter
