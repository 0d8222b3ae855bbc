// Drops what stands at the very end of a network and leaves the order of the classes as it is.
#ifndef CSSRUN_CONVERTER_PASSES_DROP_ENDING_H_
#define CSSRUN_CONVERTER_PASSES_DROP_ENDING_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Drops Softmax, LogSoftmax, functions that grow with their argument (Sigmoid, Log, ...), ArgMax
// over the classes, and what only gives the vector of logits another shape. Needs shapes.
//
//     Gemm -> Softmax -> Log           becomes    Gemm
//     Gemm -> Relu -> Softmax                     Gemm -> Relu: classes below 0 are equal
//     GlobalAveragePool -> Squeeze                GlobalAveragePool
Status DropEnding(Graph& graph);

// Returns whether the operator is one that is dropped at the end of a vector of classes.
bool MayBeDropped(const Op& op);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_DROP_ENDING_H_
