#include "converter/graph.h"

#include <algorithm>
#include <utility>

namespace cssrun::converter {
namespace {

template <typename T>
T Lookup(const Node& node, const std::string& attribute, T fallback) {
  const AttributeValue* found = node.Find(attribute);
  const T* typed = found == nullptr ? nullptr : std::get_if<T>(found);
  return typed == nullptr ? fallback : *typed;
}

}  // namespace

const AttributeValue* Node::Find(const std::string& attribute) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& a) { return a.name == attribute; });
  return found == attributes.end() ? nullptr : &found->value;
}

int64_t Node::Int(const std::string& attribute, int64_t fallback) const {
  return Lookup<int64_t>(*this, attribute, fallback);
}

float Node::Float(const std::string& attribute, float fallback) const {
  return Lookup<float>(*this, attribute, fallback);
}

std::string Node::String(const std::string& attribute, const std::string& fallback) const {
  return Lookup<std::string>(*this, attribute, fallback);
}

std::vector<int64_t> Node::Ints(const std::string& attribute, std::vector<int64_t> fallback) const {
  return Lookup<std::vector<int64_t>>(*this, attribute, std::move(fallback));
}

const Tensor* Graph::ConstantInput(const Node& node, size_t index) const {
  if (index >= node.inputs.size() || node.inputs[index] == kNoValue) return nullptr;
  return value(node.inputs[index]).constant.get();
}

ValueId Graph::AddValue(std::string name, Shape shape, std::shared_ptr<const Tensor> constant) {
  values.push_back({std::move(name), std::move(shape), std::move(constant)});
  return static_cast<ValueId>(values.size() - 1);
}

std::vector<int> Graph::CountUses() const {
  std::vector<int> uses(values.size(), 0);
  for (const Node& node : nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) ++uses[static_cast<size_t>(id)];
    }
  }
  for (const GraphOutput& output : outputs) {
    if (output.value != kNoValue) ++uses[static_cast<size_t>(output.value)];
  }
  return uses;
}

void Graph::RemoveDeadNodes() {
  std::vector<int> uses = CountUses();
  // The loop goes backwards, so that a node whose only reader is dead is removed in the same pass.
  for (size_t i = nodes.size(); i-- > 0;) {
    const Node& node = nodes[i];
    const bool read = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return id != kNoValue && uses[static_cast<size_t>(id)] > 0;
    });
    if (read) continue;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) --uses[static_cast<size_t>(id)];
    }
    nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (uses[i] == 0) values[i].constant.reset();
  }
}

int64_t ElementCount(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace cssrun::converter
