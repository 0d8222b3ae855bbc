// Expand and Tile, which repeat elements: of constants, and of activations where what reads them
// can read the elements themselves, as the first layer of a grey image that is given three colours.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/strides.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kExpandVersions[] = {
    {8, "the first"},
    {13, "bfloat16"},
};

Inferred InferExpand(const Graph& graph, const Node& node, const Shape& input) {
  const std::vector<int64_t>* wanted = ConstantInts(graph, node, 1);
  if (wanted == nullptr) return Unknown();
  std::optional<Shape> output = Broadcast(input, *wanted);
  if (!output.has_value()) {
    return NodeError(node, "its input " + ToString(input) + " cannot be expanded to " +
                               ToString(*wanted) + "; export the model again");
  }
  return output;
}

Evaluated EvaluateExpand(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  return Done(Rearranged(input, shape, {0, BroadcastStrides(input.shape, shape)}));
}

// The output's elements are `box` of the input's.
bool FollowRepeated(Views& views, const Node& node, const Shape& box, const Strided& from) {
  const std::optional<View> view = views.Look(node.inputs[0]);
  if (!view.has_value() || ElementCount(box) > kMostViewedElements) return false;
  return views.Set(node, View{view->base, ReadBox(view->elements, box, from)});
}

bool FollowExpand(Views& views, const Node& node) {
  const Shape& shape = views.ShapeOf(node.outputs[0]);
  return FollowRepeated(views, node, shape,
                        {0, BroadcastStrides(views.ShapeOf(node.inputs[0]), shape)});
}

constexpr OperatorVersion kTileVersions[] = {
    {6, "the numbers of repeats are input 1"},
    {13, "bfloat16"},
};

Inferred InferTile(const Graph& graph, const Node& node, const Shape& input) {
  const std::vector<int64_t>* repeats = ConstantInts(graph, node, 1);
  if (repeats == nullptr) return Unknown();
  if (repeats->size() != input.size() || !AllWithin(*repeats, 0, kMaximumElements)) {
    return NodeError(node, "repeats " + ToString(*repeats) + " do not fit its input " +
                               ToString(input) + "; export the model again");
  }
  Shape output = input;
  for (size_t i = 0; i < output.size(); ++i) {
    if (__builtin_mul_overflow(output[i], (*repeats)[i], &output[i])) {
      return NodeError(node, "its output would be too large; export the model again");
    }
  }
  return Known(std::move(output));
}

// The box that reads a tensor again and again: each axis is two, its repeats and its elements.
struct TiledBox {
  Shape box;
  Strided from;
};

TiledBox TiledBoxOf(const Shape& input, const std::vector<int64_t>& repeats) {
  const std::vector<int64_t> strides = StridesOf(input);
  TiledBox tiled;
  for (size_t i = 0; i < input.size(); ++i) {
    tiled.box.insert(tiled.box.end(), {repeats[i], input[i]});
    tiled.from.strides.insert(tiled.from.strides.end(), {0, strides[i]});
  }
  return tiled;
}

Evaluated EvaluateTile(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  const TiledBox tiled = TiledBoxOf(input.shape, *ConstantInts(graph, node, 1));
  Tensor output = Rearranged(input, tiled.box, tiled.from);
  output.shape = shape;
  return Done(std::move(output));
}

bool FollowTile(Views& views, const Node& node) {
  const std::vector<int64_t>* repeats = ConstantInts(views.graph(), node, 1);
  if (repeats == nullptr) return false;
  const TiledBox tiled = TiledBoxOf(views.ShapeOf(node.inputs[0]), *repeats);
  return FollowRepeated(views, node, tiled.box, tiled.from);
}

constexpr Refused kRepeats = {
    "it repeats activations in a way that spikes' addresses cannot follow",
    "repeat channels only, before a layer"};

}  // namespace

constinit const Operator kExpandOperator = {
    .versions = kExpandVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferExpand,
    .evaluate = EvaluateExpand,
    .follow = FollowExpand,
    .reorder_weights = Absent::kNoWeights,
    .check = kRepeats,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kTileOperator = {
    .versions = kTileVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferTile,
    .evaluate = EvaluateTile,
    .follow = FollowTile,
    .reorder_weights = Absent::kNoWeights,
    .check = kRepeats,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
