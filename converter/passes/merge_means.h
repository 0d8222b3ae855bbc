// Merges two successive means into one: exporters and people write the mean over rows and columns
// as a mean over columns and then one over rows.
#ifndef CSSRUN_CONVERTER_PASSES_MERGE_MEANS_H_
#define CSSRUN_CONVERTER_PASSES_MERGE_MEANS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes. All groups of a mean have equally many members, so the mean of means is the mean
// over all axes; a Reshape gives it the second mean's shape.
Status MergeMeans(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_MERGE_MEANS_H_
