// Evaluating one node whose inputs are all constant.
#ifndef CSSRUN_CONVERTER_PASSES_EVALUATE_H_
#define CSSRUN_CONVERTER_PASSES_EVALUATE_H_

#include <optional>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// The node's output; nothing when this operator is not evaluated or an input is not constant. Also
// evaluates Shape of an activation whose shape is known. Error: kBadModel naming the node, when an
// index, a shape or a divisor is impossible.
Result<std::optional<Tensor>> Evaluate(const Graph& graph, const Node& node);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_EVALUATE_H_
