// The ONNX reader: what it makes of every form, and that it names what is wrong with a bad model.
#include "converter/onnx_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/converter/onnx_models.h"

namespace cssrun::converter {
namespace {

using onnx::AttributeProto;
using onnx::ModelProto;
using onnx::TensorProto;
using testing::AddInts;
using testing::AddNode;
using testing::CountOps;
using testing::FloatTensor;
using testing::IntTensor;
using testing::SmallModel;
using testing::WriteFile;
using testing::WriteModel;

Graph Read(const ModelProto& model) {
  Result<Graph> graph = ReadOnnx(WriteModel("model.onnx", model));
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? std::move(graph).value() : Graph();
}

// The message begins with the path and contains every one of `parts`.
void ExpectStatus(const std::string& path, StatusCode code, const std::vector<std::string>& parts) {
  const Status status = ReadOnnx(path).status();
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_EQ(status.message().rfind(path, 0), 0U) << status.message();
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  }
}

void ExpectBad(const ModelProto& model, const std::vector<std::string>& parts) {
  ExpectStatus(WriteModel("bad.onnx", model), StatusCode::kBadModel, parts);
}

const Value* FindValue(const Graph& graph, const std::string& name) {
  for (const Value& value : graph.values) {
    if (value.name == name) return &value;
  }
  return nullptr;
}

TEST(OnnxReaderTest, ReadsASmallModel) {
  const Graph graph = Read(SmallModel());
  ASSERT_EQ(graph.nodes.size(), 4U);
  EXPECT_EQ(graph.nodes[0].op, OpKind::kConv);
  EXPECT_EQ(graph.opset, 13);
  EXPECT_EQ(graph.value(graph.input).name, "image");
  EXPECT_EQ(graph.value(graph.input).shape, (Shape{1, 2, 4, 4}));
  EXPECT_EQ(graph.value(graph.output).name, "logits");
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

TEST(OnnxReaderTest, ElementTypes) {
  struct {
    int type;
    std::string raw;
    std::vector<float> floats;
    std::vector<int64_t> ints;
  } const cases[] = {
      {TensorProto::FLOAT16,
       {"\x00\x3c\x00\xc0\x01\x00\x00\x04", 8},
       {1.0F, -2.0F, std::ldexp(1.0F, -24), std::ldexp(1.0F, -14)},
       {}},
      {TensorProto::BFLOAT16, {"\x80\x3f\x00\xc0", 4}, {1.0F, -2.0F}, {}},
      {TensorProto::DOUBLE, {"\x00\x00\x00\x00\x00\x00\xf8\x3f", 8}, {1.5F}, {}},
      {TensorProto::INT8, {"\xff\x01", 2}, {}, {-1, 1}},
      {TensorProto::UINT8, {"\xff\x01", 2}, {}, {255, 1}},
      {TensorProto::BOOL, {"\x02\x00", 2}, {}, {1, 0}},
      {TensorProto::INT16, {"\xff\xff", 2}, {}, {-1}},
      {TensorProto::UINT16, {"\xff\xff", 2}, {}, {65535}},
      {TensorProto::INT32, {"\xff\xff\xff\xff", 4}, {}, {-1}},
      {TensorProto::UINT32, {"\xff\xff\xff\xff", 4}, {}, {4294967295}},
      {TensorProto::INT64, {"\xfe\xff\xff\xff\xff\xff\xff\xff", 8}, {}, {-2}},
      {TensorProto::UINT64, {"\x02\x00\x00\x00\x00\x00\x00\x00", 8}, {}, {2}},
  };
  for (const auto& c : cases) {
    ModelProto model = SmallModel();
    TensorProto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("extra");
    tensor.set_data_type(c.type);
    tensor.add_dims(static_cast<int64_t>(c.floats.size() + c.ints.size()));
    tensor.set_raw_data(c.raw);
    const Graph graph = Read(model);
    const Value* value = FindValue(graph, "extra");
    ASSERT_NE(value, nullptr);
    if (c.ints.empty()) {
      EXPECT_EQ(value->constant->floats(), c.floats);
    } else {
      EXPECT_EQ(value->constant->ints(), c.ints);
    }
  }
}

TEST(OnnxReaderTest, TypedFields) {
  ModelProto model = SmallModel();
  auto add = [&](const std::string& name, int type, int64_t count) -> TensorProto& {
    TensorProto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    tensor.add_dims(count);
    return tensor;
  };
  TensorProto& half = add("half", TensorProto::FLOAT16, 2);
  half.add_int32_data(0x3c00);
  half.add_int32_data(0xfc00 - 1);
  add("double", TensorProto::DOUBLE, 1).add_double_data(2.5);
  add("float", TensorProto::FLOAT, 1).add_float_data(0.5F);
  add("int8", TensorProto::INT8, 1).add_int32_data(-3);
  add("uint32", TensorProto::UINT32, 1).add_uint64_data(4000000000);
  add("int64", TensorProto::INT64, 1).add_int64_data(-9);
  const Graph graph = Read(model);
  EXPECT_EQ(FindValue(graph, "half")->constant->floats(), (std::vector<float>{1.0F, -65504.0F}));
  EXPECT_EQ(FindValue(graph, "double")->constant->floats()[0], 2.5F);
  EXPECT_EQ(FindValue(graph, "float")->constant->floats()[0], 0.5F);
  EXPECT_EQ(FindValue(graph, "int8")->constant->ints()[0], -3);
  EXPECT_EQ(FindValue(graph, "uint32")->constant->ints()[0], 4000000000);
  EXPECT_EQ(FindValue(graph, "int64")->constant->ints()[0], -9);
}

TEST(OnnxReaderTest, ConstantNodes) {
  ModelProto model = SmallModel();
  const auto constant = [&](const std::string& output, const std::string& name) {
    AttributeProto* attribute = AddNode(model, "Constant", {}, output)->add_attribute();
    attribute->set_name(name);
    return attribute;
  };
  AttributeProto* a = constant("a", "value");
  a->set_type(AttributeProto::TENSOR);
  *a->mutable_t() = IntTensor("", {2}, {4, 5});
  a = constant("b", "value_float");
  a->set_type(AttributeProto::FLOAT);
  a->set_f(0.25F);
  a = constant("c", "value_floats");
  a->set_type(AttributeProto::FLOATS);
  a->add_floats(1);
  a->add_floats(2);
  a = constant("d", "value_int");
  a->set_type(AttributeProto::INT);
  a->set_i(7);
  a = constant("e", "value_ints");
  a->set_type(AttributeProto::INTS);
  a->add_ints(8);
  const Graph graph = Read(model);
  EXPECT_EQ(CountOps(graph, "Constant"), 0);
  EXPECT_EQ(FindValue(graph, "a")->constant->ints(), (std::vector<int64_t>{4, 5}));
  EXPECT_EQ(FindValue(graph, "b")->constant->floats(), (std::vector<float>{0.25F}));
  EXPECT_EQ(FindValue(graph, "b")->constant->shape, Shape());
  EXPECT_EQ(FindValue(graph, "c")->constant->shape, Shape{2});
  EXPECT_EQ(FindValue(graph, "d")->constant->ints(), (std::vector<int64_t>{7}));
  EXPECT_EQ(FindValue(graph, "e")->constant->shape, Shape{1});
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
  for (const int64_t version : {9, 17}) {
    ModelProto model = SmallModel();
    model.mutable_opset_import(0)->set_version(version);
    EXPECT_EQ(Read(model).opset, version);
  }
  for (const int64_t version : {8, 18}) {
    ModelProto model = SmallModel();
    model.mutable_opset_import(0)->set_version(version);
    ExpectBad(model, {"opset " + std::to_string(version), "export it again with opset 13"});
  }
  ModelProto model = SmallModel();
  model.mutable_opset_import(0)->set_domain("com.example");
  ExpectBad(model, {"no opset"});
  model.mutable_opset_import(0)->set_domain("ai.onnx");
  EXPECT_EQ(Read(model).opset, 13);
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
      TensorProto::UINT8);
  ExpectBad(model, {"input image", "UINT8"});
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
  ExpectBad(model, {"2 outputs (logits, relu)"});
  model.mutable_graph()->clear_output();
  ExpectBad(model, {"0 outputs"});
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

TEST(OnnxReaderTest, Initializers) {
  const auto with = [](const TensorProto& tensor) {
    ModelProto model = SmallModel();
    *model.mutable_graph()->add_initializer() = tensor;
    return model;
  };
  ExpectBad(with(FloatTensor("extra", {5}, {1, 2, 3})), {"initializer extra", "[5]", "20", "12"});
  ExpectBad(with(IntTensor("extra", {5}, {1, 2, 3})), {"initializer extra", "[5]", "5", "3"});
  ExpectBad(with(FloatTensor("extra", {-3}, {1, 2, 3})), {"initializer extra", "[-3]"});
  const int64_t half = int64_t{1} << 32;
  ExpectBad(with(FloatTensor("extra", {half, half}, {})), {"initializer extra"});
  ExpectBad(with(FloatTensor("extra", {0, half, half}, {})), {"initializer extra"});
  ExpectBad(with(FloatTensor("extra", {half, 4}, {1})), {"initializer extra"});
  ExpectBad(with(FloatTensor("extra", {2}, {1, std::numeric_limits<float>::quiet_NaN()})),
            {"initializer extra", "NaN"});
  ExpectBad(with(FloatTensor("extra", {2}, {1, std::numeric_limits<float>::infinity()})),
            {"initializer extra", "infinity"});
  TensorProto tensor = FloatTensor("extra", {1}, {1});
  tensor.set_data_type(TensorProto::STRING);
  ExpectBad(with(tensor), {"initializer extra", "STRING"});
  tensor.set_data_type(9999);
  ExpectBad(with(tensor), {"initializer extra", "9999"});
  tensor = TensorProto();
  tensor.set_name("extra");
  tensor.set_data_type(TensorProto::DOUBLE);
  tensor.add_dims(1);
  tensor.add_double_data(1e300);
  ExpectBad(with(tensor), {"initializer extra", "infinity"});
  tensor.set_data_type(TensorProto::UINT64);
  tensor.clear_double_data();
  tensor.add_uint64_data(std::numeric_limits<uint64_t>::max());
  ExpectBad(with(tensor), {"initializer extra", "2^63"});
  ModelProto model = SmallModel();
  model.mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("thin");
  ExpectBad(model, {"initializer thin", "sparse"});
}

// --- External data ---

TensorProto ExternalTensor(const std::string& location, const std::string& offset,
                           const std::string& length) {
  TensorProto tensor = FloatTensor("extra", {3}, {});
  tensor.clear_raw_data();
  tensor.set_data_location(TensorProto::EXTERNAL);
  const auto add = [&](const char* key, const std::string& value) {
    if (value.empty()) return;
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", location);
  add("offset", offset);
  add("length", length);
  return tensor;
}

ModelProto WithExternal(const std::string& location, const std::string& offset = "",
                        const std::string& length = "") {
  ModelProto model = SmallModel();
  *model.mutable_graph()->add_initializer() = ExternalTensor(location, offset, length);
  return model;
}

std::string Bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST(OnnxReaderTest, ExternalData) {
  WriteFile("weights/data.bin", Bytes({1, 2, 3, 4, 5}));
  const Graph graph = Read(WithExternal("weights/data.bin", "8", "12"));
  EXPECT_EQ(FindValue(graph, "extra")->constant->floats(), (std::vector<float>{3, 4, 5}));
  const Graph whole = Read(WithExternal("./weights//data.bin"));
  EXPECT_EQ(FindValue(whole, "extra")->constant->floats(), (std::vector<float>{1, 2, 3}));
}

TEST(OnnxReaderTest, ExternalDataOutsideOfTheFolder) {
  const std::string inside = WriteFile("data.bin", Bytes({1, 2, 3}));
  const std::filesystem::path folder = std::filesystem::path(inside).parent_path();
  WriteFile("weights/data.bin", Bytes({1, 2, 3}));
  for (const std::string& location :
       {inside, std::string("../") + folder.filename().string() + "/data.bin",
        std::string("weights/../data.bin"), std::string(""), std::string("."),
        std::string("data.bin\0", 9)}) {
    ExpectBad(WithExternal(location), {"initializer extra", "inside the model's folder"});
  }
  std::filesystem::remove(folder / "link.bin");
  std::filesystem::create_symlink(inside, folder / "link.bin");
  ExpectBad(WithExternal("link.bin"), {"initializer extra", "link.bin", "symbolic link"});
  std::filesystem::remove(folder / "linked");
  std::filesystem::create_directory_symlink(folder / "weights", folder / "linked");
  ExpectBad(WithExternal("linked/data.bin"), {"initializer extra", "symbolic link"});
  ExpectBad(WithExternal("weights"), {"initializer extra", "not a regular file"});
  ExpectBad(WithExternal("data.bin/more"), {"initializer extra"});
  ExpectStatus(WriteModel("bad.onnx", WithExternal("missing.bin")), StatusCode::kIo,
               {"initializer extra", "missing.bin"});
}

TEST(OnnxReaderTest, ExternalDataOutsideOfTheFile) {
  WriteFile("data.bin", Bytes({1, 2, 3}));
  ExpectBad(WithExternal("data.bin", "4"), {"initializer extra", "12 bytes", "offset 4"});
  ExpectBad(WithExternal("data.bin", "999999999999999999"), {"initializer extra", "truncated"});
  ExpectBad(WithExternal("data.bin", "", "8"), {"initializer extra", "8 bytes"});
  for (const char* number : {"-4", "x", "99999999999999999999999", " 1"}) {
    ExpectBad(WithExternal("data.bin", number), {"initializer extra", "offset"});
  }
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
    // What is read must also be safe to simplify and to report on.
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
  // Of the zero-padded shortcuts only these remain.
  EXPECT_EQ(CountOps(graph, "Slice"), 2);
  EXPECT_EQ(CountOps(graph, "Pad"), 2);
  EXPECT_EQ(graph.nodes.size(), 19U + 19 + 9 + 2 + 2 + 3);
  EXPECT_EQ(graph.value(graph.output).shape, (Shape{1, 10}));
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

TEST(OnnxReaderTest, QuantizedModelBecomesConvertible) {
  const std::string path = SharedModel("resnet20-q3.onnx");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  Result<Graph> graph = ReadOnnx(path);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  ASSERT_TRUE(RunPasses(graph.value()).ok());
  // Its weights fold; Relu, QuantizeLinear, Clip and DequantizeLinear of 19 activations are one
  // node.
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
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
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
