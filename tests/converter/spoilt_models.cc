#include "tests/converter/spoilt_models.h"

#include "tests/converter/graph_builder.h"

namespace cssrun::converter::testing {

using onnx::AttributeProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

NodeProto* NodeAt(ModelProto& model, int index) {
  return model.mutable_graph()->mutable_node(index);
}

TensorProto* WeightsAt(ModelProto& model, int index) {
  return model.mutable_graph()->mutable_initializer(index);
}

onnx::TypeProto_Tensor* InputType(ModelProto& model) {
  return model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
}

onnx::TensorShapeProto_Dimension* InputSize(ModelProto& model, int axis) {
  return InputType(model)->mutable_shape()->mutable_dim(axis);
}

void RemoveWeights(ModelProto& model, int index) {
  model.mutable_graph()->mutable_initializer()->DeleteSubrange(index, 1);
}

void AddInt(NodeProto* node, const std::string& name, int64_t value) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::INT);
  attribute->set_i(value);
}

void AddFloat(NodeProto* node, const std::string& name, float value) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::FLOAT);
  attribute->set_f(value);
}

void AddText(NodeProto* node, const std::string& name, const std::string& value) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::STRING);
  attribute->set_s(value);
}

void AddConstant(ModelProto& model, const TensorProto& tensor) {
  *model.mutable_graph()->add_initializer() = tensor;
}

NodeProto* Insert(ModelProto& model, const std::string& op, const Parts& more) {
  Parts inputs = {"relu"};
  inputs.insert(inputs.end(), more.begin(), more.end());
  NodeProto* node = AddNode(model, op, inputs, "inserted");
  NodeAt(model, kFlatten)->set_input(0, "inserted");
  return node;
}

NodeProto* InsertPool(ModelProto& model, const std::string& op) {
  NodeProto* pool = Insert(model, op);
  AddInts(pool, "kernel_shape", {2, 2});
  return pool;
}

void TakeFeatures(ModelProto& model, int64_t features) {
  *WeightsAt(model, kGemmWeight) =
      FloatTensor("fc.weight", {features, 3}, RandomFloats(static_cast<size_t>(features) * 3, 1));
}

}  // namespace cssrun::converter::testing
