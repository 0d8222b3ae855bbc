// Tests the ONNX reader: how it reads every form, and that it names the mistake of a bad model.
#include "converter/onnx_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
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

using onnx::ModelProto;
using onnx::TensorProto;
using testing::AddInts;
using testing::AddNode;
using testing::CountOps;
using testing::ExpectBad;
using testing::ExpectStatus;
using testing::FindValue;
using testing::FloatTensor;
using testing::Read;
using testing::SmallModel;
using testing::WriteFile;

TEST(OnnxReaderTest, ReadsASmallModel) {
  const Graph graph = Read(SmallModel());
  ASSERT_EQ(graph.nodes.size(), 4U);
  EXPECT_EQ(graph.nodes[0].op, OpKind::kConv);
  EXPECT_EQ(graph.opset, 13);
  EXPECT_EQ(graph.value(graph.input).name, "image");
  EXPECT_EQ(graph.value(graph.input).shape, (Shape{1, 2, 4, 4}));
  EXPECT_EQ(graph.value(graph.outputs.front().value).name, "logits");
  const Value* weights = FindValue(graph, "conv.weight");
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->constant->shape, (Shape{3, 2, 3, 3}));
  EXPECT_EQ(weights->constant->floats(), testing::RandomFloats(54, 1));
}

TEST(OnnxReaderTest, AFixedBatchBecomesOne) {
  ModelProto model = SmallModel();
  model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_value(32);
  EXPECT_EQ(Read(model).value(0).shape.size(), 4U);
  const Graph graph = Read(model);
  EXPECT_EQ(graph.value(graph.input).shape, (Shape{1, 2, 4, 4}));
}

TEST(OnnxReaderTest, SortsNodes) {
  ModelProto model = SmallModel();
  auto& nodes = *model.mutable_graph()->mutable_node();
  nodes.SwapElements(0, 3);
  nodes.SwapElements(1, 2);
  const Graph graph = Read(model);
  ASSERT_EQ(graph.nodes.size(), 4U);
  EXPECT_EQ(graph.nodes[0].op, OpKind::kConv);
  EXPECT_EQ(graph.nodes[3].op, OpKind::kGemm);
}

TEST(OnnxReaderTest, InitializersAmongTheInputs) {
  ModelProto model = SmallModel();
  model.mutable_graph()->add_input()->set_name("conv.weight");
  EXPECT_EQ(Read(model).nodes.size(), 4U);
}

TEST(OnnxReaderTest, KeepsUnknownOperators) {
  ModelProto model = SmallModel();
  AddNode(model, "Fancy", {"conv"}, "fancy")->set_domain("com.example");
  const Graph graph = Read(model);
  ASSERT_EQ(graph.nodes.size(), 5U);
  EXPECT_EQ(CountOps(graph, "Fancy"), 1);
}

TEST(OnnxReaderTest, FilesThatAreNoModel) {
  ExpectStatus("/nowhere/model.onnx", StatusCode::kIo, {});
  ExpectStatus(std::filesystem::temp_directory_path().string(), StatusCode::kIo, {});
  ExpectStatus(WriteFile("empty.onnx", ""), StatusCode::kBadModel, {"empty"});
  ExpectStatus(WriteFile("text.onnx", "This is no model at all.\n"), StatusCode::kBadModel,
               {"not an ONNX model"});
  const std::string bytes = SmallModel().SerializeAsString();
  ExpectStatus(WriteFile("cut.onnx", bytes.substr(0, bytes.size() / 2)), StatusCode::kBadModel,
               {"cut off"});
}

