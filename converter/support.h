// Finds the nodes that cannot become spikes, and reports all of them at once.
//
// A user whose model has five unsupported operators should learn of all five before anything is
// written, with a remedy for each.
#ifndef CSSRUN_CONVERTER_SUPPORT_H_
#define CSSRUN_CONVERTER_SUPPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/graph.h"

namespace cssrun::converter {

struct UnsupportedNode {
  std::string name;
  std::string op;  // with its domain, unless that is ONNX's own
  int64_t opset = 0;
  std::string reason;
  std::string remedy;
};

// Every node of a graph, after RunPasses(), that cannot be converted, in graph order, except nodes
// that are left only because of another one: each cause is named once. Nodes that together compute
// an activation, such as SiLU, are reported as one, named after it (gates.h). When it is empty,
// every value has a shape and every node is one of:
//   Conv: [1, C, H, W], constant weights; kernel_shape, strides, pads, dilations, group are present
//   Gemm: [1, inputs], constant weights [outputs, inputs], transB = 1, bias constant or absent
//   Relu; Clip(0, max) with inputs 1 and 2 constant
//   MaxPool, AveragePool (every window counts all its pixels): kernel_shape, strides, pads present
//   GlobalAveragePool; Flatten of [1, C, H, W]; Add of two activations of one shape
//   Slice of a map, constant starts, ends, axes, steps; steps > 0, of channels 1; batch untouched
//   Pad of a map with zeros, constant pads >= 0; batch untouched
//   Concat along the channels
std::vector<UnsupportedNode> FindUnsupported(const Graph& graph);

// Returns an aligned table with a last line that counts the nodes; it ends without a newline.
std::string FormatUnsupported(const std::vector<UnsupportedNode>& nodes);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_SUPPORT_H_
