// Tests the shapes of every operator, and the message with both shapes when they do not fit.
#include "converter/infer_shapes.h"

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
using testing::TextAttribute;

Shape Inferred(Graph graph) {
  const Status status = InferShapes(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return graph.value(graph.outputs.front().value).shape;
}

void ExpectFails(Graph graph, const std::vector<std::string>& parts) {
  const Status status = InferShapes(graph);
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  }
}

TEST(InferShapesTest, WindowsAndChains) {
  GraphBuilder b;
  ValueId v = b.Conv(b.Image(3, 33, 20), 3, 8, 3,
                     {IntsAttribute("strides", {2, 1}), IntsAttribute("pads", {1, 0, 1, 2})});
  EXPECT_EQ(Inferred(b.Finish(v)), (Shape{1, 8, 17, 20}));
  v = b.Conv(b.Op("Relu", {v}), 8, 6, 3, {IntsAttribute("dilations", {2, 3})}, 2);
  EXPECT_EQ(Inferred(b.Finish(v)), (Shape{1, 6, 13, 14}));
  v = b.Op("MaxPool", {v},
           {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("strides", {2, 2})});
  EXPECT_EQ(Inferred(b.Finish(v)), (Shape{1, 6, 6, 7}));
  v = b.Op("Concat", {v, v, v}, {IntAttribute("axis", -3)});
  EXPECT_EQ(Inferred(b.Finish(v)), (Shape{1, 18, 6, 7}));
  v = b.Op("Transpose", {v}, {IntsAttribute("perm", {0, 2, 3, 1})});
  EXPECT_EQ(Inferred(b.Finish(v)), (Shape{1, 6, 7, 18}));
  v = b.Op("Flatten", {v}, {IntAttribute("axis", -2)});
  EXPECT_EQ(Inferred(b.Finish(v)), (Shape{6, 126}));
}

TEST(InferShapesTest, UnknownOperatorsLeaveShapesUnknown) {
  GraphBuilder b;
  const ValueId v = b.Conv(b.Op("Resize", {b.Image(3, 8, 8)}), 3, 4, 3);
  EXPECT_EQ(Inferred(b.Finish(v)), Shape());
}

TEST(InferShapesTest, UnknownFunctionsKeepTheShape) {
  GraphBuilder b;
  const ValueId v = b.Conv(b.Op("Sigmoid", {b.Image(3, 8, 8)}), 3, 4, 3);
  EXPECT_EQ(Inferred(b.Finish(v)), (Shape{1, 4, 6, 6}));
}

TEST(InferShapesTest, ChannelMismatch) {
  GraphBuilder b;
  ExpectFails(b.Finish(b.Conv(b.Image(3, 8, 8), 4, 6, 3)),
              {"Conv0", "[6, 4, 3, 3]", "[1, 3, 8, 8]"});
}

TEST(InferShapesTest, BiasMismatch) {
  GraphBuilder b;
  const ValueId conv = b.Op("Conv", {b.Image(3, 8, 8), b.Weights({6, 3, 3, 3}), b.Weights({5})});
  ExpectFails(b.Finish(conv), {"Conv0", "[5]", "[6, 3, 3, 3]"});
}

TEST(InferShapesTest, GroupsThatDoNotDivide) {
  for (const int64_t groups : {0, -1, 2}) {
    GraphBuilder b;
    const ValueId conv =
        b.Op("Conv", {b.Image(3, 8, 8), b.Weights({6, 3, 3, 3})}, {IntAttribute("group", groups)});
    ExpectFails(b.Finish(conv), {"Conv0", "groups"});
  }
}

TEST(InferShapesTest, WindowLargerThanTheMap) {
  GraphBuilder b;
  ExpectFails(b.Finish(b.Conv(b.Image(3, 2, 8), 3, 4, 3)), {"Conv0", "[3, 3]", "[1, 3, 2, 8]"});
}

TEST(InferShapesTest, ImpossibleWindows) {
  const std::vector<std::vector<Attribute>> cases = {
      {IntsAttribute("strides", {0, 1})},
      {IntsAttribute("strides", {1})},
      {IntsAttribute("dilations", {1, -1})},
      {IntsAttribute("pads", {1, 1, -1, 1})},
      {IntsAttribute("pads", {1, 1})},
      {IntsAttribute("pads", {1, 1, 1, std::numeric_limits<int64_t>::max()})},
      {IntsAttribute("kernel_shape", {3, 2})},
      {TextAttribute("auto_pad", "SOMEHOW")},
  };
  for (const auto& attributes : cases) {
    GraphBuilder b;
    ExpectFails(b.Finish(b.Conv(b.Image(3, 8, 8), 3, 4, 3, attributes)),
                {"Conv0", attributes[0].name});
  }
}

TEST(InferShapesTest, PoolOverPaddingAlone) {
  GraphBuilder b;
  const ValueId pool =
      b.Op("MaxPool", {b.Image(3, 8, 8)},
           {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("pads", {2, 0, 0, 0})});
  ExpectFails(b.Finish(pool), {"MaxPool0", "[2, 0, 0, 0]"});
}

