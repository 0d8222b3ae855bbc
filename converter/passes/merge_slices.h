// Slices that follow each other, as exporters write x[:, :, ::2, ::2], become one.
#ifndef CSSRUN_CONVERTER_PASSES_MERGE_SLICES_H_
#define CSSRUN_CONVERTER_PASSES_MERGE_SLICES_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes and normalized nodes.
Status MergeSlices(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_MERGE_SLICES_H_
