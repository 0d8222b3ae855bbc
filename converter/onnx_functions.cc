#include "converter/onnx_functions.h"

#include <google/protobuf/unknown_field_set.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "converter/op.h"
#include "converter/operators/operator.h"
#include "fmt/format.h"

namespace cssrun::converter {
namespace {

using onnx::AttributeProto;
using onnx::FunctionProto;
using onnx::NodeProto;

// A few bytes of functions that call each other can ask for any number of nodes.
constexpr int kDeepestCall = 64;
constexpr size_t kMostNodes = size_t{1} << 18;
constexpr size_t kMostBytes = size_t{1} << 31;

// FunctionProto.attribute_proto, attributes with defaults, which ONNX 1.12 does not know yet.
constexpr int kAttributeDefaults = 11;

bool IsOwnDomain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

std::vector<AttributeProto> DefaultsOf(const FunctionProto& function) {
  std::vector<AttributeProto> defaults;
  const google::protobuf::UnknownFieldSet& fields =
      function.GetReflection()->GetUnknownFields(function);
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField& field = fields.field(i);
    if (field.number() != kAttributeDefaults ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    AttributeProto attribute;
    if (attribute.ParseFromString(field.length_delimited())) defaults.push_back(attribute);
  }
  return defaults;
}

class Inliner {
 public:
  Inliner(const std::string& path, onnx::ModelProto& model) : path_(path), model_(model) {}

  Status Run() {
    for (const FunctionProto& function : model_.functions()) {
      functions_.emplace(std::pair(function.domain(), function.name()), &function);
    }
    google::protobuf::RepeatedPtrField<NodeProto> nodes;
    nodes.Swap(model_.mutable_graph()->mutable_node());
    for (NodeProto& node : nodes) {
      if (Status status = Expand(node, 0); !status.ok()) return status;
    }
    return Status::Ok();
  }

 private:
  // The names that a function's values have in the graph.
  using Names = std::unordered_map<std::string, std::string>;

  Status Error(const NodeProto& call, const std::string& what) const {
    return Status::BadModel(fmt::format("{}: node {} calls the function {}, which {}", path_,
                                        call.name(), call.op_type(), what));
  }

  // Adds the node, or what it stands for, to the graph.
  Status Expand(NodeProto& node, int depth) {
    const auto found = functions_.find({node.domain(), node.op_type()});
    if (found == functions_.end()) return Append(node);
    const FunctionProto& function = *found->second;
    if (depth >= kDeepestCall) return Error(node, "calls itself; export the model again");
    if (Status status = CheckOpset(node, function); !status.ok()) return status;
    const std::string prefix = fmt::format("{}.{}/", node.name(), calls_++);
    const Names names = NamesOf(node, function, prefix);
    const std::vector<AttributeProto> defaults = DefaultsOf(function);
    for (const NodeProto& inner : function.node()) {
      NodeProto copy = inner;
      copy.set_name(node.name() + "/" + inner.name());
      for (std::string& name : *copy.mutable_input()) name = NameIn(names, prefix, name);
      for (std::string& name : *copy.mutable_output()) name = NameIn(names, prefix, name);
      ResolveAttributes(node, defaults, copy);
      if (Status status = Expand(copy, depth + 1); !status.ok()) return status;
    }
    return PassInputsOn(node, function);
  }

  static std::string NameIn(const Names& names, const std::string& prefix,
                            const std::string& name) {
    if (name.empty()) return name;
    const auto found = names.find(name);
    return found == names.end() ? prefix + name : found->second;
  }

  static Names NamesOf(const NodeProto& call, const FunctionProto& function,
                       const std::string& prefix) {
    Names names;
    for (int i = 0; i < function.input_size(); ++i) {
      names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
    }
    for (int i = 0; i < function.output_size(); ++i) {
      const std::string& name = function.output(i);
      const bool given = i < call.output_size() && !call.output(i).empty();
      names.emplace(name, given ? call.output(i) : prefix + name);
    }
    return names;
  }

  // A function's output may be one of its inputs.
  Status PassInputsOn(const NodeProto& call, const FunctionProto& function) {
    for (int i = 0; i < function.output_size() && i < call.output_size(); ++i) {
      for (int k = 0; k < function.input_size() && k < call.input_size(); ++k) {
        if (function.output(i) != function.input(k) || call.output(i).empty()) continue;
        NodeProto identity;
        identity.set_op_type("Identity");
        identity.set_name(call.name());
        identity.add_input(call.input(k));
        identity.add_output(call.output(i));
        if (Status status = Append(identity); !status.ok()) return status;
      }
    }
    return Status::Ok();
  }

  // Attributes that refer to the call's get its values, or the function's defaults.
  static void ResolveAttributes(const NodeProto& call, const std::vector<AttributeProto>& defaults,
                                NodeProto& node) {
    google::protobuf::RepeatedPtrField<AttributeProto> attributes;
    attributes.Swap(node.mutable_attribute());
    for (const AttributeProto& attribute : attributes) {
      if (attribute.ref_attr_name().empty()) {
        *node.add_attribute() = attribute;
        continue;
      }
      const AttributeProto* value = Find(call.attribute(), attribute.ref_attr_name());
      if (value == nullptr) value = Find(defaults, attribute.ref_attr_name());
      if (value == nullptr) continue;
      AttributeProto& resolved = *node.add_attribute();
      resolved = *value;
      resolved.set_name(attribute.name());
    }
  }

  template <typename Attributes>
  static const AttributeProto* Find(const Attributes& attributes, const std::string& name) {
    for (const AttributeProto& attribute : attributes) {
      if (attribute.name() == name) return &attribute;
    }
    return nullptr;
  }

  // ONNX demands that an operator means the same in a function as in the model.
  Status CheckOpset(const NodeProto& call, const FunctionProto& function) const {
    const int64_t own = OpsetOf(function.opset_import());
    const int64_t of_model = OpsetOf(model_.opset_import());
    if (own == of_model || own == 0 || of_model == 0) return Status::Ok();
    for (const NodeProto& node : function.node()) {
      if (!IsOwnDomain(node.domain())) continue;
      const Op op = Op::Named("", node.op_type());
      if (VersionAt(op, own) == VersionAt(op, of_model)) continue;
      return Error(call, fmt::format("uses {} of opset {} in a model of opset {}; export the model "
                                     "again with one opset",
                                     node.op_type(), own, of_model));
    }
    return Status::Ok();
  }

  template <typename Imports>
  static int64_t OpsetOf(const Imports& imports) {
    for (const auto& import : imports) {
      if (IsOwnDomain(import.domain())) return import.version();
    }
    return 0;
  }

  Status Append(NodeProto& node) {
    bytes_ += node.ByteSizeLong();
    google::protobuf::RepeatedPtrField<NodeProto>& nodes = *model_.mutable_graph()->mutable_node();
    if (static_cast<size_t>(nodes.size()) >= kMostNodes || bytes_ > kMostBytes) {
      return Status::BadModel(path_ +
                              ": with its functions inlined it has too many nodes; export the "
                              "model again");
    }
    nodes.Add()->Swap(&node);
    return Status::Ok();
  }

  const std::string& path_;
  onnx::ModelProto& model_;
  std::map<std::pair<std::string, std::string>, const FunctionProto*> functions_;
  size_t calls_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

Status InlineFunctions(const std::string& path, onnx::ModelProto& model) {
  if (model.functions_size() == 0) return Status::Ok();
  return Inliner(path, model).Run();
}

}  // namespace cssrun::converter
