// Runs the ANN in double, with one loop for each dimension, as ONNX defines the operators: the slow
// twin of dense.cc.
//
// It shares nothing with the converter but the graph and its inferred shapes, and takes operators
// as exporters write them, so that a graph can be run before and after the passes.
#ifndef CSSRUN_TESTS_CONVERTER_NAIVE_DENSE_H_
#define CSSRUN_TESTS_CONVERTER_NAIVE_DENSE_H_

#include <span>
#include <vector>

#include "converter/graph.h"

namespace cssrun::converter::testing {

// Returns every value of the graph for one image, by ValueId; empty where it was not computed. The
// shapes must be known and constants folded. Throws std::runtime_error that names an operator it
// does not support.
std::vector<std::vector<double>> RunNaive(const Graph& graph, std::span<const float> image);

// The value of the first output.
std::vector<double> NaiveAnswer(const Graph& graph, std::span<const float> image);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_NAIVE_DENSE_H_
