// Folds operators that scale and shift every channel by constants into the weights around them.
//
// That is BatchNormalization, and Mul, Div, Add and Sub with a constant per channel. After a Conv
// or Gemm that nothing else reads they change its weights and bias (computed in double); before a
// Gemm they change the Gemm's; on a map elsewhere they become a depthwise 1x1 Conv.
#ifndef CSSRUN_CONVERTER_PASSES_FOLD_AFFINE_H_
#define CSSRUN_CONVERTER_PASSES_FOLD_AFFINE_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes and NormalizeGemm().
Status FoldAffine(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FOLD_AFFINE_H_
