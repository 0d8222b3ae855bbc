// Reads a node's attributes and constant inputs, checked and with ONNX's defaults filled in.
//
// Shape inference, several passes, the report of unsupported nodes and the dense network ask the
// same questions, such as which pixels a Slice keeps. They are answered once, here, for every opset
// from 7 to 23. Errors are kBadModel and name the node; an empty optional means that the answer is
// not known, because an input is not constant or has no known shape.
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

// No tensor of a sound model has more elements. Shapes are checked against this limit, so that
// products of their sizes fit 64 bits.
constexpr int64_t kMaximumElements = int64_t{1} << 31;

// Larger kernels, strides, dilations and pads are signs of a damaged file.
constexpr int64_t kMaximumWindow = 1 << 20;

bool AllWithin(const std::vector<int64_t>& values, int64_t low, int64_t high);

Status NodeError(const Node& node, const std::string& what);

// Returns null when the input is absent, not constant, or has another element type.
const std::vector<int64_t>* ConstantInts(const Graph& graph, const Node& node, size_t input);
const std::vector<float>* ConstantFloats(const Graph& graph, const Node& node, size_t input);

// Returns one number for each channel (axis 1) of an activation, or nothing when the constant
// varies along another axis.
std::optional<std::vector<double>> NumberPerChannel(const Tensor& constant,
                                                    const Shape& activation);

// Returns the shape of an input, if it is known.
std::optional<Shape> InputShape(const Graph& graph, const Node& node, size_t input);

// Makes axis numbers non-negative. Error when one is outside of `rank` or comes twice.
Result<std::vector<size_t>> NormalizeAxes(const Node& node, const std::vector<int64_t>& axes,
                                          size_t rank);

// Returns the attribute `axis`, made non-negative, of a node whose tensor has `rank` dimensions.
Result<size_t> AxisOf(const Node& node, int64_t fallback, size_t rank);

// Returns the `perm` of a Transpose: output axis i is input axis perm[i]. The default reverses all
// axes.
Result<std::vector<size_t>> PermutationOf(const Node& node, const Shape& input);

// Returns the `axes` of a Squeeze, Unsqueeze or reduction: constant input 1 or the attribute. The
// result is empty when neither is given, and nothing when the input is not constant.
std::optional<std::vector<int64_t>> AxesOf(const Graph& graph, const Node& node);

// Returns the axes of a tensor of `rank` dimensions that a reduction runs over,
// ascending. Without axes these are all of them, or none where noop_with_empty_axes says so.
Result<std::optional<std::vector<size_t>>> ReducedAxes(const Graph& graph, const Node& node,
                                                       size_t rank);

// Returns whether a Dropout only passes its input on, as every one before opset 12 does.
bool PassesOn(const Graph& graph, const Node& dropout);

// One axis of a Slice: output position i is input position start + i * step.
struct AxisRange {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

// Returns the ranges of a Slice, one for every axis of its input.
Result<std::optional<std::vector<AxisRange>>> SliceRanges(const Graph& graph, const Node& node);

struct Padding {
  std::vector<int64_t> before;  // by axis
  std::vector<int64_t> after;
  float value = 0;
};

// Returns the padding of a Pad.
Result<std::optional<Padding>> PaddingOf(const Graph& graph, const Node& node);

struct ClipBounds {
  float low = 0;
  float high = 0;
};

// Returns the bounds of a Clip; a missing bound is the largest float.
std::optional<ClipBounds> ClipBoundsOf(const Graph& graph, const Node& node);

// ONNX's numbers of element types, which the attribute of a Cast uses.
constexpr int64_t kOnnxFloat = 1;
constexpr int64_t kOnnxInt64 = 7;
constexpr int64_t kOnnxBool = 9;
bool IsFloatingPoint(int64_t element_type);

// Returns whether the node is a Relu, or a Clip or Quantize whose lower bound is not negative.
// `node` may be null.
bool IsRectifier(const Graph& graph, const Node* node);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATOR_ATTRIBUTES_H_