TEST(OnnxReaderTest, Opsets) {
  for (const int64_t version : {7, 23}) {
    ModelProto model = SmallModel();
    model.mutable_opset_import(0)->set_version(version);
    EXPECT_EQ(Read(model).opset, version);
  }
  ModelProto model = SmallModel();
  model.mutable_opset_import(0)->set_version(6);
  ExpectBad(model, {"opset 6", "7 to 23", "convert_version(model, 13)"});
  model.mutable_opset_import(0)->set_version(24);
  ExpectBad(model, {"opset 24", "7 to 23", "export it again with opset 18"});
  model = SmallModel();
  model.mutable_opset_import(0)->set_domain("com.example");
  ExpectBad(model, {"no opset"});
  model.mutable_opset_import(0)->set_domain("ai.onnx");
  EXPECT_EQ(Read(model).opset, 13);
}

// [batch, rows, columns], as Keras has MNIST's digits.
TEST(OnnxReaderTest, GreyImagesWithoutChannels) {
  ModelProto model;
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& proto = *model.mutable_graph();
  onnx::ValueInfoProto& image = *proto.add_input();
  image.set_name("image");
  onnx::TypeProto_Tensor& type = *image.mutable_type()->mutable_tensor_type();
  type.set_elem_type(TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const int64_t size : {6, 5}) type.mutable_shape()->add_dim()->set_dim_value(size);
  proto.add_output()->set_name("logits");
  *proto.add_initializer() = FloatTensor("weight", {30, 4}, testing::RandomFloats(120, 3));
  AddNode(model, "Flatten", {"image"}, "flat");
  AddNode(model, "Gemm", {"flat", "weight"}, "logits");
  Graph graph = Read(model);
  EXPECT_EQ(graph.value(graph.input).shape, (Shape{1, 1, 6, 5}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
}

onnx::TensorShapeProto* InputShapeOf(ModelProto& model) {
  return model.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape();
}

TEST(OnnxReaderTest, Inputs) {
  ModelProto model = SmallModel();
  InputShapeOf(model)->mutable_dim(2)->set_dim_param("H");
  ExpectBad(model, {"input image", "height", "export with a fixed image size"});
  model = SmallModel();
  InputShapeOf(model)->mutable_dim(3)->set_dim_value(0);
  ExpectBad(model, {"input image", "size 0"});
  InputShapeOf(model)->mutable_dim(3)->set_dim_value(-5);
  ExpectBad(model, {"input image", "size -5"});
  InputShapeOf(model)->mutable_dim(3)->set_dim_value(int64_t{1} << 40);
  ExpectBad(model, {"input image"});
  model = SmallModel();
  InputShapeOf(model)->mutable_dim()->RemoveLast();
  ExpectBad(model, {"input image", "3 dimensions"});
  model = SmallModel();
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      TensorProto::INT32);
  ExpectBad(model, {"input image", "INT32"});
  model = SmallModel();
  model.mutable_graph()->add_input()->set_name("mask");
  ExpectBad(model, {"2 inputs (image, mask)"});
  model = SmallModel();
  model.mutable_graph()->clear_input();
  ExpectBad(model, {"0 inputs"});
}

TEST(OnnxReaderTest, Outputs) {
  ModelProto model = SmallModel();
  model.mutable_graph()->add_output()->set_name("relu");
  const Result<Graph> two = ReadOnnx(testing::WriteModel("two.onnx", model));
  ASSERT_TRUE(two.ok()) << two.status().message();
  ASSERT_EQ(two.value().outputs.size(), 2U);
  EXPECT_EQ(two.value().outputs[1].name, "relu");
  model.mutable_graph()->clear_output();
  ExpectBad(model, {"no output"});
  model.mutable_graph()->add_output()->set_name("nothing");
  ExpectBad(model, {"output nothing"});
}

TEST(OnnxReaderTest, Nodes) {
  ModelProto model = SmallModel();
  model.mutable_graph()->mutable_initializer()->RemoveLast();
  ExpectBad(model, {"node Gemm4 reads fc.weight", "initializer"});
  model = SmallModel();
  AddNode(model, "Relu", {"conv"}, "relu");
  ExpectBad(model, {"relu is defined twice"});
  model = SmallModel();
  *model.mutable_graph()->add_initializer() = FloatTensor("image", {1}, {1});
  AddNode(model, "Relu", {"conv"}, "image");
  ExpectBad(model, {"image"});
  model = SmallModel();
  AddNode(model, "Add", {"conv", "b"}, "a");
  AddNode(model, "Relu", {"a"}, "b");
  ExpectBad(model, {"node Add5", "depends on its own output"});
}

// --- Damage ---

TEST(OnnxReaderTest, EveryCutAndEveryFlippedBitIsSurvived) {
  ModelProto model = SmallModel();
  AddInts(model.mutable_graph()->mutable_node(0), "pads", {1, 1, 1, 1});
  // Smaller weights, so that the structure is most of the file.
  const std::string bytes = model.SerializeAsString();
  const auto survives = [](const std::string& damaged) {
    const std::string path = WriteFile("damaged.onnx", damaged);
    Result<Graph> graph = ReadOnnx(path);
    if (!graph.ok()) {
      EXPECT_EQ(graph.status().message().rfind(path, 0), 0U) << graph.status().message();
      return;
    }
    // A graph that was read must also be safe to simplify and to report on.
    if (RunPasses(graph.value()).ok()) FormatUnsupported(FindUnsupported(graph.value()));
  };
  for (size_t size = 0; size < bytes.size(); ++size) survives(bytes.substr(0, size));
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    survives(damaged);
  }
}

