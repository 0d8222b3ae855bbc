// Turns LeakyRelu and PRelu into two rectified halves, which neurons compute:
//
//     leaky(y) = relu(y) - a relu(-y)
//
// The halves see the same sums, so neurons of either send nothing while those of the other do. If
// no slope is negative, a MaxPool of the result equals the result for the MaxPool, so the MaxPool
// is moved before it: it has fewer neurons, and the halves are made from its spikes.
#ifndef CSSRUN_CONVERTER_PASSES_SPLIT_LEAKY_RELUS_H_
#define CSSRUN_CONVERTER_PASSES_SPLIT_LEAKY_RELUS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Those whose slopes are not one finite number for each channel stay, to be reported.
Status SplitLeakyRelus(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_SPLIT_LEAKY_RELUS_H_
