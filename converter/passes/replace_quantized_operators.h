// QOperator models: operators on integers become the same operators between QuantizeLinear and
// DequantizeLinear.
#ifndef CSSRUN_CONVERTER_PASSES_REPLACE_QUANTIZED_OPERATORS_H_
#define CSSRUN_CONVERTER_PASSES_REPLACE_QUANTIZED_OPERATORS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// ONNX Runtime writes an 8-bit model in one of two forms: QDQ, with float operators between pairs,
// or QOperator, with QLinearConv, QLinearMatMul and its own QGemm, QLinearAdd, QLinearConcat,
// QLinearAveragePool and QLinearGlobalAveragePool. Both mean the same; the second becomes the
// first, which FoldQuantization() reads. What is not understood stays, and is reported as any other
// operator.
Status ReplaceQuantizedOperators(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_REPLACE_QUANTIZED_OPERATORS_H_
