// ConvTranspose, and Deconvolution, which Normalize() makes of it: a convolution over its input
// spread out by its stride.
#include "converter/operators/deconvolution.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/layer.h"
#include "converter/operators/operator.h"
#include "converter/passes/sweep.h"
#include "converter/window.h"
#include "format/geometry.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kDeconvolutionVersions[] = {
    {1, "auto_pad"},
    {11, "strides and dilations default to 1"},
    {22, "bfloat16"},
};

Status Unfit(const Node& node, const std::string& attribute, const std::vector<int64_t>& values) {
  return NodeError(node, attribute + " is " + ToString(values) +
                             ", which no two-dimensional transposed convolution can have; export "
                             "the model again");
}

// Splits the padding that makes the output as large as output_shape or auto_pad asks for.
Status PlaceOutput(const Node& node, const Shape& input, Deconvolution& d) {
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID") {
    return NodeError(node, "auto_pad \"" + auto_pad + "\" is unknown; export the model again");
  }
  std::vector<int64_t> shape = node.Ints("output_shape", {});
  if (shape.size() == 4) shape.erase(shape.begin(), shape.begin() + 2);
  if (!shape.empty() && (shape.size() != 2 || !AllWithin(shape, 1, kMaximumWindow))) {
    return Unfit(node, "output_shape", shape);
  }
  if (auto_pad == "VALID") d.pad_before = d.pad_after = {0, 0};
  for (size_t axis = 0; axis < 2; ++axis) {
    const int64_t whole =
        (input[axis + 2] - 1) * d.stride[axis] + (d.kernel[axis] - 1) * d.dilation[axis] + 1;
    const int64_t more = node.Ints("output_padding", {0, 0})[axis];
    d.pad_after[axis] -= more;
    if (same || !shape.empty()) {
      const int64_t wanted = shape.empty() ? input[axis + 2] * d.stride[axis] : shape[axis];
      const int64_t pads = std::max<int64_t>(whole + more - wanted, 0);
      d.pad_before[axis] = auto_pad == "SAME_UPPER" ? pads / 2 : pads - pads / 2;
      d.pad_after[axis] = whole - wanted - d.pad_before[axis];
    }
    d.positions[axis] = whole - d.pad_before[axis] - d.pad_after[axis];
    if (d.positions[axis] < 1) {
      return NodeError(node, "its padding leaves nothing of its output; export the model again");
    }
  }
  return Status::Ok();
}

std::optional<Shape> WeightsOf(const Graph& graph, const Node& node) {
  std::optional<Shape> weights = InputShape(graph, node, 1);
  if (weights.has_value() && weights->size() != 4) return std::nullopt;
  return weights;
}

// `outputs`, `inputs`: channels of the whole weights, of which one counts for all groups.
Inferred InferOutput(const Graph& graph, const Node& node, const Shape& input, int64_t inputs,
                     int64_t outputs) {
  const Shape weights = *WeightsOf(graph, node);
  Result<Deconvolution> d = DeconvolutionOf(node, input, weights);
  if (!d.ok()) return d.status();
  const bool fits = inputs == input[1] && outputs >= 1 && outputs % d.value().groups == 0 &&
                    inputs % d.value().groups == 0;
  const std::optional<Shape> bias = InputShape(graph, node, 2);
  if (!fits || (bias.has_value() && *bias != Shape{outputs})) {
    return NodeError(node, "weights " + ToString(weights) + " in " +
                               std::to_string(d.value().groups) +
                               " groups, or its bias, do not fit its input " + ToString(input) +
                               "; export the model again");
  }
  return Known({input[0], outputs, d.value().positions[0], d.value().positions[1]});
}

Inferred InferConvTranspose(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> weights = WeightsOf(graph, node);
  if (input.size() != 4 || !weights.has_value()) return Unknown();
  const int64_t groups = std::clamp<int64_t>(node.Int("group", 1), 1, kMaximumWindow);
  if ((*weights)[1] > kMaximumElements / groups) return Unknown();
  return InferOutput(graph, node, input, (*weights)[0], (*weights)[1] * groups);
}

Inferred InferDeconvolution(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> weights = WeightsOf(graph, node);
  if (input.size() != 4 || !weights.has_value()) return Unknown();
  return InferOutput(graph, node, input, (*weights)[1] * node.Int("group", 1), (*weights)[0]);
}

