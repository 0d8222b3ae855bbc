// Tests views that Slices or a Deconvolution make: SpaceToDepth and DepthToSpace, as ONNX has them
// and as Reshapes and a Transpose.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::CountOps;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::Simplified;
using testing::SimplifiedOperators;
using testing::TextAttribute;

ValueId Reshape(GraphBuilder& b, ValueId x, std::vector<int64_t> shape) {
  return b.Op("Reshape", {x, b.Ints(std::move(shape))});
}

ValueId Transpose(GraphBuilder& b, ValueId x, std::vector<int64_t> order) {
  return b.Op("Transpose", {x}, {IntsAttribute("perm", std::move(order))});
}

TEST(SettleTest, SpaceToDepthOfTheImage) {
  GraphBuilder b;
  const ValueId x = b.Op("SpaceToDepth", {b.Image(3, 6, 4)}, {IntAttribute("blocksize", 2)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(Relu(b, b.Conv(x, 12, 5, 2)))),
            "Slice Slice Slice Slice Concat Conv Relu");
}

// As PyTorch exports nn.PixelUnshuffle.
TEST(SettleTest, PixelUnshuffle) {
  GraphBuilder b;
  ValueId x = Relu(b, b.Conv(b.Image(3, 6, 9), 3, 2, 1));
  x = Reshape(b, x, {1, 2, 2, 3, 3, 3});
  x = Reshape(b, Transpose(b, x, {0, 1, 3, 5, 2, 4}), {1, 18, 2, 3});
  const Graph graph = Simplified(b.Finish(b.Conv(x, 18, 5, 2)));
  EXPECT_EQ(CountOps(graph, "Slice"), 9);
  EXPECT_EQ(CountOps(graph, "Concat"), 1);
}

TEST(SettleTest, SpaceToDepthThenADepthwiseLayer) {
  GraphBuilder b;
  ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 2, 1));
  x = b.Op("SpaceToDepth", {x}, {IntAttribute("blocksize", 2)});
  x = Relu(b, b.Conv(x, 8, 8, 3, {}, 8));
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Conv(x, 8, 3, 1))),
            "Conv Relu Slice Slice Slice Slice Concat Conv Relu Conv");
}

// Both orders, with what computes element by element after it.
TEST(SettleTest, DepthToSpaceBeforeALayer) {
  for (const char* mode : {"DCR", "CRD"}) {
    GraphBuilder b;
    ValueId x = b.Conv(b.Image(3, 3, 4), 3, 12, 1);
    x = Relu(
        b, b.Op("DepthToSpace", {x}, {IntAttribute("blocksize", 2), TextAttribute("mode", mode)}));
    EXPECT_EQ(SimplifiedOperators(b.Finish(b.Conv(x, 3, 2, 3))), "Conv Relu Deconvolution Conv")
        << mode;
  }
}

// At the end the numbers are read in another order, which costs nothing.
TEST(SettleTest, DepthToSpaceAtTheEnd) {
  GraphBuilder b;
  const ValueId x = b.Conv(b.Image(3, 3, 4), 3, 12, 1);
  Graph graph = b.Finish(b.Op("DepthToSpace", {x}, {IntAttribute("blocksize", 2)}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(testing::Operators(graph), "Conv");
  const GraphOutput& output = graph.outputs.front();
  EXPECT_EQ(output.shape, (Shape{1, 3, 6, 8}));
  ASSERT_EQ(output.order.size(), 144U);
  // Row 0, columns 0 and 1 of channel 0 are channels 0 and 3 of position 0.
  EXPECT_EQ(output.order[0], 0);
  EXPECT_EQ(output.order[1], 3 * 12);
}

TEST(SettleTest, BlocksThatDoNotFit) {
  GraphBuilder b;
  Graph graph = b.Finish(
      b.Op("SpaceToDepth", {b.Conv(b.Image(3, 5, 4), 3, 4, 1)}, {IntAttribute("blocksize", 2)}));
  const Status status = RunPasses(graph);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("blocks of 2 do not fit"), std::string::npos);
}

}  // namespace
}  // namespace cssrun::converter
