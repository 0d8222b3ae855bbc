// Operators that limit their input: Relu, Clip, and Max and Min with constants.
#ifndef CSSRUN_CONVERTER_PASSES_LIMITS_H_
#define CSSRUN_CONVERTER_PASSES_LIMITS_H_

#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Returns whether a Relu, Clip, Max or Min compares its only activation with constant numbers.
bool IsLimit(const Graph& graph, const Node& node);

// Makes one Clip of two limits in a row, such as Min(Max(x, 0), 6).
Status MergeLimits(Graph& graph);

// Appends nodes to `output` that compute the same as `node`, a Clip, Max or Min. A Clip takes its
// bounds as inputs; Clip(0, infinity) becomes a Relu. What is no neuron becomes one by an affine
// map before and after it:
//
//     Clip(x, low, high) = Clip(x - low, 0, high - low) + low
//     Min(x, high)       = high - Relu(high - x)
//
// A node whose bounds are not constant numbers is appended as it is.
void NormalizeLimits(Graph& graph, Node node, std::vector<Node>& output);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_LIMITS_H_