// Of what Normalize() has left.
Problem RefuseConvTranspose(const Graph& graph, const Node& node) {
  if (std::optional<Problem> found = VariableWeights(graph, node)) return *found;
  if (std::optional<Problem> found = NotAMap(graph, node)) return *found;
  return {"its weights are not two-dimensional kernels", "use two-dimensional layers"};
}

std::optional<Problem> CheckDeconvolution(const Graph& graph, const Node& node, const Maps&) {
  if (std::optional<Problem> found = VariableWeights(graph, node)) return found;
  return NotAMap(graph, node);
}

Result<Deconvolution> Parse(const Graph& graph, const Node& node) {
  return DeconvolutionOf(node, graph.value(node.inputs[0]).shape,
                         graph.ConstantInput(node, 1)->shape);
}

Status AddDeconvolution(DenseBuilder& builder, const DenseGroup& group) {
  const Node& node = *group.leader;
  Result<Deconvolution> parsed = Parse(builder.graph(), node);
  if (!parsed.ok()) return parsed.status();
  const Deconvolution& d = parsed.value();
  const Shape& given = builder.graph().ConstantInput(node, 1)->shape;
  const dnnl::memory::dims weights = GroupedWeights(given, d.groups);
  dnnl::memory::desc bias;
  if (ConstantFloats(builder.graph(), node, 2) != nullptr) bias = AnyDesc({given[0]});
  const dnnl::deconvolution_forward::desc desc(
      kDenseInference, dnnl::algorithm::deconvolution_direct, AnyDesc(builder.Dims(node.inputs[0])),
      AnyDesc(weights), bias, AnyDesc(builder.Dims(node.outputs[0])), Pair(d.stride),
      {d.dilation[0] - 1, d.dilation[1] - 1}, Pair(d.pad_before), Pair(d.pad_after));
  builder.AddLayer(group,
                   dnnl::deconvolution_forward::primitive_desc(desc, builder.PostOperations(group),
                                                               builder.engine()),
                   weights);
  return Status::Ok();
}

// Output o reads input i with tap k where o = i * stride - pad + k * dilation: the input spread out
// by the stride, under the kernel turned around.
Status LowerDeconvolution(Lowering& lowering, const Node& node) {
  Result<Deconvolution> parsed = Parse(lowering.graph(), node);
  if (!parsed.ok()) return parsed.status();
  const Deconvolution& d = parsed.value();
  const Tensor& given = *lowering.graph().ConstantInput(node, 1);
  std::vector<float> turned = given.floats();
  const auto taps = static_cast<std::ptrdiff_t>(d.kernel[0] * d.kernel[1]);
  for (auto first = turned.begin(); first != turned.end(); first += taps) {
    std::reverse(first, first + taps);
  }
  WindowAxis axes[2];
  int32_t after[2];
  const Shape& input = lowering.graph().value(node.inputs[0]).shape;
  for (size_t axis = 0; axis < 2; ++axis) {
    axes[axis].kernel = d.kernel[axis];
    axes[axis].dilation = d.dilation[axis];
    axes[axis].pad_before = (d.kernel[axis] - 1) * d.dilation[axis] - d.pad_before[axis];
    after[axis] = PadAfter(axes[axis], format::SpreadPositions(input[axis + 2], d.stride[axis]),
                           d.positions[axis]);
  }
  const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
  const format::Window window(narrow(d.kernel[0]), narrow(d.kernel[1]), 1, 1,
                              narrow(axes[0].pad_before), narrow(axes[1].pad_before), after[0],
                              after[1], narrow(d.dilation[0]), narrow(d.dilation[1]));
  return LowerConvolution(
      lowering, node, std::make_shared<const Tensor>(Tensor{given.shape, std::move(turned)}),
      window, static_cast<uint32_t>(d.groups), {narrow(d.stride[0]), narrow(d.stride[1])});
}

}  // namespace

