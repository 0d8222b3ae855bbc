// Tests that calls of model-local functions are replaced by their nodes.
#include "converter/onnx_functions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/converter/onnx_models.h"
#include "tests/converter/reader_expectations.h"

namespace cssrun::converter {
namespace {

using onnx::FunctionProto;
using onnx::ModelProto;
using onnx::NodeProto;
using testing::ExpectBad;
using testing::Read;
using testing::SmallModel;

constexpr const char* kDomain = "pkg.onnxscript.torch_lib";

FunctionProto& AddFunction(ModelProto& model, const std::string& name,
                           const std::vector<std::string>& inputs, const std::string& output) {
  FunctionProto& function = *model.add_functions();
  function.set_domain(kDomain);
  function.set_name(name);
  for (const std::string& input : inputs) function.add_input(input);
  function.add_output(output);
  function.add_opset_import()->set_version(13);
  return function;
}

NodeProto* AddNode(FunctionProto& function, const std::string& op,
                   const std::vector<std::string>& inputs, const std::string& output) {
  NodeProto* node = function.add_node();
  node->set_op_type(op);
  node->set_name("n" + std::to_string(function.node_size()));
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return node;
}

NodeProto& Call(ModelProto& model, int node, const std::string& function) {
  NodeProto& call = *model.mutable_graph()->mutable_node(node);
  call.set_domain(kDomain);
  call.set_op_type(function);
  return call;
}

// The small model with its Relu and its Gemm as functions, of which one calls the other.
ModelProto WithFunctions() {
  ModelProto model = SmallModel();
  FunctionProto& relu = AddFunction(model, "aten_relu", {"self"}, "result");
  AddNode(relu, "Identity", {"self"}, "copy");
  AddNode(relu, "Relu", {"copy"}, "result");
  FunctionProto& twice = AddFunction(model, "relu_twice", {"x"}, "result");
  AddNode(twice, "aten_relu", {"x"}, "copy")->set_domain(kDomain);
  AddNode(twice, "aten_relu", {"copy"}, "result")->set_domain(kDomain);
  FunctionProto& flatten = AddFunction(model, "aten_flatten", {"x"}, "y");
  flatten.add_attribute("start");
  onnx::AttributeProto* axis = AddNode(flatten, "Flatten", {"x"}, "y")->add_attribute();
  axis->set_name("axis");
  axis->set_type(onnx::AttributeProto::INT);
  axis->set_ref_attr_name("start");
  Call(model, 1, "relu_twice");
  onnx::AttributeProto* start = Call(model, 2, "aten_flatten").add_attribute();
  start->set_name("start");
  start->set_type(onnx::AttributeProto::INT);
  start->set_i(1);
  return model;
}

std::vector<double> Logits(Graph graph) {
  EXPECT_TRUE(RunPasses(graph).ok());
  EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
  return testing::NaiveAnswer(graph, testing::RandomFloats(32, 1));
}

TEST(OnnxFunctionsTest, AreInlined) {
  EXPECT_EQ(Logits(Read(WithFunctions())), Logits(Read(SmallModel())));
}

TEST(OnnxFunctionsTest, NodesAreNamedAfterTheirCalls) {
  const Graph graph = Read(WithFunctions());
  EXPECT_EQ(graph.nodes[1].name, "Relu2/n1/n1");
  EXPECT_EQ(testing::CountOps(graph, "Relu"), 2);
}

TEST(OnnxFunctionsTest, DefaultsOfAttributes) {
  // attribute_proto, field 11, which ONNX 1.12's own classes do not have.
  ModelProto model = WithFunctions();
  model.mutable_graph()->mutable_node(2)->clear_attribute();
  onnx::AttributeProto value;
  value.set_name("start");
  value.set_type(onnx::AttributeProto::INT);
  value.set_i(2);
  FunctionProto& flatten = *model.mutable_functions(2);
  flatten.GetReflection()->MutableUnknownFields(&flatten)->AddLengthDelimited(
      11, value.SerializeAsString());
  EXPECT_EQ(Read(model).nodes[5].Int("axis", 0), 2);
  flatten.GetReflection()->MutableUnknownFields(&flatten)->Clear();
  EXPECT_EQ(Read(model).nodes[5].Int("axis", 1), 1);
}

TEST(OnnxFunctionsTest, AnInputThatIsPassedOn) {
  ModelProto model = SmallModel();
  AddFunction(model, "same", {"x"}, "x");
  Call(model, 1, "same");
  EXPECT_EQ(testing::CountOps(Read(model), "Identity"), 1);
}

TEST(OnnxFunctionsTest, TheOpsetMayStandInTheFunctions) {
  ModelProto model = WithFunctions();
  model.clear_opset_import();
  EXPECT_EQ(Read(model).opset, 13);
}

TEST(OnnxFunctionsTest, AnotherMeaningIsRefused) {
  ModelProto model = WithFunctions();
  model.mutable_functions(0)->mutable_opset_import(0)->set_version(14);  // another Relu
  ExpectBad(model, {"aten_relu", "Identity of opset 14", "opset 13", "export the model again"});
  model = WithFunctions();
  model.mutable_functions(2)->mutable_opset_import(0)->set_version(20);  // the same Flatten
  EXPECT_EQ(Read(model).opset, 13);
}

TEST(OnnxFunctionsTest, CirclesAreRefused) {
  ModelProto model = WithFunctions();
  model.mutable_functions(0)->mutable_node(0)->set_domain(kDomain);
  model.mutable_functions(0)->mutable_node(0)->set_op_type("relu_twice");
  ExpectBad(model, {"calls itself", "export the model again"});
}

// Each function calls the one before it twice: 2^40 nodes in a few hundred bytes.
TEST(OnnxFunctionsTest, AvalanchesAreRefused) {
  ModelProto model = SmallModel();
  AddNode(AddFunction(model, "f0", {"x"}, "y"), "Relu", {"x"}, "y");
  for (int i = 1; i <= 40; ++i) {
    const std::string before = "f" + std::to_string(i - 1);
    FunctionProto& function = AddFunction(model, "f" + std::to_string(i), {"x"}, "y");
    AddNode(function, before, {"x"}, "z")->set_domain(kDomain);
    AddNode(function, before, {"z"}, "y")->set_domain(kDomain);
  }
  Call(model, 1, "f40");
  ExpectBad(model, {"too many nodes", "export the model again"});
}

}  // namespace
}  // namespace cssrun::converter
