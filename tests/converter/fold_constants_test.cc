// Checks that constant chains, as exporters write them, fold to the numbers that NumPy gives.
#include "converter/passes/fold_constants.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/converter/graph_builder.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;

constexpr int64_t kFar = std::numeric_limits<int64_t>::max();

// Returns the constant that the graph's output became.
const Tensor& Folded(Graph& graph) {
  const Status status = FoldConstants(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(graph.nodes.empty());
  static const Tensor kNothing;
  const Tensor* constant = graph.value(graph.outputs.front().value).constant.get();
  EXPECT_NE(constant, nullptr);
  return constant == nullptr ? kNothing : *constant;
}

std::vector<int64_t> FoldedInts(GraphBuilder& b, ValueId output) {
  Graph graph = b.Finish(output);
  const Tensor& tensor = Folded(graph);
  return tensor.is_float() ? std::vector<int64_t>() : tensor.ints();
}

std::vector<float> FoldedFloats(GraphBuilder& b, ValueId output) {
  Graph graph = b.Finish(output);
  const Tensor& tensor = Folded(graph);
  return tensor.is_float() ? tensor.floats() : std::vector<float>();
}

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

TEST(FoldConstantsTest, PadsOfAZeroPaddedShortcut) {
  // These are the nodes that torch.onnx.export writes for F.pad(x, (0, 0, 0, 0, 8, 8)).
  GraphBuilder b;
  const ValueId zeros = b.Op("ConstantOfShape", {b.Ints({2})},
                             {{"value", std::make_shared<const Tensor>(Tensor{{1}, Ints{0}})}});
  ValueId v = b.Op("Concat", {b.Ints({0, 0, 0, 0, 8, 8}), zeros}, {IntAttribute("axis", 0)});
  v = b.Op("Reshape", {v, b.Ints({-1, 2})});
  v = b.Op("Slice", {v, b.Ints({-1}), b.Ints({-kFar}), b.Ints({0}), b.Ints({-1})});
  v = b.Op("Transpose", {v}, {IntsAttribute("perm", {1, 0})});
  v = b.Op("Cast", {b.Op("Reshape", {v, b.Ints({-1})})}, {IntAttribute("to", 7)});
  EXPECT_EQ(FoldedInts(b, v), (Ints{0, 8, 0, 0, 0, 8, 0, 0}));
}

TEST(FoldConstantsTest, ShapeOfAnActivation) {
  GraphBuilder b;
  const ValueId conv = b.Conv(b.Image(3, 9, 7), 3, 5, 3);
  const ValueId shape = b.Op("Shape", {conv});
  const ValueId some = b.Op("Gather", {shape, b.Ints({1, -1})});
  Graph graph = b.Finish(b.Op("Mul", {some, b.Ints({2})}));
  ASSERT_TRUE(FoldConstants(graph).ok());
  EXPECT_EQ(graph.value(graph.outputs.front().value).constant->ints(), (Ints{10, 10}));
  EXPECT_EQ(graph.nodes.size(), 1U);  // the Conv is not constant
}

TEST(FoldConstantsTest, GatherAlongAnyAxis) {
  GraphBuilder b;
  const ValueId matrix = b.Op("Reshape", {b.Ints({1, 2, 3, 4, 5, 6}), b.Ints({2, 3})});
  EXPECT_EQ(FoldedInts(b, b.Op("Gather", {matrix, b.Ints({2, 0})}, {IntAttribute("axis", 1)})),
            (Ints{3, 1, 6, 4}));
}

TEST(FoldConstantsTest, FloatsAreGatheredAndJoined) {
  GraphBuilder b;
  const ValueId some = b.Op("Gather", {b.Floats({3}, {1, 2, 3}), b.Ints({-1, 0})});
  const ValueId all = b.Op("Concat", {some, b.Floats({1}, {4})}, {IntAttribute("axis", 0)});
  EXPECT_EQ(FoldedFloats(b, all), (Floats{3, 1, 4}));
}

TEST(FoldConstantsTest, ConcatAlongAnyAxis) {
  GraphBuilder b;
  const ValueId a = b.Op("Reshape", {b.Ints({1, 2}), b.Ints({2, 1})});
  const ValueId c = b.Op("Reshape", {b.Ints({3, 4, 5, 6}), b.Ints({2, 2})});
  EXPECT_EQ(FoldedInts(b, b.Op("Concat", {a, c}, {IntAttribute("axis", -1)})),
            (Ints{1, 3, 4, 2, 5, 6}));
}

TEST(FoldConstantsTest, Arithmetic) {
  GraphBuilder b;
  const ValueId row = b.Op("Unsqueeze", {b.Ints({7, -7, 3}), b.Ints({0})});
  const ValueId column = b.Op("Unsqueeze", {b.Ints({2, -2}), b.Ints({1})});
  EXPECT_EQ(FoldedInts(b, b.Op("Div", {row, column})), (Ints{3, -3, 1, -3, 3, -1}));
  b = GraphBuilder();
  const ValueId difference = b.Op("Sub", {b.Floats({2}, {1, 2}), b.Floats({}, {0.5F})});
  EXPECT_EQ(FoldedFloats(b, b.Op("Neg", {difference})), (Floats{-0.5F, -1.5F}));
  b = GraphBuilder();
  const ValueId product = b.Op("Mul", {b.Floats({2}, {3, -4}), b.Floats({}, {0.5F})});
  EXPECT_EQ(FoldedFloats(b, b.Op("Div", {product, b.Floats({2}, {4, 8})})),
            (Floats{0.375F, -0.25F}));
  // The only quotient that does not fit wraps around instead of trapping.
  b = GraphBuilder();
  const int64_t lowest = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(FoldedInts(b, b.Op("Div", {b.Ints({lowest}), b.Ints({-1})})), (Ints{lowest}));
  b = GraphBuilder();
  EXPECT_EQ(FoldedInts(b, b.Op("Add", {b.Ints({kFar}), b.Ints({1})})), (Ints{lowest}));
}

TEST(FoldConstantsTest, Casts) {
  GraphBuilder b;
  const ValueId floats = b.Floats({4}, {1.9F, -1.9F, 1e30F, 0});
  EXPECT_EQ(FoldedInts(b, b.Op("Cast", {floats}, {IntAttribute("to", 7)})), (Ints{1, -1, kFar, 0}));
  EXPECT_EQ(FoldedInts(b, b.Op("Cast", {floats}, {IntAttribute("to", 9)})), (Ints{1, 1, 1, 0}));
  EXPECT_EQ(FoldedInts(b, b.Op("Cast", {b.Ints({3, 0, -4})}, {IntAttribute("to", 9)})),
            (Ints{1, 0, 1}));
  EXPECT_EQ(FoldedFloats(b, b.Op("Cast", {b.Ints({3, -4})}, {IntAttribute("to", 1)})),
            (Floats{3, -4}));
}

// The type of a constant, or of an activation, which is a float.
TEST(FoldConstantsTest, CastLike) {
  GraphBuilder b;
  const ValueId image = b.Image(1, 2, 2);
  EXPECT_EQ(FoldedFloats(b, b.Op("CastLike", {b.Ints({3}), b.Floats({1}, {0.5F})})), (Floats{3}));
  EXPECT_EQ(FoldedFloats(b, b.Op("CastLike", {b.Ints({3}), image})), (Floats{3}));
  EXPECT_EQ(FoldedInts(b, b.Op("CastLike", {b.Floats({1}, {2.5F}), b.Ints({1})})), (Ints{2}));
}

TEST(FoldConstantsTest, RangesAndExpand) {
  GraphBuilder b;
  EXPECT_EQ(FoldedInts(b, b.Op("Range", {b.IntScalar(5), b.IntScalar(-2), b.IntScalar(-3)})),
            (Ints{5, 2, -1}));
  b = GraphBuilder();
  const ValueId column = b.Op("Unsqueeze", {b.Ints({1, 2}), b.Ints({-1})});
  EXPECT_EQ(FoldedInts(b, b.Op("Expand", {column, b.Ints({2, 3})})), (Ints{1, 1, 1, 2, 2, 2}));
}

TEST(FoldConstantsTest, SlicesOfEveryKind) {
  const auto slice = [](int64_t start, int64_t end, int64_t step) {
    GraphBuilder b;
    return FoldedInts(b, b.Op("Slice", {b.Ints({0, 1, 2, 3, 4}), b.Ints({start}), b.Ints({end}),
                                        b.Ints({0}), b.Ints({step})}));
  };
  EXPECT_EQ(slice(1, 4, 1), (Ints{1, 2, 3}));
  EXPECT_EQ(slice(0, kFar, 2), (Ints{0, 2, 4}));
  EXPECT_EQ(slice(-2, kFar, 1), (Ints{3, 4}));
  EXPECT_EQ(slice(-1, -kFar, -1), (Ints{4, 3, 2, 1, 0}));
  EXPECT_EQ(slice(3, 0, -2), (Ints{3, 1}));
  EXPECT_EQ(slice(0, 5, kFar), (Ints{0}));
  EXPECT_EQ(slice(4, 2, 1), (Ints{}));
}

TEST(FoldConstantsTest, QuantizedWeights) {
  GraphBuilder b;
  const ValueId matrix = b.Op("Reshape", {b.Ints({1, 2, 3, 4}), b.Ints({2, 2})});
  const ValueId scales = b.Floats({2}, {0.5F, 2.0F});
  const ValueId zeros = b.Ints({1, 0});
  EXPECT_EQ(
      FoldedFloats(b, b.Op("DequantizeLinear", {matrix, scales, zeros}, {IntAttribute("axis", 0)})),
      (Floats{0, 0.5F, 6, 8}));
}

void ExpectFails(Graph graph, const std::vector<std::string>& parts) {
  const Status status = FoldConstants(graph);
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  }
}

