// Turns dilated MaxPools into such without dilation, which neurons can share a membrane in.
#ifndef CSSRUN_CONVERTER_PASSES_SPLIT_DILATED_POOLS_H_
#define CSSRUN_CONVERTER_PASSES_SPLIT_DILATED_POOLS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// A window of dilation d reads every d-th row. Outputs whose windows begin on the same rows modulo
// d are a MaxPool of these rows alone, a Slice of the map; outputs come in turns from r = d /
// gcd(stride, d) such pools, which Deconvolutions with a weight of 1 spread out, to be added:
//
//     kernel 2, stride 1, dilation 2     rows     0 1 2 3 4 5
//     pool of rows 0 2 4: outputs 0 2             0   2   4
//     pool of rows 1 3 5: outputs 1 3               1   3   5
//
// The same holds for columns. Call it when MaxPools have explicit padding (Normalize()).
Status SplitDilatedPools(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_SPLIT_DILATED_POOLS_H_
