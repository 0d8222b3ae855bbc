#include "converter/passes/limits.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kHighest = std::numeric_limits<float>::max();

// What a node does to its only activation.
struct Limit {
  ValueId input = kNoValue;
  ClipBounds bounds = {kLowest, kHighest};
};

// The number that all elements of a constant equal.
std::optional<float> OnlyNumber(const Tensor& constant) {
  if (!constant.is_float() || constant.floats().empty()) return std::nullopt;
  const std::vector<float>& values = constant.floats();
  const bool same =
      std::all_of(values.begin(), values.end(), [&](float v) { return v == values[0]; });
  return same ? std::optional(values[0]) : std::nullopt;
}

std::optional<Limit> LimitOf(const Graph& graph, const Node& node) {
  if (node.op == OpKind::kRelu) return Limit{node.inputs[0], {0, kHighest}};
  if (node.op == OpKind::kClip) {
    const std::optional<ClipBounds> bounds = ClipBoundsOf(graph, node);
    return bounds.has_value() ? std::optional(Limit{node.inputs[0], *bounds}) : std::nullopt;
  }
  if (node.op != OpKind::kMax && node.op != OpKind::kMin) return std::nullopt;
  Limit limit;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Tensor* constant = graph.ConstantInput(node, i);
    if (constant == nullptr) {
      if (limit.input != kNoValue || node.inputs[i] == kNoValue) return std::nullopt;
      limit.input = node.inputs[i];
      continue;
    }
    const std::optional<float> number = OnlyNumber(*constant);
    if (!number.has_value()) return std::nullopt;
    if (node.op == OpKind::kMax) limit.bounds.low = std::max(limit.bounds.low, *number);
    if (node.op == OpKind::kMin) limit.bounds.high = std::min(limit.bounds.high, *number);
  }
  if (limit.input == kNoValue) return std::nullopt;
  // The constants must not enlarge the activation.
  const Shape& shape = graph.value(limit.input).shape;
  if (shape.empty() || graph.value(node.outputs[0]).shape != shape) return std::nullopt;
  return limit;
}

class Limiter {
 public:
  Limiter(Graph& graph, const Node& node, std::vector<Node>& output)
      : graph_(graph), node_(node), name_(graph.value(node.outputs[0]).name), output_(output) {}

  void Append(const Limit& limit) {
    const auto [low, high] = limit.bounds;
    const size_t rank = graph_.value(limit.input).shape.size();
    if (low == 0 || (rank != 2 && rank != 4) || low >= high ||
        (low <= kLowest && high >= kHighest)) {
      AddClip(limit.input, limit.bounds, node_.outputs[0]);
    } else if (low > kLowest) {
      const ValueId shifted = AddConstant(limit.input, -low, NewValue());
      const ValueId clipped =
          AddClip(shifted, {0, high >= kHighest ? high : high - low}, NewValue());
      AddConstant(clipped, low, node_.outputs[0]);
    } else {
      const ValueId distance = AddConstant(Negate(limit.input), high, NewValue());
      const ValueId kept = AddClip(distance, {0, kHighest}, NewValue());
      AddConstant(Negate(kept), high, node_.outputs[0]);
    }
  }

 private:
  ValueId NewValue() {
    return graph_.AddValue(name_ + ".limit" + std::to_string(output_.size()),
                           graph_.value(node_.outputs[0]).shape);
  }
  ValueId Number(float number) {
    return AddFloats(graph_, name_ + ".bound" + std::to_string(output_.size()), {}, {number});
  }
  ValueId Add(OpKind op, std::vector<ValueId> inputs, ValueId to) {
    output_.push_back({op, node_.name, std::move(inputs), {to}, {}});
    return to;
  }
  ValueId AddConstant(ValueId from, float number, ValueId to) {
    return Add(OpKind::kAdd, {from, Number(number)}, to);
  }
  ValueId Negate(ValueId from) {
    const ValueId minus_one = Number(-1);
    return Add(OpKind::kMul, {from, minus_one}, NewValue());
  }
  ValueId AddClip(ValueId from, const ClipBounds& bounds, ValueId to) {
    if (bounds.low == 0 && bounds.high >= kHighest) return Add(OpKind::kRelu, {from}, to);
    const ValueId low = Number(bounds.low);
    return Add(OpKind::kClip, {from, low, Number(bounds.high)}, to);
  }

  Graph& graph_;
  const Node& node_;
  const std::string name_;
  std::vector<Node>& output_;
};

}  // namespace

bool IsLimit(const Graph& graph, const Node& node) { return LimitOf(graph, node).has_value(); }

Status MergeLimits(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    if (node.inputs.empty() || node.outputs.empty() || node.outputs[0] == kNoValue) continue;
    std::optional<Limit> limit = LimitOf(graph, node);
    if (!limit.has_value() || limit->input == kNoValue) continue;
    Node* before = sweep.Producer(limit->input);
    if (before == nullptr || before->outputs.size() != 1 || !sweep.OnlyReader(limit->input)) {
      continue;
    }
    const std::optional<Limit> first = LimitOf(graph, *before);
    if (!first.has_value()) continue;
    ClipBounds& bounds = limit->bounds;
    bounds = {std::min(std::max(first->bounds.low, bounds.low), bounds.high),
              std::min(std::max(first->bounds.high, bounds.low), bounds.high)};
    const std::string name = graph.value(node.outputs[0]).name;
    sweep.Replace(*before, first->input);
    node.op = OpKind::kClip;
    node.attributes.clear();
    node.inputs = {first->input, AddFloats(graph, name + ".min", {}, {bounds.low}),
                   AddFloats(graph, name + ".max", {}, {bounds.high})};
  }
  sweep.Finish();
  return Status::Ok();
}

void NormalizeLimits(Graph& graph, Node node, std::vector<Node>& output) {
  const std::optional<Limit> limit = LimitOf(graph, node);
  if (!limit.has_value()) {
    output.push_back(std::move(node));
    return;
  }
  Limiter(graph, node, output).Append(*limit);
}

}  // namespace cssrun::converter
