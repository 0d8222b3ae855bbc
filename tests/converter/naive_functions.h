// The part of the naive network that needs one input alone: functions of elements, and blocks.
#ifndef CSSRUN_TESTS_CONVERTER_NAIVE_FUNCTIONS_H_
#define CSSRUN_TESTS_CONVERTER_NAIVE_FUNCTIONS_H_

#include <optional>
#include <vector>

#include "converter/graph.h"

namespace cssrun::converter::testing {

// The output of a Neg, Abs, HardSigmoid, SpaceToDepth or DepthToSpace; nothing for other nodes.
std::optional<std::vector<double>> NaiveFunction(const Graph& graph, const Node& node,
                                                 const std::vector<double>& input);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_NAIVE_FUNCTIONS_H_
