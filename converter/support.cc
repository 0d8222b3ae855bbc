#include "converter/support.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "converter/maps.h"
#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

// Returns whether only the node's output has an unknown shape. If an input's shape is unknown, an
// earlier node is the cause.
bool OutputAloneIsUnknown(const Graph& graph, const Node& node) {
  if (!graph.value(node.outputs[0]).shape.empty()) return false;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue && !InputShape(graph, node, i).has_value()) return false;
  }
  return true;
}

std::optional<Problem> CheckNode(const Graph& graph, const Node& node, const Maps& maps,
                                 const std::vector<int>& uses) {
  if (node.op == OpKind::kUnknown) return ProblemOfUnknown(node.op);
  const auto& check = OperatorOf(node.op).check;
  const auto* refused = std::get_if<Refused>(&check);
  if (refused != nullptr && !refused->only_with_known_shape) {
    return Problem{refused->reason, refused->remedy};
  }
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue && uses[static_cast<size_t>(node.outputs[i])] > 0) {
      return Problem{"its second output is used", "use its first output alone"};
    }
  }
  if (const auto* function = std::get_if<CheckFunction*>(&check)) {
    if (std::optional<Problem> problem = (*function)(graph, node, maps)) return problem;
  }
  if (OutputAloneIsUnknown(graph, node)) {
    return Problem{"its output's shape cannot be known", "export with a fixed image size"};
  }
  if (refused != nullptr) return Problem{refused->reason, refused->remedy};
  return std::nullopt;
}

// Escapes names of the file, so that they cannot control the terminal.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

std::vector<UnsupportedNode> FindUnsupported(const Graph& graph) {
  std::vector<UnsupportedNode> unsupported;
  const std::vector<int> uses = graph.CountUses();
  Maps maps(graph);
  for (const Node& node : graph.nodes) {
    std::optional<Problem> problem = node.outputs.empty() || node.outputs[0] == kNoValue
                                         ? Problem{"it has no output", "export the model again"}
                                         : CheckNode(graph, node, maps, uses);
    if (problem.has_value()) {
      unsupported.push_back({node.name, node.op.full_name(), graph.opset,
                             std::move(problem->reason), std::move(problem->remedy)});
    }
    if (!node.outputs.empty() && node.outputs[0] != kNoValue) maps.Add(node);
  }
  return unsupported;
}

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
