// Tests channels-last models and channel shuffles: no Transpose remains, and the answers are the
// same.
#include "converter/passes/follow_addresses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/passes/replace_splits.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::kPadOne;
using testing::RandomFloats;

ValueId Transpose(GraphBuilder& b, ValueId x, std::vector<int64_t> order) {
  return b.Op("Transpose", {x}, {IntsAttribute("perm", std::move(order))});
}

ValueId ToFirst(GraphBuilder& b, ValueId x) { return Transpose(b, x, {0, 3, 1, 2}); }
ValueId ToLast(GraphBuilder& b, ValueId x) { return Transpose(b, x, {0, 2, 3, 1}); }
ValueId Reshape(GraphBuilder& b, ValueId x, std::vector<int64_t> shape) {
  return b.Op("Reshape", {x, b.Ints(std::move(shape))});
}

ValueId Shuffle(GraphBuilder& b, ValueId x, const Shape& map, int64_t groups) {
  const ValueId split = Reshape(b, x, {1, groups, map[1] / groups, map[2], map[3]});
  return Reshape(b, Transpose(b, split, {0, 2, 1, 3, 4}), map);
}

ValueId Dense(GraphBuilder& b, ValueId x, int64_t from, int64_t to) {
  return b.Op("MatMul", {x, b.Weights({from, to})});
}

std::vector<float> ChannelsFirst(const std::vector<float>& image, const Shape& first) {
  std::vector<float> turned;
  for (int64_t c = 0; c < first[1]; ++c) {
    for (int64_t p = 0; p < first[2] * first[3]; ++p) {
      turned.push_back(image[static_cast<size_t>(p * first[1] + c)]);
    }
  }
  return turned;
}

// Checks that the graph still computes the same after the pass, and returns the operators that
// remain.
std::string Remaining(Graph graph) {
  Graph before = graph;
  EXPECT_TRUE(ReplaceSplits(before).ok());
  EXPECT_TRUE(FoldConstants(before).ok());
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(FindUnsupported(graph).size(), 0U) << FormatUnsupported(FindUnsupported(graph));
  if (!status.ok()) return "";
  const Shape& given = before.value(before.input).shape;
  const Shape& taken = graph.value(graph.input).shape;
  const auto image = RandomFloats(static_cast<size_t>(ElementCount(given)), 3);
  const auto expected = testing::NaiveAnswer(before, image);
  const auto actual =
      testing::NaiveAnswer(graph, given == taken ? image : ChannelsFirst(image, taken));
  EXPECT_EQ(actual.size(), expected.size());
  double largest = 1;
  for (const double v : expected) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-5 * largest);
  }
  std::string text;
  for (const Node& node : graph.nodes) text.append(text.empty() ? "" : " ").append(node.op.name());
  return text;
}

TEST(FollowAddressesTest, ChannelsLastModel) {
  GraphBuilder b;
  const ValueId image = b.Image(7, 6, 3);  // rows, columns, channels
  const ValueId conv = Relu(b, b.Conv(ToFirst(b, image), 3, 4, 3, {kPadOne}));
  const ValueId flat = Reshape(b, ToLast(b, conv), {1, -1});
  Graph graph = b.Finish(Dense(b, flat, 7 * 6 * 4, 5));
  EXPECT_EQ(Remaining(graph), "Conv Relu Flatten Gemm");
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(graph.value(graph.input).shape, (Shape{1, 3, 7, 6}));
}

TEST(FollowAddressesTest, ImageNormalizedBeforeItIsTransposed) {
  GraphBuilder b;
  const ValueId centred = b.Op("Sub", {b.Image(5, 6, 3), b.Weights({3})});
  const ValueId scaled = b.Op("Div", {centred, b.Positive({1, 1, 1, 3})});
  const ValueId conv = Relu(b, b.Conv(ToFirst(b, scaled), 3, 4, 3));
  const ValueId mean = b.Op("GlobalAveragePool", {conv});
  EXPECT_EQ(Remaining(b.Finish(Dense(b, b.Op("Flatten", {mean}), 4, 5))),
            "Conv Relu GlobalAveragePool Flatten Gemm");
}

