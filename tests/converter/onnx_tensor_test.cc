// Tests tensors of ONNX files: every element type and form, external data, and messages about
// mistakes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tests/converter/graph_builder.h"
#include "tests/converter/onnx_models.h"
#include "tests/converter/reader_expectations.h"

namespace cssrun::converter {
namespace {

using onnx::AttributeProto;
using onnx::ModelProto;
using onnx::TensorProto;
using testing::AddNode;
using testing::CountOps;
using testing::ExpectBad;
using testing::ExpectStatus;
using testing::FindValue;
using testing::FloatTensor;
using testing::IntTensor;
using testing::Read;
using testing::SmallModel;
using testing::WriteFile;
using testing::WriteModel;

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

}  // namespace
}  // namespace cssrun::converter
