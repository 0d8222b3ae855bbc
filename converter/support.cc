#include "converter/support.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "converter/gates.h"
#include "converter/maps.h"
#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/passes/drop_ending.h"

namespace cssrun::converter {
namespace {

// Reports the nodes of a graph, each cause once.
class Inspector {
 public:
  explicit Inspector(const Graph& graph)
      : graph_(graph), uses_(graph.CountUses()), maps_(graph), blamed_(graph.values.size(), false) {
    for (Gate& gate : FindGates(graph)) {
      for (const size_t i : gate.others) in_gate_.insert(i);
      in_gate_.insert(gate.product);
      gates_.emplace(gate.product, std::move(gate));
    }
  }

  std::vector<UnsupportedNode> Run() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (node.outputs.empty() || node.outputs[0] == kNoValue) {
        Report(node, node.op.full_name(), {"it has no output", "export the model again"});
        continue;
      }
      Inspect(i);
      maps_.Add(node);
    }
    return std::move(unsupported_);
  }

 private:
  void Inspect(size_t index) {
    const Node& node = graph_.nodes[index];
    if (const auto gate = gates_.find(index); gate != gates_.end()) {
      Report(node, gate->second.name, {gate->second.reason, "train with ReLU or ReLU6 instead"});
    } else if (in_gate_.contains(index)) {
      Blame(node);
    } else if (std::optional<Problem> problem = OwnProblem(node); problem.has_value()) {
      if (MayBeDropped(node.op) && EndsOutput(node)) {
        problem = {"it ends an output that is no vector of classes, whose numbers matter",
                   "end the output before it, and apply it to what cssrun writes"};
      }
      Report(node, node.op.full_name(), std::move(*problem));
    } else if (FollowsOthers(node) && ProblemBehindOthers(node).has_value()) {
      Blame(node);
    } else if (std::optional<Problem> left = ProblemBehindOthers(node); left.has_value()) {
      Report(node, node.op.full_name(), std::move(*left));
    }
  }

  bool EndsOutput(const Node& node) const {
    return std::ranges::any_of(
        graph_.outputs, [&](const GraphOutput& output) { return output.value == node.outputs[0]; });
  }

  void Report(const Node& node, std::string op, Problem problem) {
    unsupported_.push_back({node.name, std::move(op), graph_.opset, std::move(problem.reason),
                            std::move(problem.remedy)});
    Blame(node);
  }

  // What reads the node's outputs may only be left because of it.
  void Blame(const Node& node) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) blamed_[static_cast<size_t>(id)] = true;
    }
  }

  // A problem that the node has whatever comes before it.
  std::optional<Problem> OwnProblem(const Node& node) const {
    if (node.op == OpKind::kUnknown) return ProblemOfUnknown(node.op);
    const Operator& op = OperatorOf(node.op);
    if (!std::holds_alternative<NotInOnnx>(op.versions) &&
        VersionAt(node.op, graph_.opset) == nullptr) {
      return ProblemOfVersion(node.op, graph_.opset);
    }
    const auto* refused = std::get_if<Refused>(&op.check);
    if (refused != nullptr && refused->by_itself) return Problem{refused->reason, refused->remedy};
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue && uses_[static_cast<size_t>(node.outputs[i])] > 0) {
        return Problem{"its second output is used", "use its first output alone"};
      }
    }
    return std::nullopt;
  }

  // A problem that may come from the node's inputs.
  std::optional<Problem> ProblemBehindOthers(const Node& node) const {
    const auto& check = OperatorOf(node.op).check;
    const bool reshapes = OperatorOf(node.op).elements == ElementRule::kReshaped;
    if (reshapes && graph_.value(node.outputs[0]).shape.empty()) return UnknownShape();
    if (const auto* refused = std::get_if<Refused>(&check)) {
      return Problem{refused->reason, refused->remedy};
    }
    if (const auto* refuse = std::get_if<RefuseFunction*>(&check)) return (*refuse)(graph_, node);
    if (std::optional<Problem> problem = std::get<CheckFunction*>(check)(graph_, node, maps_)) {
      return problem;
    }
    if (graph_.value(node.outputs[0]).shape.empty()) return UnknownShape();
    return std::nullopt;
  }

  static Problem UnknownShape() {
    return {"its output's shape cannot be known", "export with a fixed image size"};
  }

  bool FollowsOthers(const Node& node) const {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue) continue;
      if (blamed_[static_cast<size_t>(id)] || !InputShape(graph_, node, i).has_value()) return true;
    }
    return false;
  }

  const Graph& graph_;
  const std::vector<int> uses_;
  Maps maps_;
  std::vector<bool> blamed_;      // by ValueId
  std::map<size_t, Gate> gates_;  // by the index of the product
  std::set<size_t> in_gate_;
  std::vector<UnsupportedNode> unsupported_;
};

// Escapes names of the file, so that they cannot control the terminal.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

std::vector<UnsupportedNode> FindUnsupported(const Graph& graph) { return Inspector(graph).Run(); }

std::string FormatUnsupported(const std::vector<UnsupportedNode>& nodes) {
  using Row = std::array<std::string, 5>;
  std::vector<Row> rows = {{"NODE", "OPERATOR", "OPSET", "REASON", "WHAT TO DO"}};
  for (const UnsupportedNode& node : nodes) {
    rows.push_back({Printable(node.name), Printable(node.op), std::to_string(node.opset),
                    Printable(node.reason), Printable(node.remedy)});
  }
  Row::value_type table = std::to_string(nodes.size()) + (nodes.size() == 1 ? " node" : " nodes") +
                          " cannot be converted";
  std::array<size_t, 5> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    table += "\n";
    for (size_t i = 0; i < row.size(); ++i) {
      table += row[i];
      if (i + 1 < row.size()) table += std::string(widths[i] - row[i].size() + 2, ' ');
    }
  }
  return table;
}

}  // namespace cssrun::converter