// --- Real models ---

std::string SharedModel(const std::string& name) {
  return std::string(CSSRUN_SOURCE_DIR) + "/../shared/models/" + name;
}

Graph Simplified(const std::string& path) {
  Result<Graph> graph = ReadOnnx(path);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  if (!graph.ok()) return Graph();
  const Status status = RunPasses(graph.value());
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(FindUnsupported(graph.value()).empty())
      << FormatUnsupported(FindUnsupported(graph.value()));
  return std::move(graph).value();
}

TEST(OnnxReaderTest, ResNet20) {
  const std::string path = SharedModel("resnet20.onnx");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const Graph graph = Simplified(path);
  EXPECT_EQ(CountOps(graph, "Conv"), 19);
  EXPECT_EQ(CountOps(graph, "Relu"), 19);
  EXPECT_EQ(CountOps(graph, "Add"), 9);
  // These are all that remains of the zero-padded shortcuts.
  EXPECT_EQ(CountOps(graph, "Slice"), 2);
  EXPECT_EQ(CountOps(graph, "Pad"), 2);
  EXPECT_EQ(graph.nodes.size(), 19U + 19 + 9 + 2 + 2 + 3);
  EXPECT_EQ(graph.value(graph.outputs.front().value).shape, (Shape{1, 10}));
}

TEST(OnnxReaderTest, Vgg16) {
  const std::string path = SharedModel("vgg16slim.onnx");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const Graph graph = Simplified(path);
  EXPECT_EQ(CountOps(graph, "Conv"), 13);
  EXPECT_EQ(CountOps(graph, "MaxPool"), 5);
  EXPECT_EQ(CountOps(graph, "Gemm"), 2);
  EXPECT_EQ(graph.nodes.size(), 13U + 14 + 5 + 1 + 2);
}

TEST(OnnxReaderTest, TheImageIsLimited) {
  const std::string path = testing::WriteModel("limited.onnx", testing::SmallModel());
  NetworkLimits limits;
  limits.neurons = 2 * 4 * 4;
  EXPECT_TRUE(ReadOnnx(path, limits).ok());
  --limits.neurons;
  const Status status = ReadOnnx(path, limits).status();
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  EXPECT_NE(status.message().find("input image has the shape [1, 2, 4, 4], more than 31 numbers; "
                                  "if you trust the file, raise the limit \"neurons\""),
            std::string::npos)
      << status.message();
}

