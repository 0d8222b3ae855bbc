#include "converter/passes/sweep.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace cssrun::converter {

Sweep::Sweep(Graph& graph)
    : graph_(graph),
      uses_(graph.CountUses()),
      producer_(graph.values.size(), -1),
      replaced_by_(graph.values.size(), kNoValue) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId id : graph.nodes[i].outputs) {
      if (id != kNoValue) producer_[static_cast<size_t>(id)] = static_cast<ptrdiff_t>(i);
    }
  }
}

// Nodes are visited in order, so what a replaced value stands for has not been replaced earlier by
// something that was itself replaced later, except through Replace() of an older producer.
ValueId Sweep::Current(ValueId id) const {
  while (id != kNoValue && static_cast<size_t>(id) < replaced_by_.size() &&
         replaced_by_[static_cast<size_t>(id)] != kNoValue) {
    id = replaced_by_[static_cast<size_t>(id)];
  }
  return id;
}

Node& Sweep::Visit(size_t index) {
  Node& node = graph_.nodes[index];
  for (ValueId& id : node.inputs) id = Current(id);
  return node;
}

Node* Sweep::Producer(ValueId id) {
  if (id == kNoValue || static_cast<size_t>(id) >= producer_.size()) return nullptr;
  const ptrdiff_t index = producer_[static_cast<size_t>(id)];
  return index < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(index)];
}

void Sweep::Replace(Node& node, ValueId by) {
  const auto output = static_cast<size_t>(node.outputs[0]);
  for (const ValueId id : node.inputs) {
    if (id != kNoValue && static_cast<size_t>(id) < uses_.size()) --uses_[static_cast<size_t>(id)];
  }
  uses_[static_cast<size_t>(by)] += uses_[output];
  uses_[output] = 0;
  replaced_by_[output] = by;
  producer_[output] = -1;
  node.outputs.clear();  // the mark that Finish() looks for
}

void Sweep::SetInput(Node& node, size_t input, ValueId id) {
  --uses_[static_cast<size_t>(node.inputs[input])];
  ++uses_[static_cast<size_t>(id)];
  node.inputs[input] = id;
}

void Sweep::Finish() {
  std::erase_if(graph_.nodes, [](const Node& node) { return node.outputs.empty(); });
  for (Node& node : graph_.nodes) {
    for (ValueId& id : node.inputs) id = Current(id);
  }
  for (GraphOutput& output : graph_.outputs) output.value = Current(output.value);
}

void SetAttribute(Node& node, const std::string& name, AttributeValue value) {
  for (Attribute& attribute : node.attributes) {
    if (attribute.name != name) continue;
    attribute.value = std::move(value);
    return;
  }
  node.attributes.push_back({name, std::move(value)});
}

ValueId AddFloats(Graph& graph, std::string name, Shape shape, std::vector<float> values) {
  auto tensor = std::make_shared<const Tensor>(Tensor{shape, std::move(values)});
  return graph.AddValue(std::move(name), std::move(shape), std::move(tensor));
}

ValueId AddInts(Graph& graph, std::string name, std::vector<int64_t> values) {
  Shape shape = {static_cast<int64_t>(values.size())};
  auto tensor = std::make_shared<const Tensor>(Tensor{shape, std::move(values)});
  return graph.AddValue(std::move(name), std::move(shape), std::move(tensor));
}

}  // namespace cssrun::converter
