#include "converter/passes/drop_ending.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

// Strictly increasing where networks end in them: Log and Sqrt follow what is positive. A function
// that is flat somewhere, such as Relu or HardSigmoid, makes classes equal and is not one of them.
constexpr std::string_view kIncreasing[] = {"Sigmoid", "Tanh", "Log",      "Exp",     "Sqrt",
                                            "Erf",     "Selu", "Softplus", "Softsign"};

bool IsIncreasing(const Op& op) {
  return !op.is_foreign() && std::find(std::begin(kIncreasing), std::end(kIncreasing), op.name()) !=
                                 std::end(kIncreasing);
}

bool IsArgMax(const Op& op) { return !op.is_foreign() && op.name() == "ArgMax"; }

// The only axis that is longer than 1: the classes'. Nothing when there are several.
std::optional<int64_t> AxisOfClasses(const Shape& shape) {
  std::optional<int64_t> axis;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (axis.has_value()) return std::nullopt;
    axis = static_cast<int64_t>(i);
  }
  return axis;
}

// True when the node's `axis` is the axis of the classes, or one axis with it.
bool SpansClasses(const Graph& graph, const Node& node, int64_t fallback, bool flattens) {
  const Shape& shape = graph.value(node.inputs[0]).shape;
  const std::optional<int64_t> classes = AxisOfClasses(shape);
  if (!classes.has_value()) return false;
  int64_t axis = node.Int("axis", fallback);
  if (axis < 0) axis += static_cast<int64_t>(shape.size());
  return axis == *classes || (flattens && axis <= *classes);
}

// True when the order of the node's outputs tells that of its inputs.
bool KeepsOrder(const Graph& graph, const Node& node) {
  if (IsIncreasing(node.op)) return true;
  if (node.op == OpKind::kSoftmax || node.op == OpKind::kLogSoftmax) {
    // Before version 13 everything from `axis` on was one axis.
    const OperatorVersion* version = VersionAt(node.op, graph.opset);
    const bool flattens = version != nullptr && version->since < 13;
    return SpansClasses(graph, node, flattens ? 1 : -1, flattens);
  }
  return !node.op.is_foreign() && node.op.name() == "ArgMax" && SpansClasses(graph, node, 0, false);
}

bool IsVector(const Shape& shape) {
  return shape.size() >= 2 && shape[0] == 1 && ElementCount(shape) == shape[1];
}

}  // namespace

bool MayBeDropped(const Op& op) {
  return IsIncreasing(op) || IsArgMax(op) || op == OpKind::kSoftmax || op == OpKind::kLogSoftmax;
}

Status DropEnding(Graph& graph) {
  // Of several outputs the numbers matter, not the order of classes.
  if (graph.outputs.size() != 1) return Status::Ok();
  GraphOutput& output = graph.outputs.front();
  const std::vector<int> uses = graph.CountUses();
  // From the output backwards. What only moves elements is passed over.
  const ValueId given = output.value;
  ValueId end = given;
  std::string computed;      // what was passed that computes
  bool only_moved = true;    // so far
  bool needs_class = false;  // a Cast was passed: it may only follow an ArgMax
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (node.outputs.empty() || node.outputs[0] != end || node.inputs.empty() ||
        node.inputs[0] == kNoValue) {
      continue;
    }
    if (uses[static_cast<size_t>(end)] != 1) break;
    const bool cast = node.op == OpKind::kCast && only_moved;
    const bool reshaped = OperatorOf(node.op).elements == ElementRule::kReshaped;
    const bool finds_class = IsArgMax(node.op);
    if (!cast && !reshaped && (!KeepsOrder(graph, node) || (finds_class && !only_moved))) break;
    needs_class = (needs_class || cast) && !finds_class;
    only_moved = only_moved && (cast || reshaped);
    if (!cast && !reshaped) computed = node.op.name();
    end = node.inputs[0];
    const bool is_better = !reshaped || !IsVector(graph.value(output.value).shape);
    if (!needs_class && is_better && IsVector(graph.value(end).shape)) {
      output.value = end;
      output.dropped = computed;
    }
  }
  const Shape& shape = graph.value(output.value).shape;
  if (shape.size() == 4 && output.value != given && graph.value(given).shape.size() != 4) {
    const ValueId vector = graph.AddValue(graph.value(given).name, {1, shape[1]});
    graph.nodes.push_back({OpKind::kFlatten,
                           graph.value(given).name,
                           {output.value},
                           {vector},
                           {{"axis", int64_t{1}}}});
    output.value = vector;
  }
  graph.RemoveDeadNodes();
  return Status::Ok();
}

}  // namespace cssrun::converter