Result<Deconvolution> DeconvolutionOf(const Node& node, const Shape& input, const Shape& weights) {
  Deconvolution d;
  const std::vector<int64_t> kernel = node.Ints("kernel_shape", {weights[2], weights[3]});
  if (kernel != std::vector<int64_t>{weights[2], weights[3]} ||
      !AllWithin(kernel, 1, kMaximumWindow)) {
    return Unfit(node, "kernel_shape", kernel);
  }
  const std::vector<int64_t> strides = node.Ints("strides", {1, 1});
  const std::vector<int64_t> dilations = node.Ints("dilations", {1, 1});
  const std::vector<int64_t> pads = node.Ints("pads", {0, 0, 0, 0});
  const std::vector<int64_t> more = node.Ints("output_padding", {0, 0});
  if (strides.size() != 2 || !AllWithin(strides, 1, kMaximumWindow)) {
    return Unfit(node, "strides", strides);
  }
  if (dilations.size() != 2 || !AllWithin(dilations, 1, kMaximumWindow)) {
    return Unfit(node, "dilations", dilations);
  }
  if (pads.size() != 4 || !AllWithin(pads, 0, kMaximumWindow)) return Unfit(node, "pads", pads);
  if (more.size() != 2 || !AllWithin(more, 0, kMaximumWindow)) {
    return Unfit(node, "output_padding", more);
  }
  for (size_t axis = 0; axis < 2; ++axis) {
    d.kernel[axis] = kernel[axis];
    d.stride[axis] = strides[axis];
    d.dilation[axis] = dilations[axis];
    d.pad_before[axis] = pads[axis];
    d.pad_after[axis] = pads[axis + 2];
  }
  d.groups = node.Int("group", 1);
  if (d.groups < 1 || d.groups > kMaximumWindow) return Unfit(node, "group", {d.groups});
  if (Status status = PlaceOutput(node, input, d); !status.ok()) return status;
  return d;
}

Status NormalizeConvTranspose(Graph& graph, Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  const std::optional<Shape> weights = WeightsOf(graph, node);
  if (!input.has_value() || input->size() != 4 || !weights.has_value() ||
      ConstantFloats(graph, node, 1) == nullptr) {
    return Status::Ok();
  }
  Result<Deconvolution> parsed = DeconvolutionOf(node, *input, *weights);
  if (!parsed.ok()) return parsed.status();
  Deconvolution& d = parsed.value();
  // What the output has beyond the last tap: more taps, of zeros.
  std::array<int64_t, 2> kernel = d.kernel;
  for (size_t axis = 0; axis < 2; ++axis) {
    if (d.pad_after[axis] >= 0) continue;
    const int64_t taps = (-d.pad_after[axis] + d.dilation[axis] - 1) / d.dilation[axis];
    kernel[axis] += taps;
    d.pad_after[axis] += taps * d.dilation[axis];
  }
  const int64_t per_group = (*weights)[1];
  const int64_t inputs = (*weights)[0] / d.groups;  // of one group
  const int64_t outputs = per_group * d.groups;
  constexpr int64_t kMostWeights = int64_t{1} << 28;
  if (outputs * inputs > kMostWeights / (kernel[0] * kernel[1])) {
    return NodeError(node, "its output_padding is too large; export the model again");
  }
  std::vector<float> turned(static_cast<size_t>(outputs * inputs * kernel[0] * kernel[1]), 0.0F);
  const float* weight = ConstantFloats(graph, node, 1)->data();
  for (int64_t i = 0; i < (*weights)[0]; ++i) {
    for (int64_t o = 0; o < per_group; ++o) {
      const int64_t output = i / inputs * per_group + o;
      for (int64_t ky = 0; ky < d.kernel[0]; ++ky) {
        for (int64_t kx = 0; kx < d.kernel[1]; ++kx) {
          const int64_t map = output * inputs + i % inputs;
          turned[static_cast<size_t>((map * kernel[0] + ky) * kernel[1] + kx)] = *weight++;
        }
      }
    }
  }
  const std::string name = graph.value(node.inputs[1]).name;
  node.op = OpKind::kDeconvolution;
  node.inputs[1] =
      AddFloats(graph, name, {outputs, inputs, kernel[0], kernel[1]}, std::move(turned));
  node.attributes = {
      {"kernel_shape", std::vector<int64_t>(kernel.begin(), kernel.end())},
      {"strides", std::vector<int64_t>(d.stride.begin(), d.stride.end())},
      {"dilations", std::vector<int64_t>(d.dilation.begin(), d.dilation.end())},
      {"pads",
       std::vector<int64_t>{d.pad_before[0], d.pad_before[1], d.pad_after[0], d.pad_after[1]}},
      {"group", d.groups},
  };
  return Status::Ok();
}

constinit const Operator kConvTransposeOperator = {
    .versions = kDeconvolutionVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferConvTranspose,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = RefuseConvTranspose,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kDeconvolutionOperator = {
    .versions = NotInOnnx{"Normalize()"},
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferDeconvolution,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckDeconvolution,
    .dense = DenseLayer{AddDeconvolution},
    .lower = LowerDeconvolution,
};

}  // namespace cssrun::converter
