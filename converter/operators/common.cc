#include "converter/operators/common.h"

#include <string>
#include <type_traits>

#include "converter/operator_attributes.h"

namespace cssrun::converter {

Inferred InferSameShape(const Graph&, const Node&, const Shape& input) { return Known(input); }

Evaluated EvaluateReshaped(const Graph& graph, const Node& node, const Shape& output) {
  return Done({output, graph.ConstantInput(node, 0)->data});
}

Tensor Rearranged(const Tensor& input, const Shape& shape, const Strided& from) {
  Tensor output;
  output.shape = shape;
  std::visit([&](const auto& values) { output.data = ReadBox(values, shape, from); }, input.data);
  return output;
}

std::optional<Problem> NotAMap(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || input->size() == 4) return std::nullopt;
  return Problem{"its input " + ToString(*input) + " is not [batch, channels, rows, columns]",
                 "use two-dimensional layers"};
}

std::optional<Problem> ConstantActivation(const Graph& graph, const Node& node) {
  for (const ValueId id : node.inputs) {
    if (id == kNoValue || graph.value(id).constant != nullptr) {
      return Problem{"it combines an activation with a constant that is not one number per channel",
                     "train without it"};
    }
  }
  return std::nullopt;
}

}  // namespace cssrun::converter
