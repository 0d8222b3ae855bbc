// The rewrites that make an exported graph plain: one file each, in order.
#ifndef CSSRUN_CONVERTER_PASSES_PASSES_H_
#define CSSRUN_CONVERTER_PASSES_PASSES_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Afterwards every shape that can be known is known, and a node is either in the form that
// spiking.cc and dense.cc take (support.h says which) or one that FindUnsupported() reports. The
// logits are the same up to rounding. Error: kBadModel naming the node.
Status RunPasses(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_PASSES_H_
