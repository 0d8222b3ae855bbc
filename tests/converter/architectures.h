// Architectures that lowering is tested on, and what they are made of.
#ifndef CSSRUN_TESTS_CONVERTER_ARCHITECTURES_H_
#define CSSRUN_TESTS_CONVERTER_ARCHITECTURES_H_

#include <cstddef>
#include <functional>
#include <ostream>
#include <vector>

#include "tests/converter/graph_builder.h"

namespace cssrun::converter::testing {

struct Architecture {
  const char* name;
  size_t layers;  // number of layers of neurons that it needs
  size_t depth;   // number of layers on the longest path
  std::function<Graph(GraphBuilder&)> build;
};

inline std::ostream& operator<<(std::ostream& out, const Architecture& a) { return out << a.name; }

inline const Attribute kStrideTwo = IntsAttribute("strides", {2, 2});
inline const Attribute kKernelTwo = IntsAttribute("kernel_shape", {2, 2});

inline ValueId MaxPool(GraphBuilder& b, ValueId x) {
  return b.Op("MaxPool", {x}, {kKernelTwo, kStrideTwo});
}

// Ends the graph with a mean over the map and a fully connected layer.
inline Graph Classifier(GraphBuilder& b, ValueId x, int64_t channels) {
  const ValueId features = b.Op("Flatten", {b.Op("GlobalAveragePool", {x})});
  return b.Finish(b.Op("Gemm", {features, b.Weights({5, channels}), b.Weights({5})},
                       {IntAttribute("transB", 1)}));
}

// Of operators that become others: leaky ReLUs, transposed convolutions, resized maps.
const std::vector<Architecture>& RewrittenArchitectures();

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_ARCHITECTURES_H_
