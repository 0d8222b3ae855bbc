// Brings every operator into one form, whichever opset wrote it.
//
// Slice, Pad and Clip take constant inputs (old opsets had attributes); Conv, MaxPool and
// AveragePool state kernel_shape, strides, pads and dilations (no auto_pad, no ceil_mode); means
// and maxima over the whole map are GlobalAveragePool and MaxPool; Sum is Add. Operators without
// such a form are left for FindUnsupported() to report.
#ifndef CSSRUN_CONVERTER_PASSES_NORMALIZE_H_
#define CSSRUN_CONVERTER_PASSES_NORMALIZE_H_

#include <vector>

#include "converter/graph.h"
#include "converter/operator_attributes.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes. Error: kBadModel naming the node.
Status Normalize(Graph& graph);

// Makes `node` a Slice with constant starts, ends, axes and steps. `ranges` has one range for every
// axis of its input; axes that are kept whole are left out.
void SetSlice(Graph& graph, const std::vector<AxisRange>& ranges, Node& node);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_NORMALIZE_H_
