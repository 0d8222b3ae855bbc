// Infers the shapes of all values from the shapes of the image and the constants.
#ifndef CSSRUN_CONVERTER_INFER_SHAPES_H_
#define CSSRUN_CONVERTER_INFER_SHAPES_H_

#include <optional>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Sets the shape of every value that can be known. Outputs of unsupported operators, and all values
// that depend on them, keep an unknown (empty) shape. Error: kBadModel naming the node and the
// shapes that do not fit each other.
Status InferShapes(Graph& graph);

// Returns the shape of one node's first output; nothing when it cannot be known.
Result<std::optional<Shape>> InferShape(const Graph& graph, const Node& node);

// Returns the common shape of two tensors by NumPy's rules; nothing when they do not fit.
std::optional<Shape> Broadcast(const Shape& a, const Shape& b);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_INFER_SHAPES_H_
