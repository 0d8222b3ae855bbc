#include "converter/passes/replace_functions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/limits.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

class Replacer {
 public:
  explicit Replacer(Graph& graph) : graph_(graph) {}

  Status Run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      const bool plain =
          !node.inputs.empty() && !node.outputs.empty() && node.outputs[0] != kNoValue;
      Result<bool> replaced = plain ? Replace(node) : Result<bool>(false);
      if (!replaced.ok()) return replaced.status();
      if (!replaced.value()) graph_.nodes.push_back(std::move(node));
    }
    return Status::Ok();
  }

 private:
  // True when nodes that compute the same were added.
  Result<bool> Replace(Node& node) {
    const std::vector<ValueId>& in = node.inputs;
    const ValueId out = node.outputs[0];
    if (!IsActivation(in[0]) && in.size() == 1) return false;
    if (node.op == OpKind::kNeg) {
      Scaled(node, in[0], -1, out);
    } else if (node.op == OpKind::kAbs) {
      Add(node, OpKind::kLeakyRelu, {in[0]}, out, {{"alpha", -1.0F}});
    } else if (node.op == OpKind::kHardSigmoid) {
      const ValueId scaled = Scaled(node, in[0], node.Float("alpha", 0.2F), New(node));
      const ValueId shifted =
          Add(node, OpKind::kAdd, {scaled, Number(node, node.Float("beta", 0.5F))}, New(node));
      const ValueId low = Number(node, 0);
      const ValueId high = Number(node, 1);
      Add(node, OpKind::kClip, {shifted, low, high}, out);
    } else if (node.op == OpKind::kSub) {
      if (in.size() != 2 || !FitsAll(node) || !IsActivation(in[0]) || !IsActivation(in[1])) {
        return false;
      }
      Difference(node, in[0], in[1], out);
    } else if (node.op == OpKind::kMax || node.op == OpKind::kMin) {
      return ReplaceExtreme(node);
    } else if (node.op == OpKind::kReduceSum) {
      return ReplaceSum(node);
    } else {
      return false;
    }
    return true;
  }

  bool ReplaceExtreme(const Node& node) {
    std::vector<ValueId> inputs = node.inputs;
    if (inputs.size() < 2 || IsLimit(graph_, node) || !FitsAll(node)) return false;
    // The constant, of which there may be one, comes first.
    const auto constants = std::stable_partition(inputs.begin(), inputs.end(),
                                                 [&](ValueId id) { return !IsActivation(id); });
    if (constants - inputs.begin() > 1) return false;
    ValueId extreme = inputs[0];
    for (size_t i = 1; i < inputs.size(); ++i) {
      const ValueId to = i + 1 == inputs.size() ? node.outputs[0] : New(node);
      const bool is_max = node.op == OpKind::kMax;
      const ValueId beyond = is_max ? Difference(node, inputs[i], extreme, New(node))
                                    : Difference(node, extreme, inputs[i], New(node));
      const ValueId kept = Add(node, OpKind::kRelu, {beyond}, New(node));
      extreme = is_max ? Add(node, OpKind::kAdd, {extreme, kept}, to)
                       : Difference(node, extreme, kept, to);
    }
    return true;
  }

  Result<bool> ReplaceSum(Node& node) {
    const std::optional<Shape> input = InputShape(graph_, node, 0);
    if (!input.has_value()) return false;
    Result<std::optional<std::vector<size_t>>> axes = ReducedAxes(graph_, node, input->size());
    if (!axes.ok()) return axes.status();
    if (!axes.value().has_value()) return false;
    int64_t members = 1;
    for (const size_t axis : *axes.value()) members *= (*input)[axis];
    Node mean = node;
    mean.op = OpKind::kReduceMean;
    mean.outputs = {New(node)};
    const ValueId of = mean.outputs[0];
    graph_.nodes.push_back(std::move(mean));
    Scaled(node, of, static_cast<float>(members), node.outputs[0]);
    return true;
  }

  bool IsActivation(ValueId id) const {
    return id != kNoValue && graph_.value(id).constant == nullptr;
  }

  // Whether all activations have the output's shape, and no constant enlarges it.
  bool FitsAll(const Node& node) const {
    const Shape& shape = graph_.value(node.outputs[0]).shape;
    if (shape.empty()) return false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::optional<Shape> input = InputShape(graph_, node, i);
      if (!input.has_value()) return false;
      if (IsActivation(node.inputs[i]) ? *input != shape : Broadcast(*input, shape) != shape) {
        return false;
      }
    }
    return true;
  }

  // An intermediate value, of the output's shape.
  ValueId New(const Node& node) {
    const Value& output = graph_.value(node.outputs[0]);
    return graph_.AddValue(output.name + ".part" + std::to_string(graph_.values.size()),
                           output.shape);
  }

  ValueId Number(const Node& node, float number) {
    return AddFloats(graph_, graph_.value(node.outputs[0]).name + ".number", {}, {number});
  }

  ValueId Add(const Node& node, OpKind op, std::vector<ValueId> inputs, ValueId to,
              std::vector<Attribute> attributes = {}) {
    graph_.nodes.push_back({op, node.name, std::move(inputs), {to}, std::move(attributes)});
    return to;
  }

  ValueId Scaled(const Node& node, ValueId x, float factor, ValueId to) {
    return Add(node, OpKind::kMul, {x, Number(node, factor)}, to);
  }

  // a - b, of which one may be constant.
  ValueId Difference(const Node& node, ValueId a, ValueId b, ValueId to) {
    if (!IsActivation(a) || !IsActivation(b)) return Add(node, OpKind::kSub, {a, b}, to);
    return Add(node, OpKind::kAdd, {a, Scaled(node, b, -1, New(node))}, to);
  }

  Graph& graph_;
};

}  // namespace

Status ReplaceFunctions(Graph& graph) { return Replacer(graph).Run(); }

}  // namespace cssrun::converter
