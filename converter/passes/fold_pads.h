// Folds zero padding of rows and columns into the Conv or pool behind it, where that is exact.
//
// An AveragePool must count the zeros as members. A MaxPool ignores its own padding, so its map
// must have no negative values, which zeros would exceed.
#ifndef CSSRUN_CONVERTER_PASSES_FOLD_PADS_H_
#define CSSRUN_CONVERTER_PASSES_FOLD_PADS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes and normalized nodes.
Status FoldPads(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FOLD_PADS_H_
