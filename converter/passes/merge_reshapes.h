// Reshape, Flatten, Squeeze, Unsqueeze and Transposes that move no element: one Flatten or nothing.
//
// They all keep the order of the elements, so only the first and the last shape matter.
#ifndef CSSRUN_CONVERTER_PASSES_MERGE_RESHAPES_H_
#define CSSRUN_CONVERTER_PASSES_MERGE_RESHAPES_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes.
Status MergeReshapes(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_MERGE_RESHAPES_H_
