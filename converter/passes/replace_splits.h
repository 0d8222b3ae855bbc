// A Split is a Slice for each of its outputs.
#ifndef CSSRUN_CONVERTER_PASSES_REPLACE_SPLITS_H_
#define CSSRUN_CONVERTER_PASSES_REPLACE_SPLITS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Also infers the shapes that are known without folding. Error: kBadModel naming the node.
Status ReplaceSplits(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_REPLACE_SPLITS_H_
