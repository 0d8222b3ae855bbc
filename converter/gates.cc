#include "converter/gates.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

// Longer formulas than the GELU's are not followed.
constexpr size_t kMostNodes = 16;

class GateFinder {
 public:
  explicit GateFinder(const Graph& graph) : graph_(graph), producer_(graph.values.size(), -1) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const ValueId id : graph.nodes[i].outputs) {
        if (id != kNoValue) producer_[static_cast<size_t>(id)] = static_cast<ptrdiff_t>(i);
      }
    }
  }

  // The gate whose product is node `index`; nothing when it multiplies something else.
  std::optional<Gate> At(size_t index) const {
    const Node& node = graph_.nodes[index];
    if (node.op != OpKind::kMul || node.inputs.size() != 2) return std::nullopt;
    for (const size_t factor : {0, 1}) {
      std::optional<Gate> gate = Between(node.inputs[1 - factor], node.inputs[factor]);
      if (!gate.has_value()) gate = ExcitationOf(node.inputs[1 - factor], node.inputs[factor]);
      if (!gate.has_value()) continue;
      gate->product = index;
      return gate;
    }
    return std::nullopt;
  }

 private:
  const Node* Producer(ValueId id) const {
    if (id == kNoValue) return nullptr;
    const ptrdiff_t index = producer_[static_cast<size_t>(id)];
    return index < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(index)];
  }

  // True for nodes that compute an element from the same element of their inputs.
  bool IsElementwise(const Node& node) const {
    if (IsFunction(node.op)) return true;
    if (node.op == OpKind::kConv) {  // made of arithmetic: one weight for each channel
      const Tensor* weights = graph_.ConstantInput(node, 1);
      return weights != nullptr && weights->shape.size() == 4 &&
             node.Int("group", 1) == weights->shape[0] && weights->shape[2] == 1 &&
             weights->shape[3] == 1;
    }
    return IsOneOf(node.op, {OpKind::kAdd, OpKind::kSub, OpKind::kMul, OpKind::kDiv, OpKind::kClip,
                             OpKind::kRelu, OpKind::kScale, OpKind::kSqrt});
  }

  // Collects the nodes that compute `factor` element by element from `x` and constants alone.
  bool Collect(ValueId factor, ValueId x, std::set<size_t>& nodes) const {
    if (factor == x || graph_.value(factor).constant != nullptr) return true;
    const Node* node = Producer(factor);
    if (node == nullptr || nodes.size() > kMostNodes || !IsElementwise(*node)) return false;
    nodes.insert(static_cast<size_t>(node - graph_.nodes.data()));
    return std::all_of(node->inputs.begin(), node->inputs.end(),
                       [&](ValueId id) { return id == kNoValue || Collect(id, x, nodes); });
  }

  // The gate x * factor(x).
  std::optional<Gate> Between(ValueId x, ValueId factor) const {
    std::set<size_t> nodes;
    if (x == factor || !Collect(factor, x, nodes) || nodes.empty()) {
      // GELU may multiply x by 1/2 first: (x / 2) * (1 + Erf(...)).
      const Node* scaled = Producer(x);
      nodes.clear();
      if (x == factor || scaled == nullptr || !IsScaling(*scaled) ||
          !Collect(factor, scaled->inputs[0], nodes) || nodes.empty()) {
        return std::nullopt;
      }
      nodes.insert(static_cast<size_t>(scaled - graph_.nodes.data()));
    }
    const std::string name = NameOf(nodes);
    if (name.empty()) return std::nullopt;
    return Gate{
        name, "a spiking neuron computes ReLU, not " + name, 0, {nodes.begin(), nodes.end()}};
  }

  bool IsScaling(const Node& node) const {
    return IsElementwise(node) && !IsFunction(node.op) &&
           std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](ValueId id) {
             return id == kNoValue || graph_.value(id).constant != nullptr;
           });
  }

  std::string NameOf(const std::set<size_t>& nodes) const {
    const auto has = [&](const char* op) {
      return std::any_of(nodes.begin(), nodes.end(),
                         [&](size_t i) { return graph_.nodes[i].op.name() == op; });
    };
    if (has("Erf")) return "GELU";
    if (has("Tanh")) return has("Softplus") || has("Exp") ? "Mish" : "GELU";
    if (has("Sigmoid")) return "SiLU";
    if (has("Clip")) return "HardSwish";
    return "";
  }

  // One number for each channel, computed from the means of channels, scales the map.
  std::optional<Gate> ExcitationOf(ValueId x, ValueId factor) const {
    const Shape& map = graph_.value(x).shape;
    const Shape& scales = graph_.value(factor).shape;
    if (map.size() != 4 || scales.size() != 4 || scales[1] != map[1] || scales[2] != 1 ||
        scales[3] != 1 || map == scales) {
      return std::nullopt;
    }
    Gate gate{"squeeze-and-excitation", "it multiplies activations by activations", 0, {}};
    for (const Node* node = Producer(factor); node != nullptr && IsFunction(node->op);
         node = Producer(node->inputs[0])) {
      gate.others.push_back(static_cast<size_t>(node - graph_.nodes.data()));
    }
    return gate;
  }

  const Graph& graph_;
  std::vector<ptrdiff_t> producer_;  // by ValueId; -1 for none
};

}  // namespace

std::vector<Gate> FindGates(const Graph& graph) {
  const GateFinder finder(graph);
  std::vector<Gate> gates;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (std::optional<Gate> gate = finder.At(i); gate.has_value())
      gates.push_back(*std::move(gate));
  }
  return gates;
}

}  // namespace cssrun::converter
