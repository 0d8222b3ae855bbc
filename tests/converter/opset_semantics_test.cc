// Tests what an operator means on both sides of a version that changed its meaning: where the same
// numbers stand elsewhere, and where the same node means something else.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/passes/replace_splits.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::FloatAttribute;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::Operators;
using testing::Simplified;
using testing::SimplifiedOperators;

ValueId Relu(GraphBuilder& b) { return b.Op("Relu", {b.Conv(b.Image(3, 6, 6), 3, 4, 3)}); }

std::vector<UnsupportedNode> Unsupported(Graph graph) {
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return FindUnsupported(graph);
}

TEST(OpsetSemanticsTest, SoftmaxWithoutAxis) {
  // Over [1, 4, 1, 1] the default axis is 1, and everything behind it, before opset 13; then the
  // last one, which has one element only.
  for (const int64_t opset : {12, 13}) {
    GraphBuilder b(1, opset);
    const ValueId mean = b.Op("GlobalAveragePool", {Relu(b)});
    EXPECT_EQ(Unsupported(b.Finish(b.Op("Softmax", {mean}))).size(), opset < 13 ? 0U : 1U);
  }
}

TEST(OpsetSemanticsTest, AxesOfReduceMean) {
  std::vector<double> logits[2];
  for (const int64_t opset : {17, 18}) {
    GraphBuilder b(1, opset);
    const ValueId x = Relu(b);
    const ValueId mean = opset < 18 ? b.Op("ReduceMean", {x}, {IntsAttribute("axes", {2, 3})})
                                    : b.Op("ReduceMean", {x, b.Ints({2, 3})});
    const Graph graph = Simplified(b.Finish(mean));
    EXPECT_EQ(Operators(graph), "Conv Relu GlobalAveragePool");
    logits[opset - 17] = testing::NaiveAnswer(graph, testing::RandomFloats(108, 1));
  }
  EXPECT_EQ(logits[0], logits[1]);
}

TEST(OpsetSemanticsTest, ReduceMeanWithoutAxes) {
  GraphBuilder b(1, 18);
  const ValueId same = b.Op("ReduceMean", {Relu(b)}, {IntAttribute("noop_with_empty_axes", 1)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(same)), "Conv Relu");
  GraphBuilder all(1, 18);
  const std::vector<UnsupportedNode> nodes =
      Unsupported(all.Finish(all.Op("ReduceMean", {Relu(all)})));
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_NE(nodes[0].reason.find("other axes"), std::string::npos) << nodes[0].reason;
}

// The shapes of the outputs of a Split of five channels into two.
std::string SplitShapes(int64_t opset, std::vector<Attribute> attributes, Status* status) {
  GraphBuilder b(1, opset);
  const ValueId x = b.Conv(b.Image(3, 4, 4), 3, 5, 1);
  attributes.push_back(IntAttribute("axis", 1));
  const ValueId first = b.Op("Split", {x}, std::move(attributes));
  const ValueId second = b.graph.AddValue("second", {});
  b.graph.nodes.back().outputs.push_back(second);
  Graph graph = b.Finish(b.Op("Concat", {second, first}, {IntAttribute("axis", 1)}));
  *status = ReplaceSplits(graph);
  return ToString(graph.value(first).shape) + ToString(graph.value(second).shape);
}

TEST(OpsetSemanticsTest, UnevenSplits) {
  Status status;
  EXPECT_EQ(SplitShapes(18, {IntAttribute("num_outputs", 2)}, &status), "[1, 3, 4, 4][1, 2, 4, 4]");
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(SplitShapes(12, {IntsAttribute("split", {1, 4})}, &status), "[1, 1, 4, 4][1, 4, 4, 4]");
  EXPECT_TRUE(status.ok());
  SplitShapes(13, {}, &status);
  EXPECT_FALSE(status.ok());
}

