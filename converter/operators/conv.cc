// Conv: synapses, or weights that are composed with the windows before it.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/channels.h"
#include "converter/operators/common.h"
#include "converter/operators/layer.h"
#include "converter/operators/operator.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kConvVersions[] = {
    {1, "auto_pad"},
    {11, "strides and dilations default to 1"},
    {22, "bfloat16"},
};

Inferred InferConv(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> weights = InputShape(graph, node, 1);
  if (input.size() != 4 || !weights.has_value()) return Unknown();
  Result<Window> window = WindowOf(graph, node, input);
  if (!window.ok()) return window.status();
  const int64_t groups = node.Int("group", 1);
  if (weights->size() != 4 || groups < 1 || (*weights)[0] < 1 || (*weights)[0] % groups != 0 ||
      input[1] % groups != 0 || (*weights)[1] != input[1] / groups) {
    return NodeError(node, "weights " + ToString(*weights) + " in " + std::to_string(groups) +
                               " groups do not fit its input " + ToString(input) +
                               "; export the model again");
  }
  const std::optional<Shape> bias = InputShape(graph, node, 2);
  if (bias.has_value() && *bias != Shape{(*weights)[0]}) {
    return NodeError(node, "bias " + ToString(*bias) + " does not fit its weights " +
                               ToString(*weights) + "; export the model again");
  }
  return Known({input[0], (*weights)[0], window.value().positions[0], window.value().positions[1]});
}

bool FollowConv(Views& views, const Node& node) {
  const View* view = views.ViewOf(node.inputs[0]);
  if (view == nullptr) return false;
  // Only a depthwise convolution keeps its channels apart.
  const Shape& base = views.ShapeOf(view->base);
  const bool depthwise = base.size() == 4 && node.Int("group", 1) == base[1] &&
                         views.ShapeOf(node.outputs[0])[1] == base[1];
  return depthwise && FollowPermutedChannels(views, node);
}

// Reorders the weights to the base's channels; channels that the view leaves out get zeros.
bool ReorderConv(Views& views, Node& node) {
  const View* view = views.ViewOf(node.inputs[0]);
  const std::vector<float>* weights = ConstantFloats(views.graph(), node, 1);
  if (view == nullptr || weights == nullptr || node.Int("group", 1) != 1) return false;
  const Shape shape = views.graph().ConstantInput(node, 1)->shape;
  const auto channels = views.ChannelsOf(*view, views.ShapeOf(node.inputs[0]));
  if (!channels.has_value() || shape.size() != 4 ||
      shape[1] != static_cast<int64_t>(channels->size())) {
    return false;
  }
  const int64_t from = views.ShapeOf(view->base)[1];
  const int64_t taps = shape[2] * shape[3];
  std::vector<float> moved(static_cast<size_t>(shape[0] * from * taps), 0.0F);
  const float* weight = weights->data();
  for (int64_t o = 0; o < shape[0]; ++o) {
    for (const int64_t c : *channels) {
      float* to = moved.data() + (o * from + c) * taps;
      for (int64_t tap = 0; tap < taps; ++tap) to[tap] += *weight++;
    }
  }
  node.inputs[0] = view->base;
  node.inputs[1] = AddFloats(views.graph(), views.graph().value(node.inputs[1]).name,
                             {shape[0], from, shape[2], shape[3]}, std::move(moved));
  return true;
}

std::optional<Problem> CheckConv(const Graph& graph, const Node& node, const Maps&) {
  if (std::optional<Problem> found = VariableWeights(graph, node)) return found;
  const Shape& weights = graph.ConstantInput(node, 1)->shape;
  if (weights.size() != 4) {
    return Problem{"its weights " + ToString(weights) + " are not two-dimensional kernels",
                   "use two-dimensional layers"};
  }
  return NotAMap(graph, node);
}

// True where the kernel spreads a single position over a map, as a map of constants is made of one
// neuron (AddMaps()).
bool SpreadsOnePosition(const Graph& graph, const Node& node, const Window& w) {
  const Shape& from = graph.value(node.inputs[0]).shape;
  return from[2] == 1 && from[3] == 1 && w.kernel[0] * w.kernel[1] > 1 && w.positions == w.kernel &&
         w.stride == std::array<int64_t, 2>{1, 1} && w.dilation == w.stride &&
         node.Int("group", 1) == 1 && node.inputs.size() == 2 && w.pad_before == w.pad_after &&
         w.pad_before[0] == w.kernel[0] - 1 && w.pad_before[1] == w.kernel[1] - 1;
}

// As a product of the position with a matrix: a convolution would look at every tap for every
// output, which are their squares.
Status AddSpread(DenseBuilder& builder, const Node& node, const Window& w) {
  const Tensor& weights = *builder.graph().ConstantInput(node, 1);
  const int64_t outputs = weights.shape[0];
  const int64_t inputs = weights.shape[1];
  const int64_t positions = w.kernel[0] * w.kernel[1];
  std::vector<float> matrix;
  matrix.reserve(weights.floats().size());
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t p = positions; p-- > 0;) {
      for (int64_t i = 0; i < inputs; ++i) {
        matrix.push_back(weights.floats()[static_cast<size_t>((o * inputs + i) * positions + p)]);
      }
    }
  }
  builder.AddProduct(node, matrix, {outputs * positions, inputs, 1, 1});
  return Status::Ok();
}

Status AddConv(DenseBuilder& builder, const DenseGroup& group) {
  const Node& node = *group.leader;
  Result<Window> window =
      WindowOf(builder.graph(), node, builder.graph().value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  const Window& w = window.value();
  if (group.leader == &group.last() && SpreadsOnePosition(builder.graph(), node, w)) {
    return AddSpread(builder, node, w);
  }
  const dnnl::memory::dims weights =
      GroupedWeights(builder.graph().ConstantInput(node, 1)->shape, node.Int("group", 1));
  dnnl::memory::desc bias;
  if (ConstantFloats(builder.graph(), node, 2) != nullptr) {
    bias = AnyDesc({builder.graph().ConstantInput(node, 1)->shape[0]});
  }
  const dnnl::convolution_forward::desc desc(
      kDenseInference, dnnl::algorithm::convolution_direct, AnyDesc(builder.Dims(node.inputs[0])),
      AnyDesc(weights), bias, AnyDesc(builder.Dims(node.outputs[0])), Pair(w.stride),
      {w.dilation[0] - 1, w.dilation[1] - 1}, Pair(w.pad_before), Pair(w.pad_after));
  builder.AddLayer(group,
                   dnnl::convolution_forward::primitive_desc(desc, builder.PostOperations(group),
                                                             builder.engine()),
                   weights);
  return Status::Ok();
}

Status LowerConv(Lowering& lowering, const Node& node) {
  const Graph& graph = lowering.graph();
  Result<Window> window = WindowOf(graph, node, graph.value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  return LowerConvolution(lowering, node, StoredWindow(window.value()),
                          static_cast<uint32_t>(node.Int("group", 1)));
}

}  // namespace

constinit const Operator kConvOperator = {
    .versions = kConvVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferConv,
    .evaluate = Absent::kNotInModels,
    .follow = FollowConv,
    .reorder_weights = ReorderConv,
    .check = CheckConv,
    .dense = DenseLayer{AddConv},
    .lower = LowerConv,
};

}  // namespace cssrun::converter
