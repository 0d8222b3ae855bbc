// Folds zero padding of rows and columns into the Conv or pool behind it, where that is exact.
//
// For an AveragePool the zeros must count; for a MaxPool, whose own padding is no zero but nothing,
// the map must not be negative.
#ifndef CSSRUN_CONVERTER_PASSES_FOLD_PADS_H_
#define CSSRUN_CONVERTER_PASSES_FOLD_PADS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes and normalized nodes.
Status FoldPads(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FOLD_PADS_H_
