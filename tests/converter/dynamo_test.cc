// Tests that models are read as PyTorch's dynamo exporter writes them: its names, its types by
// CastLike, its scalars, its functions, whether they are called or not, its shapes by Reshape.
//
// Put together by hand from what PyTorch 2.5 to 2.9 print of their graphs (onnx_program.model) and
// from onnxscript's functions; none of these versions is in Debian.
#include <gtest/gtest.h>
#include <onnx/defs/parser.h>

#include <string>
#include <vector>

#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/converter/onnx_models.h"
#include "tests/converter/reader_expectations.h"

namespace cssrun::converter {
namespace {

using onnx::ModelProto;
using testing::RandomFloats;

constexpr const char* kFunctions = R"(
<domain: "pkg.onnxscript.torch_lib", opset_import: ["" : 18]>
aten_relu (self) => (result) { result = Relu(self) }
<domain: "pkg.onnxscript.torch_lib.common", opset_import: ["" : 18]>
Rank (input) => (return_val) {
  tmp = Shape(input)
  return_val = Size(tmp)
}
<domain: "pkg.onnxscript.torch_lib.common", opset_import: ["" : 18]>
IsScalar (input) => (return_val) {
  tmp = Shape(input)
  tmp_0 = Size(tmp)
  tmp_1 = Constant<value_int = 0>()
  return_val = Equal(tmp_0, tmp_1)
}
)";

// A residual block, pools, a linear layer. `nodes` is what stands between the two additions.
ModelProto ModelWith(const std::string& batch, const std::string& head, const std::string& nodes) {
  const std::string text = R"(<ir_version: 10, opset_import: ["" : 18,
      "pkg.onnxscript.torch_lib" : 1, "pkg.onnxscript.torch_lib.common" : 1],
      producer_name: "pytorch", producer_version: "2.9.1">
    main_graph (float[)" + batch +
                           R"(, 3, 8, 8] x) => (float[)" + batch + R"(, 5] linear) {
      conv2d = Conv<group = 1, pads = [1, 1, 1, 1], auto_pad = "NOTSET", strides = [1, 1],
                    dilations = [1, 1]>(x, conv1__weight)
      getitem = BatchNormalization<momentum = 0.9, epsilon = 0.00001, training_mode = 0>
                (conv2d, bn1__weight, bn1__bias, bn1__running_mean, bn1__running_var)
      )" + head + nodes + "}" +
                           kFunctions;
  ModelProto model;
  const auto status = onnx::OnnxParser::Parse(model, text.c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  onnx::GraphProto& graph = *model.mutable_graph();
  // ONNX's parser takes no names with dots.
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    for (std::string& input : *node.mutable_input()) {
      if (const size_t at = input.find("__"); at != std::string::npos) input.replace(at, 2, ".");
    }
  }
  const auto add = [&](const std::string& name, const std::vector<int64_t>& dims, bool positive) {
    size_t count = 1;
    for (const int64_t d : dims) count *= static_cast<size_t>(d);
    std::vector<float> values = RandomFloats(count, static_cast<uint32_t>(name.size()));
    for (float& v : values) v = positive ? v * 0.5F + 1 : v;
    *graph.add_initializer() = testing::FloatTensor(name, dims, values);
  };
  add("conv1.weight", {8, 3, 3, 3}, false);
  add("bn1.weight", {8}, true);
  add("bn1.bias", {8}, false);
  add("bn1.running_mean", {8}, false);
  add("bn1.running_var", {8}, true);
  *graph.add_initializer() = testing::IntTensor("bn1.num_batches_tracked", {}, {7});
  add("conv2.weight", {8, 8, 3, 3}, false);
  add("fc.weight", {5, 8}, false);
  add("fc.bias", {5}, false);
  auto* property = model.add_metadata_props();
  property->set_key("pkg.torch.export.ExportedProgram.graph_signature");
  property->set_value("...");
  return model;
}

