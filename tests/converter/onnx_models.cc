#include "tests/converter/onnx_models.h"

#include <gtest/gtest.h>

#include "tests/converter/graph_builder.h"
#include "tests/temporary_folder.h"

namespace cssrun::converter::testing {

onnx::TensorProto FloatTensor(const std::string& name, const std::vector<int64_t>& dims,
                              const std::vector<float>& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t size : dims) tensor.add_dims(size);
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

onnx::TensorProto IntTensor(const std::string& name, const std::vector<int64_t>& dims,
                            const std::vector<int64_t>& values) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  for (const int64_t size : dims) tensor.add_dims(size);
  for (const int64_t value : values) tensor.add_int64_data(value);
  return tensor;
}

onnx::NodeProto* AddNode(onnx::ModelProto& model, const std::string& op,
                         const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto* node = model.mutable_graph()->add_node();
  node->set_op_type(op);
  node->set_name(op + std::to_string(model.graph().node_size()));
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return node;
}

onnx::AttributeProto* AddInts(onnx::NodeProto* node, const std::string& name,
                              const std::vector<int64_t>& values) {
  onnx::AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const int64_t value : values) attribute->add_ints(value);
  return attribute;
}

onnx::ModelProto SmallModel() {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  onnx::ValueInfoProto& image = *graph.add_input();
  image.set_name("image");
  onnx::TypeProto_Tensor& type = *image.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const int64_t size : {2, 4, 4}) type.mutable_shape()->add_dim()->set_dim_value(size);
  graph.add_output()->set_name("logits");
  *graph.add_initializer() = FloatTensor("conv.weight", {3, 2, 3, 3}, RandomFloats(54, 1));
  *graph.add_initializer() = FloatTensor("conv.bias", {3}, RandomFloats(3, 2));
  *graph.add_initializer() = FloatTensor("fc.weight", {12, 3}, RandomFloats(36, 3));
  AddNode(model, "Conv", {"image", "conv.weight", "conv.bias"}, "conv");
  AddNode(model, "Relu", {"conv"}, "relu");
  AddNode(model, "Flatten", {"relu"}, "flat");
  AddNode(model, "Gemm", {"flat", "fc.weight"}, "logits");
  return model;
}

std::string WriteFile(const std::string& name, const std::string& bytes) {
  // Tests of one program may run at the same time, each in a process of its own, which removes its
  // folder at its end.
  static const TemporaryFolder folder;
  return folder.Write(name, bytes);
}

std::string WriteModel(const std::string& name, const onnx::ModelProto& model) {
  return WriteFile(name, model.SerializeAsString());
}

}  // namespace cssrun::converter::testing
