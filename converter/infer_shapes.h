// Shapes of all values, from the image's shape and the constants'.
#ifndef CSSRUN_CONVERTER_INFER_SHAPES_H_
#define CSSRUN_CONVERTER_INFER_SHAPES_H_

#include <optional>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Sets the shape of every value that can be known. Values that an unsupported operator makes, and
// all that depend on them, stay unknown (empty). Error: kBadModel naming the node and the shapes
// that do not fit each other.
Status InferShapes(Graph& graph);

// Shape of one node's first output; nothing when it cannot be known.
Result<std::optional<Shape>> InferShape(const Graph& graph, const Node& node);

// The common shape of two tensors, by NumPy's rules; nothing when they do not fit.
std::optional<Shape> Broadcast(const Shape& a, const Shape& b);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_INFER_SHAPES_H_