TEST(FollowAddressesTest, ChannelsLastBetweenTheLayers) {
  GraphBuilder b;
  const ValueId image = b.Image(8, 9, 3);
  const ValueId x = ToLast(b, b.Conv(ToFirst(b, image), 3, 4, 3, {kPadOne}));
  const ValueId y = ToLast(b, b.Conv(ToFirst(b, image), 3, 4, 1));
  const ValueId sum = Relu(b, b.Op("Add", {b.Op("Add", {x, b.Weights({4})}), y}));
  const ValueId wide = b.Op("Concat", {sum, Relu(b, y)}, {IntAttribute("axis", 3)});
  const ValueId padded = b.Op("Pad", {wide, b.Ints({0, 1, 0, 0, 0, 0, 2, 0})});
  const ValueId pooled =
      b.Op("MaxPool", {ToFirst(b, padded)}, {IntsAttribute("kernel_shape", {2, 2})});
  const ValueId mean = b.Op("ReduceMean", {Relu(b, ToLast(b, pooled))},
                            {IntsAttribute("axes", {1, 2}), IntAttribute("keepdims", 0)});
  const std::string operators = Remaining(b.Finish(Dense(b, mean, 8, 5)));
  EXPECT_EQ(operators.find("Transpose"), std::string::npos) << operators;
  EXPECT_NE(operators.find("GlobalAveragePool"), std::string::npos) << operators;
}

TEST(FollowAddressesTest, ShuffledGroups) {
  GraphBuilder b;
  ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 8, 3, {kPadOne}));
  x = Shuffle(b, b.Conv(x, 8, 12, 1, {}, 4), {1, 12, 6, 6}, 4);
  // For a depthwise convolution its kernels are moved, and the weights of what follows.
  x = Relu(b, b.BatchNorm(b.Conv(x, 12, 12, 3, {kPadOne}, 12), 12));
  x = b.Op("AveragePool", {x}, {IntsAttribute("kernel_shape", {2, 2})});
  x = Relu(b, b.Conv(x, 12, 6, 1));
  const ValueId mean = b.Op("Flatten", {b.Op("GlobalAveragePool", {x})});
  EXPECT_EQ(Remaining(b.Finish(Dense(b, mean, 6, 5))),
            "Conv Relu Conv Conv Relu AveragePool Conv Relu GlobalAveragePool Flatten Gemm");
}

TEST(FollowAddressesTest, ShuffledMapIntoGroups) {
  // A grouped convolution cannot take other channels, so a convolution of ones and zeros moves
  // them.
  GraphBuilder b;
  ValueId x = Relu(b, b.Conv(b.Image(3, 5, 5), 3, 8, 3, {kPadOne}));
  x = Relu(b, b.Conv(Shuffle(b, x, {1, 8, 5, 5}, 2), 8, 4, 3, {kPadOne}, 2));
  const ValueId mean = b.Op("Flatten", {b.Op("GlobalAveragePool", {x})});
  EXPECT_EQ(Remaining(b.Finish(Dense(b, mean, 4, 5))),
            "Conv Relu Conv Conv Relu GlobalAveragePool Flatten Gemm");
}

TEST(FollowAddressesTest, SplitsAndShufflesOfShuffleNet) {
  GraphBuilder b;
  ValueId x = Relu(b, b.Conv(b.Image(3, 6, 5), 3, 8, 3, {kPadOne}));
  for (int unit = 0; unit < 2; ++unit) {
    // Splits into halves, with and without stated lengths.
    std::vector<ValueId> inputs = {x};
    if (unit == 0) inputs.push_back(b.Ints({4, 4}));
    const ValueId first = b.Op("Split", std::move(inputs), {IntAttribute("axis", 1)});
    const ValueId second = b.graph.AddValue("second" + std::to_string(unit), {});
    b.graph.nodes.back().outputs.push_back(second);
    ValueId y = Relu(b, b.Conv(second, 4, 4, 1));
    y = b.Conv(y, 4, 4, 3, {kPadOne}, 4);
    y = Relu(b, b.Conv(y, 4, 4, 1));
    x = b.Op("Concat", {first, y}, {IntAttribute("axis", 1)});
    x = Shuffle(b, x, {1, 8, 6, 5}, 2);
  }
  const ValueId mean = b.Op("Flatten", {b.Op("GlobalAveragePool", {x})});
  const std::string operators = Remaining(b.Finish(Dense(b, mean, 8, 5)));
  for (const char* op : {"Transpose", "Reshape", "Split"}) {
    EXPECT_EQ(operators.find(op), std::string::npos) << operators;
  }
}

