// Writes functions as what they are made of, which neurons and synapses compute:
//
//     Neg(x)         -1 x
//     Sub(a, b)      a + -1 b
//     Abs(x)         LeakyRelu(x), slope -1
//     HardSigmoid(x) Clip(alpha x + beta, 0, 1)
//     Max(a, b)      a + Relu(b + -1 a); a is the constant where there is one
//     Min(a, b)      a + -1 Relu(a + -1 b)
//     ReduceSum(x)   ReduceMean(x) times the number of its members
#ifndef CSSRUN_CONVERTER_PASSES_REPLACE_FUNCTIONS_H_
#define CSSRUN_CONVERTER_PASSES_REPLACE_FUNCTIONS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// FindLeakyRelus() comes before: it knows Max(x, a x) and Min(x, a x) better. Max and Min with
// numbers alone are left for MergeLimits() and Normalize().
Status ReplaceFunctions(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_REPLACE_FUNCTIONS_H_