TEST(OpsetSemanticsTest, DropoutInTrainingMode) {
  for (const int64_t training : {0, 1}) {
    GraphBuilder b(1, 12);
    const ValueId x = b.Op("Dropout", {Relu(b), b.Floats({}, {0.5F}), b.IntScalar(training)});
    const std::vector<UnsupportedNode> nodes = Unsupported(b.Finish(x));
    ASSERT_EQ(nodes.size(), training == 0 ? 0U : 1U);
    if (training == 0) continue;
    EXPECT_NE(nodes[0].reason.find("training_mode"), std::string::npos);
    EXPECT_NE(nodes[0].remedy.find("model.eval()"), std::string::npos);
  }
}

TEST(OpsetSemanticsTest, BatchNormalizationOfEachElement) {
  GraphBuilder b(1, 8);
  std::vector<ValueId> inputs = {Relu(b)};
  for (int i = 0; i < 4; ++i) inputs.push_back(b.Positive({4, 4, 4}));
  const ValueId norm = b.Op("BatchNormalization", std::move(inputs), {IntAttribute("spatial", 0)});
  const std::vector<UnsupportedNode> nodes = Unsupported(b.Finish(norm));
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_NE(nodes[0].reason.find("spatial = 0"), std::string::npos) << nodes[0].reason;
}

TEST(OpsetSemanticsTest, SpatialIsOneByDefault) {
  for (const bool given : {false, true}) {
    GraphBuilder b(1, 7);
    const ValueId norm = b.BatchNorm(Relu(b), 4);
    if (given) b.graph.nodes.back().attributes.push_back(IntAttribute("spatial", 1));
    EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Relu", {norm}))), "Conv Relu Conv Relu");
  }
}

TEST(OpsetSemanticsTest, PartsOfAShape) {
  // Reshape to [shape of the batch, -1].
  const std::pair<int64_t, int64_t> parts[] = {{0, 1}, {-4, -3}, {-9, 1}};
  for (const auto& [start, end] : parts) {
    GraphBuilder b(1, 15);
    const ValueId x = Relu(b);
    const ValueId batch =
        b.Op("Shape", {x}, {IntAttribute("start", start), IntAttribute("end", end)});
    const ValueId shape = b.Op("Concat", {batch, b.Ints({-1})}, {IntAttribute("axis", 0)});
    EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Reshape", {x, shape}))), "Conv Relu Flatten");
  }
}

TEST(OpsetSemanticsTest, ZeroOfAReshape) {
  // 0 copies a size; with allowzero, from opset 14 on, it is one.
  GraphBuilder b(1, 14);
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Reshape", {Relu(b), b.Ints({0, -1})}))),
            "Conv Relu Flatten");
  GraphBuilder zero(1, 14);
  Graph graph = zero.Finish(
      zero.Op("Reshape", {Relu(zero), zero.Ints({0, 4})}, {IntAttribute("allowzero", 1)}));
  EXPECT_FALSE(RunPasses(graph).ok());
}

TEST(OpsetSemanticsTest, BoundsOfAClip) {
  for (const int64_t opset : {10, 11}) {
    GraphBuilder b(1, opset);
    const ValueId x = b.Conv(b.Image(3, 6, 6), 3, 4, 3);
    const ValueId clip =
        opset < 11 ? b.Op("Clip", {x}, {FloatAttribute("min", 0), FloatAttribute("max", 6)})
                   : b.Op("Clip", {x, b.Floats({}, {0}), b.Floats({}, {6})});
    EXPECT_EQ(SimplifiedOperators(b.Finish(clip)), "Conv Clip");
  }
}

TEST(OpsetSemanticsTest, OperatorsThatAnOpsetLacks) {
  GraphBuilder b(1, 7);
  const std::vector<UnsupportedNode> nodes =
      Unsupported(b.Finish(b.Op("Where", {Relu(b), b.Floats({}, {0}), b.Floats({}, {1})})));
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].reason, "ONNX opset 7 has no operator Where");
}

}  // namespace
}  // namespace cssrun::converter