TEST(FoldConstantsTest, ImpossibleNodes) {
  GraphBuilder b;
  ExpectFails(b.Finish(b.Op("Gather", {b.Ints({1, 2}), b.Ints({2})})), {"Gather0", "index 2"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Div", {b.Ints({1}), b.Ints({0})})), {"Div0", "zero"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Add", {b.Ints({1}), b.Floats({1}, {1})})), {"Add0", "types"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("ConstantOfShape", {b.Ints({1 << 20, 1 << 10})})),
              {"ConstantOfShape0", "1048576"});
  b = GraphBuilder();
  ExpectFails(
      b.Finish(b.Op("Concat", {b.Ints({1}), b.Floats({1}, {1})}, {IntAttribute("axis", 0)})),
      {"Concat0", "types"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("ConstantOfShape", {b.Ints({1})},
                            {{"value", std::make_shared<const Tensor>(Tensor{{2}, Ints{0, 1}})}})),
              {"ConstantOfShape0", "[2]", "one element"});
  b = GraphBuilder();
  ExpectFails(
      b.Finish(b.Op("DequantizeLinear", {b.Ints({1, 2, 3}), b.Floats({2}, {1, 2}), b.Ints({0, 0})},
                    {IntAttribute("axis", 0)})),
      {"DequantizeLinear0", "scales", "[3]"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("ConstantOfShape", {b.Ints({-1})})), {"ConstantOfShape0", "[-1]"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Range", {b.IntScalar(0), b.IntScalar(kFar), b.IntScalar(1)})),
              {"Range0"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Range", {b.IntScalar(-kFar), b.IntScalar(kFar), b.IntScalar(1)})),
              {"Range0"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Range", {b.IntScalar(0), b.IntScalar(5), b.IntScalar(0)})),
              {"Range0"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Expand", {b.Ints({1, 2, 3}), b.Ints({2, 2})})), {"Expand0", "[2, 2]"});
}

}  // namespace
}  // namespace cssrun::converter