TEST(FollowAddressesTest, DimensionsOfOneComeAndGo) {
  GraphBuilder b(1, 11);
  const ValueId conv = Relu(b, b.Conv(b.Image(3, 5, 5), 3, 4, 5));
  const ValueId squeezed = b.Op("Squeeze", {conv}, {IntsAttribute("axes", {2, 3})});
  const ValueId back = b.Op("Unsqueeze", {squeezed}, {IntsAttribute("axes", {2, 3})});
  const ValueId again = Relu(b, b.Conv(back, 4, 6, 1));
  const ValueId logits = b.Op("Squeeze", {again}, {IntsAttribute("axes", {-1, -2})});
  EXPECT_EQ(Remaining(b.Finish(logits)), "Conv Relu Conv Relu Flatten");
}

TEST(FollowAddressesTest, WhatCannotBeFollowedIsReported) {
  GraphBuilder b;
  const ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 4, 3));
  const ValueId turned = Transpose(b, x, {0, 1, 3, 2});  // rows become columns
  Graph graph = b.Finish(b.Conv(turned, 4, 4, 3));
  ASSERT_TRUE(RunPasses(graph).ok());
  const auto unsupported = FindUnsupported(graph);
  ASSERT_EQ(unsupported.size(), 1U) << FormatUnsupported(unsupported);
  EXPECT_EQ(unsupported[0].op, "Transpose");
}

// As Keras and torch apply a dense layer to every position: a 1x1 convolution.
TEST(FollowAddressesTest, DenseLayersOverMaps) {
  GraphBuilder b;
  const ValueId x = Relu(b, b.Conv(ToFirst(b, b.Image(5, 6, 3)), 3, 4, 3, {kPadOne}));
  const ValueId hidden = b.Op("Add", {Dense(b, ToLast(b, x), 4, 7), b.Weights({7})});
  const ValueId wide = b.Op("Add", {b.Weights({5, 6, 2}), Dense(b, Relu(b, hidden), 7, 2)});
  EXPECT_EQ(Remaining(b.Finish(Relu(b, ToFirst(b, wide)))),
            "Conv Relu Conv Relu Conv Slice Conv Relu Conv Add Relu");
}

// Rows of a matrix, as tf.tensordot has them, tokens, and a matrix on the left.
TEST(FollowAddressesTest, DenseLayersOverRows) {
  const auto hidden = [](GraphBuilder& b) {
    return Relu(b, b.Conv(b.Image(3, 5, 6), 3, 4, 3, {kPadOne}));
  };
  const char* expected = "Conv Relu Conv Relu GlobalAveragePool Flatten";
  GraphBuilder rows;
  const ValueId product = rows.Op(
      "Gemm",
      {Reshape(rows, ToLast(rows, hidden(rows)), {-1, 4}), rows.Weights({7, 4}), rows.Weights({7})},
      {IntAttribute("transB", 1), testing::FloatAttribute("alpha", 0.5F),
       testing::FloatAttribute("beta", 2)});
  EXPECT_EQ(Remaining(rows.Finish(
                rows.Op("ReduceMean", {Relu(rows, Reshape(rows, product, {1, 5, 6, 7}))},
                        {IntsAttribute("axes", {1, 2}), IntAttribute("keepdims", 0)}))),
            expected);
  GraphBuilder tokens;
  const ValueId sequence =
      Transpose(tokens, Reshape(tokens, hidden(tokens), {1, 4, 30}), {0, 2, 1});
  EXPECT_EQ(Remaining(tokens.Finish(
                tokens.Op("ReduceMean", {Relu(tokens, Dense(tokens, sequence, 4, 7))},
                          {IntsAttribute("axes", {1}), IntAttribute("keepdims", 0)}))),
            expected);
  GraphBuilder left;
  const ValueId by_channel = Reshape(left, hidden(left), {1, 4, 30});
  EXPECT_EQ(Remaining(left.Finish(left.Op(
                "ReduceMean", {Relu(left, left.Op("MatMul", {left.Weights({7, 4}), by_channel}))},
                {IntsAttribute("axes", {2}), IntAttribute("keepdims", 0)}))),
            expected);
}

}  // namespace
}  // namespace cssrun::converter
