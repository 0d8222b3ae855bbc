// What a node's attributes and constant inputs say, checked and with ONNX's defaults filled in.
//
// The same question (which pixels does this Slice keep, which padding does SAME_UPPER mean) is
// asked by shape inference, by several passes, by the report of unsupported nodes and by the dense
// network; it is answered here once, for every opset from 9 to 17. Errors are kBadModel and name
// the node; an empty optional means that the answer is not known, because an input is not constant
// or has no known shape.
#ifndef CSSRUN_CONVERTER_OPERATOR_ATTRIBUTES_H_
#define CSSRUN_CONVERTER_OPERATOR_ATTRIBUTES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// No tensor of a sound model has more elements; shapes are checked against it, so that products of
// their sizes fit 64 bits.
constexpr int64_t kMaximumElements = int64_t{1} << 31;

// Kernels, strides, dilations and pads beyond this are damage.
constexpr int64_t kMaximumWindow = 1 << 20;

bool AllWithin(const std::vector<int64_t>& values, int64_t low, int64_t high);

Status NodeError(const Node& node, const std::string& what);

// Null when the input is absent, not constant, or of the other element type.
const std::vector<int64_t>* ConstantInts(const Graph& graph, const Node& node, size_t input);
const std::vector<float>* ConstantFloats(const Graph& graph, const Node& node, size_t input);

// The shape of an input, if known.
std::optional<Shape> InputShape(const Graph& graph, const Node& node, size_t input);

// Axis numbers made non-negative. Error when one is outside of `rank` or comes twice.
Result<std::vector<size_t>> NormalizeAxes(const Node& node, const std::vector<int64_t>& axes,
                                          size_t rank);

// The attribute `axis`, non-negative, of a node whose tensor has `rank` dimensions.
Result<size_t> AxisOf(const Node& node, int64_t fallback, size_t rank);

// The `perm` of a Transpose: output axis i is input axis perm[i]. All axes reversed by default.
Result<std::vector<size_t>> PermutationOf(const Node& node, const Shape& input);

// The `axes` of a Squeeze, Unsqueeze or ReduceMean: constant input 1 or the attribute. Empty when
// neither is given, nothing when the input is not constant.
std::optional<std::vector<int64_t>> AxesOf(const Graph& graph, const Node& node);

// One axis of a Slice: output position i is input position start + i * step.
struct AxisRange {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

// Of a Slice, one range for every axis of its input.
Result<std::optional<std::vector<AxisRange>>> SliceRanges(const Graph& graph, const Node& node);

struct Padding {
  std::vector<int64_t> before;  // by axis
  std::vector<int64_t> after;
  float value = 0;
};

// Of a Pad.
Result<std::optional<Padding>> PaddingOf(const Graph& graph, const Node& node);

struct ClipBounds {
  float low = 0;
  float high = 0;
};

// Of a Clip; a bound that is left out is the largest float.
std::optional<ClipBounds> ClipBoundsOf(const Graph& graph, const Node& node);

// Numbers of ONNX's element types, as a Cast names them.
constexpr int64_t kOnnxBool = 9;
bool IsFloatingPoint(int64_t element_type);

// The node is a Relu, or a Clip or Quantize whose lower bound is not negative. `node` may be null.
bool IsRectifier(const Graph& graph, const Node* node);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATOR_ATTRIBUTES_H_
