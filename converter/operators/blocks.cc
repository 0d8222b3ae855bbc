// SpaceToDepth and DepthToSpace: the positions of a block as channels, and back. Followed as any
// other move of elements; Views::Settle() ends a view of them before a layer that cannot follow.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/reshape.h"
#include "converter/strides.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kSpaceToDepthVersions[] = {
    {1, "channels of a position stay together"},
    {13, "bfloat16"},
};

constexpr OperatorVersion kDepthToSpaceVersions[] = {
    {1, "channels of a position are together"},
    {11, "the attribute mode: DCR as before, or CRD, where positions of a channel are together"},
    {13, "bfloat16"},
};

bool ToDepth(const Node& node) { return node.op == OpKind::kSpaceToDepth; }

Inferred InferBlocks(const Graph&, const Node& node, const Shape& input) {
  if (input.size() != 4) return Unknown();
  const int64_t block = node.Int("blocksize", 0);
  const bool sound = block >= 1 && block <= kMaximumWindow;
  const bool fits = sound && (ToDepth(node) ? input[2] % block == 0 && input[3] % block == 0
                                            : input[1] % (block * block) == 0);
  if (!fits) {
    return NodeError(node, "blocks of " + std::to_string(block) + " do not fit its input " +
                               ToString(input) +
                               "; check the image size that the model was exported with");
  }
  if (ToDepth(node)) {
    return Known({input[0], input[1] * block * block, input[2] / block, input[3] / block});
  }
  return Known({input[0], input[1] / (block * block), input[2] * block, input[3] * block});
}

// The map as [channels, rows, rows of a block, columns, columns of a block], of which SpaceToDepth
// brings the block's axes before the channels, and DepthToSpace does the reverse.
bool FollowBlocks(Views& views, const Node& node) {
  std::optional<View> view = views.Look(node.inputs[0]);
  if (!view.has_value()) return false;
  const int64_t block = node.Int("blocksize", 1);
  const Shape& from = views.ShapeOf(node.inputs[0]);
  const Shape& to = views.ShapeOf(node.outputs[0]);
  const std::vector<int64_t> in = StridesOf(from);
  Strided read{0, {}};
  Shape box;
  if (ToDepth(node)) {
    box = {block, block, from[1], to[2], to[3]};
    read.strides = {in[2], in[3], in[1], in[2] * block, in[3] * block};
  } else {
    // How far the next row of a block is, and the next channel of the output.
    const bool together = node.String("mode", "DCR") == "CRD";
    const int64_t next_column = together ? in[1] : to[1] * in[1];
    const int64_t next_channel = together ? block * block * in[1] : in[1];
    box = {to[1], from[2], block, from[3], block};
    read.strides = {next_channel, in[2], block * next_column, in[3], next_column};
  }
  view->elements = ReadBox(view->elements, box, read);
  return views.Set(node, std::move(*view));
}

}  // namespace

constinit const Operator kSpaceToDepthOperator = {
    .versions = kSpaceToDepthVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferBlocks,
    .evaluate = Absent::kNotInModels,
    .follow = FollowBlocks,
    .reorder_weights = Absent::kNoWeights,
    .check = kReordersMap,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kDepthToSpaceOperator = {
    .versions = kDepthToSpaceVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferBlocks,
    .evaluate = Absent::kNotInModels,
    .follow = FollowBlocks,
    .reorder_weights = Absent::kNoWeights,
    .check = kReordersMap,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
