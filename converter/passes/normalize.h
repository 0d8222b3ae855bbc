// One form for every operator, whichever opset wrote it.
//
// Slice, Pad and Clip take constant inputs (opset 9 had attributes); Conv, MaxPool and AveragePool
// state kernel_shape, strides, pads and dilations (no auto_pad, no ceil_mode); means and maxima over
// the whole map are GlobalAveragePool and MaxPool; Sum is Add. What has no such form stays as it is,
// for FindUnsupported() to report.
#ifndef CSSRUN_CONVERTER_PASSES_NORMALIZE_H_
#define CSSRUN_CONVERTER_PASSES_NORMALIZE_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes. Error: kBadModel naming the node.
Status Normalize(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_NORMALIZE_H_
