// Plain loops over a transposed convolution, for naive_dense.cc.
#ifndef CSSRUN_TESTS_CONVERTER_NAIVE_DECONVOLUTION_H_
#define CSSRUN_TESTS_CONVERTER_NAIVE_DECONVOLUTION_H_

#include <vector>

#include "converter/graph.h"

namespace cssrun::converter::testing {

// The output of a ConvTranspose, or of a Deconvolution, which has its weights by output channel.
// `bias` is empty where there is none.
std::vector<double> NaiveDeconvolution(const Graph& graph, const Node& node,
                                       const std::vector<double>& input,
                                       const std::vector<double>& weights,
                                       const std::vector<double>& bias);

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_NAIVE_DECONVOLUTION_H_
