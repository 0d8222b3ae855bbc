#include "converter/passes/follow_addresses.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

class Follower {
 public:
  explicit Follower(Graph& graph) : graph_(graph), views_(graph) {}

  Status Run() {
    const ValueId image = graph_.input;
    const bool turned = TurnImage();
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    FindJoinedSlices(nodes);
    for (Node& node : nodes) Visit(std::move(node));
    for (GraphOutput& output : graph_.outputs) EndAt(output);
    graph_.RemoveDeadNodes();
    if (!turned || graph_.CountUses()[static_cast<size_t>(image)] == 0) return Status::Ok();
    for (const Node& node : graph_.nodes) {
      if (std::find(node.inputs.begin(), node.inputs.end(), image) == node.inputs.end()) continue;
      return NodeError(node,
                       "it reads an image with its channels last; export channels-first "
                       "([batch, channels, height, width])");
    }
    return Status::BadModel("output " + graph_.outputs.front().name +
                            " does not depend on the image; export the model again");
  }

 private:
  // Slices that are only joined again, as colours are that a model scales one by one, have moved
  // channels; other Slices cost less as they are.
  void FindJoinedSlices(const std::vector<Node>& nodes) {
    std::vector<int> readers(graph_.values.size(), 0);
    std::vector<const Node*> slice(graph_.values.size(), nullptr);
    for (const Node& node : nodes) {
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) ++readers[static_cast<size_t>(id)];
      }
      if (node.op == OpKind::kSlice) slice[static_cast<size_t>(node.outputs[0])] = &node;
    }
    for (const Node& node : nodes) {
      const bool joins = node.op == OpKind::kConcat &&
                         std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
                           return id != kNoValue && slice[static_cast<size_t>(id)] != nullptr &&
                                  readers[static_cast<size_t>(id)] == 1;
                         });
      if (!joins) continue;
      for (const ValueId id : node.inputs) joined_.insert(id);
    }
  }

  // Makes the image a map where it is [1, rows, columns, channels].
  bool TurnImage() {
    const ValueId image = graph_.input;
    const Shape shape = views_.ShapeOf(image);
    if (!HasChannelsLast(graph_)) return false;
    const int64_t channels = shape[3];
    const int64_t positions = shape[1] * shape[2];
    const std::string name = graph_.value(image).name;
    const ValueId map = graph_.AddValue(name, {1, channels, shape[1], shape[2]});
    View view;
    view.base = map;
    for (int64_t p = 0; p < positions; ++p) {
      for (int64_t c = 0; c < channels; ++c) view.elements.push_back(c * positions + p);
    }
    graph_.input = map;
    views_.Set(image, std::move(view));
    return true;
  }

  void Visit(Node node) {
    const bool plain = node.op.is_foreign() || node.outputs.empty() ||
                       node.outputs[0] == kNoValue || node.inputs.empty();
    if (!plain && Follow(node)) {
      // Readers that cannot follow still read this node; if there are none, it is removed later.
      graph_.nodes.push_back(std::move(node));
      return;
    }
    if (!plain && std::any_of(node.inputs.begin(), node.inputs.end(),
                              [&](ValueId id) { return views_.ViewOf(id) != nullptr; })) {
      bool settled = false;
      for (const ValueId id : node.inputs) settled = views_.Settle(id) || settled;
      if (!settled || !Follow(node)) Rewrite(node);
    }
    graph_.nodes.push_back(std::move(node));
  }

  // An output that is a view is read from its base.
  void EndAt(GraphOutput& output) {
    const View* view = views_.ViewOf(output.value);
    if (view == nullptr) return;
    const Shape shape = views_.ShapeOf(output.value);
    Elements order = view->elements;
    const ValueId base = view->base;
    if (const ValueId same = views_.Unmoved(output.value); same != kNoValue) {
      output.value = same;
      return;
    }
    output.value = base;
    output.shape = shape;
    if (!IsIdentity(order) || ElementCount(shape) != ElementCount(views_.ShapeOf(base))) {
      output.order = std::move(order);
    }
  }

  // True when the node's output has become a view.
  bool Follow(const Node& node) {
    if (graph_.value(node.outputs[0]).shape.empty()) return false;
    if (joined_.contains(node.outputs[0]) && views_.ViewOf(node.inputs[0]) == nullptr) {
      if (std::optional<View> same = views_.Look(node.inputs[0]); same.has_value()) {
        views_.Set(node.inputs[0], *std::move(same));
      }
    }
    const auto* follow = std::get_if<FollowFunction*>(&OperatorOf(node.op).follow);
    return follow != nullptr && (*follow)(views_, node);
  }

  // Views end at this node: makes it read their bases.
  void Rewrite(Node& node) {
    const auto* reorder = std::get_if<ReorderFunction*>(&OperatorOf(node.op).reorder_weights);
    if (reorder != nullptr && (*reorder)(views_, node)) return;
    for (ValueId& id : node.inputs) {
      if (views_.ViewOf(id) == nullptr) continue;
      if (const ValueId same = views_.Unmoved(id); same != kNoValue) id = same;
    }
  }

  Graph& graph_;
  Views views_;
  std::set<ValueId> joined_;  // outputs of Slices that only a Concat of Slices reads
};

}  // namespace

bool HasChannelsLast(const Graph& graph) {
  const Shape& shape = graph.value(graph.input).shape;
  if (shape.size() != 4 || ElementCount(shape) > kMostViewedElements) return false;
  // The image, and what is made of it element by element.
  std::vector<bool> is_image(graph.values.size(), false);
  is_image[static_cast<size_t>(graph.input)] = true;
  const std::vector<int64_t> order = {0, 3, 1, 2};
  bool turned = false;
  for (const Node& node : graph.nodes) {
    const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      return id != kNoValue && is_image[static_cast<size_t>(id)];
    });
    if (!reads) continue;
    if (IsOneOf(node.op, {OpKind::kConv, OpKind::kMaxPool, OpKind::kAveragePool,
                          OpKind::kBatchNormalization})) {
      return false;
    }
    turned = turned || (node.op == OpKind::kTranspose && node.Ints("perm", {}) == order);
    const bool arithmetic =
        IsOneOf(node.op, {OpKind::kAdd, OpKind::kSub, OpKind::kMul, OpKind::kDiv});
    if (arithmetic && graph.value(node.outputs[0]).shape == shape) {
      is_image[static_cast<size_t>(node.outputs[0])] = true;
    }
  }
  // Only photos with as many channels last have so few columns.
  const bool has_colours = shape[3] == 1 || shape[3] == 3 || shape[3] == 4;
  return turned || (has_colours && shape[1] > 4 && shape[2] > 4);
}

Status FollowAddresses(Graph& graph) {
  const bool moves = std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return IsOneOf(node.op, {OpKind::kTranspose, OpKind::kReshape, OpKind::kSqueeze,
                             OpKind::kUnsqueeze, OpKind::kGather, OpKind::kReduceMean,
                             OpKind::kReduceMax, OpKind::kExpand, OpKind::kTile, OpKind::kConcat,
                             OpKind::kSlice, OpKind::kSpaceToDepth, OpKind::kDepthToSpace});
  });
  return moves || HasChannelsLast(graph) ? Follower(graph).Run() : Status::Ok();
}

}  // namespace cssrun::converter
