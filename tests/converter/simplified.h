// Runs all passes on a graph and checks that it computes the same as before.
#ifndef CSSRUN_TESTS_CONVERTER_SIMPLIFIED_H_
#define CSSRUN_TESTS_CONVERTER_SIMPLIFIED_H_

#include <string>

#include "converter/graph.h"

namespace cssrun::converter::testing {

// Returns the operators in order, separated by spaces.
std::string Operators(const Graph& graph);

// Returns the graph after RunPasses(). Everything in it must be supported.
Graph Simplified(Graph graph);

// Returns the operators after RunPasses().
std::string SimplifiedOperators(const Graph& graph);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_SIMPLIFIED_H_