// With a symbolic batch, after its own optimizer: scalars are initializers, Gemm.
ModelProto Optimized() {
  ModelProto model = ModelWith("s77", "relu = Relu(getitem)", R"(
      conv2d_1 = Conv<pads = [1, 1, 1, 1]>(relu, conv2__weight)
      add_1 = Add(conv2d_1, relu)
      hardtanh = Clip(add_1, val_0, val_6)
      max_pool2d = MaxPool<kernel_shape = [2, 2], strides = [2, 2], pads = [0, 0, 0, 0],
                           dilations = [1, 1], ceil_mode = 0, storage_order = 0,
                           auto_pad = "NOTSET">(hardtanh)
      clone = Identity(max_pool2d)
      mean = ReduceMean<keepdims = 1, noop_with_empty_axes = 0>(clone, val_axes)
      sym_size_int = Shape<end = 1, start = 0>(x)
      val_shape = Concat<axis = 0>(sym_size_int, val_8)
      view = Reshape<allowzero = 1>(mean, val_shape)
      linear = Gemm<alpha = 1.0, beta = 1.0, transA = 0, transB = 1>(view, fc__weight, fc__bias)
  )");
  onnx::GraphProto& graph = *model.mutable_graph();
  *graph.add_initializer() = testing::FloatTensor("val_0", {}, {0});
  *graph.add_initializer() = testing::FloatTensor("val_6", {}, {6});
  *graph.add_initializer() = testing::IntTensor("val_axes", {2}, {-1, -2});
  *graph.add_initializer() = testing::IntTensor("val_8", {1}, {8});
  return model;
}

// As it was before: functions are called, scalars get the type of what they meet, MatMul.
ModelProto NotOptimized() {
  ModelProto model = ModelWith("1", "relu = pkg.onnxscript.torch_lib.aten_relu(getitem)", R"(
      conv2d_1 = Conv<pads = [1, 1, 1, 1]>(relu, conv2__weight)
      alpha = Constant<value_float = 1.0>()
      alpha_0 = CastLike(alpha, relu)
      other = Mul(relu, alpha_0)
      add_1 = Add(conv2d_1, other)
      low = Constant<value_int = 0>()
      low_0 = CastLike(low, add_1)
      high = Constant<value_float = 6.0>()
      high_0 = CastLike(high, add_1)
      hardtanh = Clip(add_1, low_0, high_0)
      max_pool2d = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(hardtanh)
      rank = pkg.onnxscript.torch_lib.common.Rank(max_pool2d)
      axes = Constant<value_ints = [-1, -2]>()
      mean = ReduceMean<keepdims = 1>(max_pool2d, axes)
      shape = Constant<value_ints = [1, 8]>()
      shape_0 = Cast<to = 7>(shape)
      view = Reshape<allowzero = 0>(mean, shape_0)
      t = Transpose<perm = [1, 0]>(fc__weight)
      product = MatMul(view, t)
      linear = Add(product, fc__bias)
  )");
  return model;
}

std::vector<double> AnswerOf(Graph graph, bool simplify) {
  if (simplify) {
    EXPECT_TRUE(RunPasses(graph).ok());
    EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
  } else {
    EXPECT_TRUE(FoldConstants(graph).ok());
    graph.RemoveDeadNodes();
  }
  return testing::NaiveAnswer(graph, RandomFloats(192, 1));
}

TEST(DynamoTest, BothFormsAreReadAndMeanTheSame) {
  const std::vector<double> optimized = AnswerOf(testing::Read(Optimized()), true);
  const std::vector<double> expected = AnswerOf(testing::Read(NotOptimized()), false);
  const std::vector<double> simplified = AnswerOf(testing::Read(NotOptimized()), true);
  ASSERT_EQ(expected.size(), 5U);
  ASSERT_EQ(optimized.size(), 5U);
  ASSERT_EQ(simplified.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(optimized[i], expected[i], 1e-4);
    EXPECT_NEAR(simplified[i], expected[i], 1e-4);
  }
}

}  // namespace
}  // namespace cssrun::converter
