// QuantizeLinear, an optional Clip and DequantizeLinear become one node, Quantize: a value rounded
// to a multiple of its step, between two limits. A Relu beside it becomes its lower limit.
//
// Quantize is not ONNX's: input 0, attributes step (float), low and high (integers, in steps).
#ifndef CSSRUN_CONVERTER_PASSES_FOLD_QUANTIZATION_H_
#define CSSRUN_CONVERTER_PASSES_FOLD_QUANTIZATION_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs folded constants. What it cannot fold is left to be reported as unsupported.
Status FoldQuantization(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FOLD_QUANTIZATION_H_
