// Evaluates nodes that depend only on constants and known shapes.
//
// Exporters leave chains such as Shape, Gather, Unsqueeze, Concat, Reshape where the model's author
// wrote x.view(x.size(0), -1); a zero-padded shortcut brings 17 such nodes. None remains.
#ifndef CSSRUN_CONVERTER_PASSES_FOLD_CONSTANTS_H_
#define CSSRUN_CONVERTER_PASSES_FOLD_CONSTANTS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Also infers every shape on the way. Error: kBadModel naming the node.
Status FoldConstants(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FOLD_CONSTANTS_H_
