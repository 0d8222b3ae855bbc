// Removes nodes that change nothing: Identity, Dropout, Cast between floats, empty Pad, whole
// Slice, Relu of what is not negative, and the Relu that a Clip(0, max) repeats.
#ifndef CSSRUN_CONVERTER_PASSES_REMOVE_IDENTITIES_H_
#define CSSRUN_CONVERTER_PASSES_REMOVE_IDENTITIES_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes and normalized nodes.
Status RemoveIdentities(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_REMOVE_IDENTITIES_H_