// Exporters leave sizes open by a name, by nothing at all, or (Paddle) as -1.
TEST(OnnxReaderTest, AnOpenSizeIsGiven) {
  for (const bool minus_one : {false, true}) {
    onnx::ModelProto model = testing::SmallModel();
    auto* dims = model.mutable_graph()
                     ->mutable_input(0)
                     ->mutable_type()
                     ->mutable_tensor_type()
                     ->mutable_shape()
                     ->mutable_dim();
    for (const int axis : {2, 3}) {
      if (minus_one) {
        dims->Mutable(axis)->set_dim_value(-1);
      } else {
        dims->Mutable(axis)->set_dim_param("size");
      }
    }
    const std::string path = testing::WriteModel("open.onnx", model);
    EXPECT_FALSE(ReadOnnx(path).ok());
    const Result<Graph> graph = ReadOnnx(path, {}, ImageSize{4, 6});
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_EQ(graph.value().value(graph.value().input).shape, (Shape{1, 2, 4, 6}));
    EXPECT_FALSE(graph.value().has_own_size);
  }
  const std::string fixed = testing::WriteModel("fixed.onnx", testing::SmallModel());
  const Result<Graph> graph = ReadOnnx(fixed, {}, ImageSize{40, 60});
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(graph.value().value(graph.value().input).shape, (Shape{1, 2, 4, 4}));
  EXPECT_TRUE(graph.value().has_own_size);
}

TEST(OnnxReaderTest, AnImageOfBytes) {
  onnx::ModelProto model = testing::SmallModel();
  EXPECT_FALSE(ReadOnnx(testing::WriteModel("floats.onnx", model)).value().takes_bytes);
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::UINT8);
  const Result<Graph> graph = ReadOnnx(testing::WriteModel("bytes.onnx", model));
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_TRUE(graph.value().takes_bytes);
}

TEST(OnnxReaderTest, AnOpenSizeOfChannelsLast) {
  onnx::ModelProto model = testing::SmallModel();
  auto* dims = model.mutable_graph()
                   ->mutable_input(0)
                   ->mutable_type()
                   ->mutable_tensor_type()
                   ->mutable_shape()
                   ->mutable_dim();
  dims->Mutable(1)->set_dim_param("rows");
  dims->Mutable(2)->set_dim_param("columns");
  dims->Mutable(3)->set_dim_value(3);
  const Result<Graph> graph =
      ReadOnnx(testing::WriteModel("last.onnx", model), {}, ImageSize{5, 7});
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(graph.value().value(graph.value().input).shape, (Shape{1, 5, 7, 3}));
}

TEST(OnnxReaderTest, QuantizedModelBecomesConvertible) {
  const std::string path = SharedModel("resnet20-q3.onnx");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  Result<Graph> graph = ReadOnnx(path);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  ASSERT_TRUE(RunPasses(graph.value()).ok());
  // The weights' own quantization folds; Relu, QuantizeLinear, Clip and DequantizeLinear of each of
  // the 19 activations become one node.
  EXPECT_TRUE(FindUnsupported(graph.value()).empty());
  EXPECT_EQ(CountOps(graph.value(), "Quantize"), 19);
  EXPECT_EQ(CountOps(graph.value(), "Relu"), 0);
  for (const Node& node : graph.value().nodes) {
    if (node.op != OpKind::kQuantize) continue;
    EXPECT_EQ(node.Int("low", -1), 0);
    EXPECT_EQ(node.Int("high", -1), 7);
  }
}

TEST(OnnxReaderTest, DemoNetworkLosesItsBatchNormalization) {
  const std::string path = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo/digits.onnx";
  Result<Graph> read = ReadOnnx(path);
  ASSERT_TRUE(read.ok()) << read.status().message();
  const int convolutions = CountOps(read.value(), "Conv");
  EXPECT_GT(CountOps(read.value(), "BatchNormalization"), 0);
  const Graph graph = Simplified(path);
  EXPECT_EQ(CountOps(graph, "BatchNormalization"), 0);
  EXPECT_EQ(CountOps(graph, "Conv"), convolutions);
}

}  // namespace
}  // namespace cssrun::converter