TEST(InferShapesTest, GemmMismatch) {
  GraphBuilder b;
  const ValueId flat = b.Op("Flatten", {b.Image(3, 2, 2)});
  ExpectFails(b.Finish(b.Op("Gemm", {flat, b.Weights({13, 4})})), {"Gemm1", "[1, 12]", "[13, 4]"});
  b = GraphBuilder();
  const ValueId again = b.Op("Flatten", {b.Image(3, 2, 2)});
  ExpectFails(b.Finish(b.Op("Gemm", {again, b.Weights({12, 4}), b.Weights({5})})),
              {"Gemm1", "[5]", "[1, 4]"});
}

TEST(InferShapesTest, SumMismatch) {
  GraphBuilder b;
  const ValueId image = b.Image(3, 8, 8);
  const ValueId sum = b.Op("Add", {b.Conv(image, 3, 4, 1), image});
  ExpectFails(b.Finish(sum), {"Add1", "[1, 4, 8, 8]", "[1, 3, 8, 8]"});
}

TEST(InferShapesTest, ConcatMismatch) {
  GraphBuilder b;
  const ValueId image = b.Image(3, 8, 8);
  const ValueId joined = b.Op("Concat", {b.Conv(image, 3, 3, 3), image}, {IntAttribute("axis", 1)});
  ExpectFails(b.Finish(joined), {"Concat1", "[1, 3, 6, 6]", "[1, 3, 8, 8]"});
}

TEST(InferShapesTest, ReshapeMismatch) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{1, 191}, {1, -1, -1}, {-1, 5}, {1, -2}, {int64_t{1} << 62, 4, 4}}) {
    GraphBuilder b;
    ExpectFails(b.Finish(b.Op("Reshape", {b.Image(3, 8, 8), b.Ints(shape)})),
                {"Reshape0", "[1, 3, 8, 8]", ToString(shape)});
  }
}

TEST(InferShapesTest, AxesOutside) {
  GraphBuilder b;
  ExpectFails(b.Finish(b.Op("Concat", {b.Image(3, 8, 8)}, {IntAttribute("axis", 4)})),
              {"Concat0", "axis 4"});
  b = GraphBuilder();
  ExpectFails(
      b.Finish(b.Op("Transpose", {b.Image(3, 8, 8)}, {IntsAttribute("perm", {0, 1, 1, 3})})),
      {"Transpose0"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Squeeze", {b.Image(3, 8, 8), b.Ints({1})})), {"Squeeze0", "axis 1"});
  b = GraphBuilder();
  ExpectFails(b.Finish(b.Op("Slice", {b.Image(3, 8, 8), b.Ints({0}), b.Ints({1}), b.Ints({7})})),
              {"Slice0", "axis 7"});
}

TEST(InferShapesTest, SlicesOfEveryKind) {
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max();
  struct {
    int64_t start, end, step, count;
  } const cases[] = {
      {0, kFar, 1, 8}, {0, kFar, 3, 3},    {-3, kFar, 1, 3},       {1, -1, 2, 3},
      {5, 2, 1, 0},    {-1, -kFar, -1, 8}, {-1, -kFar - 1, -3, 3}, {100, -100, -1, 8},
      {6, 0, -2, 3},   {0, 8, kFar, 1},    {7, -100, -kFar, 1},
  };
  for (const auto& c : cases) {
    GraphBuilder b;
    const ValueId v = b.Op("Slice", {b.Image(3, 8, 8), b.Ints({c.start}), b.Ints({c.end}),
                                     b.Ints({-1}), b.Ints({c.step})});
    EXPECT_EQ(Inferred(b.Finish(v)), (Shape{1, 3, 8, c.count}))
        << c.start << ":" << c.end << ":" << c.step;
  }
  GraphBuilder b;
  ExpectFails(b.Finish(b.Op(
                  "Slice", {b.Image(3, 8, 8), b.Ints({0}), b.Ints({8}), b.Ints({2}), b.Ints({0})})),
              {"Slice0", "step"});
}

TEST(InferShapesTest, HugeShapesAreRefused) {
  GraphBuilder b;
  const ValueId v = b.Op(
      "Pad", {b.Image(1000, 1000, 1000), b.Ints({0, 0, 1000000, 1000000, 0, 0, 1000000, 1000000})});
  ExpectFails(b.Finish(v), {"Pad0"});
}

TEST(InferShapesTest, Broadcasting) {
  EXPECT_EQ(Broadcast({1, 3, 4, 4}, {3, 1, 1}), (Shape{1, 3, 4, 4}));
  EXPECT_EQ(Broadcast({}, {2, 5}), (Shape{2, 5}));
  EXPECT_EQ(Broadcast({2, 1}, {1, 5}), (Shape{2, 5}));
  EXPECT_EQ(Broadcast({2, 3}, {2}), std::nullopt);
}

}  // namespace
}  // namespace cssrun::converter
