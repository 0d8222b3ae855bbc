// What the operators share that give a tensor another shape and leave its elements in their order:
// Reshape, Flatten, Squeeze and Unsqueeze.
#ifndef CSSRUN_CONVERTER_OPERATORS_RESHAPE_H_
#define CSSRUN_CONVERTER_OPERATORS_RESHAPE_H_

#include "converter/operators/operator.h"

namespace cssrun::converter {

// The elements of the input's view, under another shape.
FollowFunction FollowReshape;

// What is left of operators that only move elements about.
inline constexpr Refused kReordersMap = {
    "it reorders a map in a way that spikes' addresses cannot follow",
    "keep maps as [batch, channels, height, width] from layer to layer"};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_RESHAPE_H_
