// MatMul and every Gemm with constant weights become Gemm with weights [outputs, inputs], a bias
// [outputs] or none, and no factors.
#ifndef CSSRUN_CONVERTER_PASSES_NORMALIZE_GEMM_H_
#define CSSRUN_CONVERTER_PASSES_NORMALIZE_GEMM_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes.
Status NormalizeGemm(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_NORMALIZE_GEMM_H_
