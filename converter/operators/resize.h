// Resize and Upsample: which positions of a map they choose.
#ifndef CSSRUN_CONVERTER_OPERATORS_RESIZE_H_
#define CSSRUN_CONVERTER_OPERATORS_RESIZE_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Makes a Resize or Upsample that repeats every row and column a whole number of times a Repeat
// with the attribute `factors`, [rows, columns], and one that takes every n-th of them a Slice.
// Others stay, to be reported.
Status NormalizeResize(Graph& graph, Node& node);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_RESIZE_H_
