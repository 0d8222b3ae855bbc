// Checks that every node that cannot be converted is listed in one table, with a reason and a
// remedy.
#include "converter/support.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "tests/converter/graph_builder.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::TextAttribute;

std::vector<UnsupportedNode> Unsupported(Graph graph) {
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return FindUnsupported(graph);
}

// Expects one node that cannot be converted, with a reason that contains `reason`.
void ExpectOne(const Graph& graph, const std::string& op, const std::string& reason) {
  const std::vector<UnsupportedNode> nodes = Unsupported(graph);
  ASSERT_EQ(nodes.size(), 1U) << FormatUnsupported(nodes);
  EXPECT_EQ(nodes[0].op, op);
  EXPECT_EQ(nodes[0].opset, 13);
  EXPECT_NE(nodes[0].reason.find(reason), std::string::npos) << nodes[0].reason;
  EXPECT_FALSE(nodes[0].remedy.empty());
}

TEST(SupportTest, ListsEveryNode) {
  GraphBuilder b;
  ValueId v = b.Op("Sigmoid", {b.Conv(b.Image(3, 8, 8), 3, 4, 3)});
  v = b.Op("HardSwish", {b.Conv(v, 4, 4, 1)});
  v = b.Op("Relu", {v});
  Graph graph = b.Finish(b.Op("Fancy", {v}));
  graph.nodes.back().op = Op::Named("com.example", "Fancy");
  const std::vector<UnsupportedNode> nodes = Unsupported(graph);
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[0].name, "Sigmoid1");
  EXPECT_EQ(nodes[1].op, "HardSwish");
  EXPECT_EQ(nodes[2].op, "com.example.Fancy");
}

// What would be dropped behind a vector of classes is not inside of the network, either.
TEST(SupportTest, FunctionsThatEndAnotherOutput) {
  for (const char* op : {"Softmax", "Sigmoid"}) {
    GraphBuilder b;
    ExpectOne(b.Finish(b.Op(op, {b.Conv(b.Image(3, 8, 8), 3, 4, 3)})), op,
              "it ends an output that is no vector of classes");
    GraphBuilder inside;
    const ValueId x = inside.Op(op, {inside.Conv(inside.Image(3, 8, 8), 3, 4, 3)});
    const std::vector<UnsupportedNode> nodes = Unsupported(inside.Finish(inside.Conv(x, 4, 2, 1)));
    ASSERT_EQ(nodes.size(), 1U);
    EXPECT_EQ(nodes[0].reason.find("ends an output"), std::string::npos);
  }
}

TEST(SupportTest, Table) {
  const std::string table = FormatUnsupported(
      {{"a", "Sigmoid", 13, "because", "do this"}, {"long\nname", "Exp", 13, "why", "that"}});
  EXPECT_EQ(table,
            "2 nodes cannot be converted\n"
            "NODE       OPERATOR  OPSET  REASON   WHAT TO DO\n"
            "a          Sigmoid   13     because  do this\n"
            "long?name  Exp       13     why      that");
}

TEST(SupportTest, Pools) {
  const std::vector<int64_t> three = {3, 3};
  GraphBuilder b;
  ExpectOne(
      b.Finish(b.Op("AveragePool", {b.Image(3, 8, 8)},
                    {IntsAttribute("kernel_shape", three), IntsAttribute("dilations", {2, 2})})),
      "AveragePool", "dilated");
  b = GraphBuilder();
  EXPECT_TRUE(
      Unsupported(
          b.Finish(b.Op("AveragePool", {b.Image(3, 8, 8)},
                        {IntsAttribute("kernel_shape", three), IntsAttribute("pads", {1, 1, 1, 1}),
                         IntsAttribute("strides", {3, 3}), IntAttribute("ceil_mode", 1)})))
          .empty());
}

TEST(SupportTest, SecondOutput) {
  GraphBuilder b;
  const ValueId pool = b.Op("MaxPool", {b.Image(3, 8, 8)}, {IntsAttribute("kernel_shape", {2, 2})});
  const ValueId indices = b.graph.AddValue("indices", {});
  b.graph.nodes.back().outputs.push_back(indices);
  Graph graph = b.Finish(b.Op("Unpool", {pool, indices}));
  const std::vector<UnsupportedNode> nodes = Unsupported(graph);
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].op, "MaxPool");
}

TEST(SupportTest, Clips) {
  for (const float low : {-1.0F, 0.5F}) {
    GraphBuilder map;
    EXPECT_TRUE(Unsupported(map.Finish(map.Op("Clip", {map.Image(3, 4, 4), map.Floats({}, {low}),
                                                       map.Floats({}, {6.0F})})))
                    .empty());
  }
  GraphBuilder b;
  ExpectOne(b.Finish(b.Op("Clip", {b.Image(3, 4, 4), b.Floats({}, {0.0F}), b.Floats({}, {0.0F})})),
            "Clip", "Clip(0, max)");
}

TEST(SupportTest, VariableWeights) {
  GraphBuilder b;
  const ValueId image = b.Image(3, 3, 3);
  const ValueId weights = b.Op("Sigmoid", {b.Weights({4, 3, 3, 3})});
  const std::vector<UnsupportedNode> nodes = Unsupported(b.Finish(b.Op("Conv", {image, weights})));
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].op, "Sigmoid");
}

TEST(SupportTest, SlicesAndPads) {
  GraphBuilder b;
  const ValueId skipping =
      b.Op("Slice", {b.Image(4, 8, 8), b.Ints({0}), b.Ints({4}), b.Ints({1}), b.Ints({2})});
  EXPECT_TRUE(Unsupported(b.Finish(b.Conv(skipping, 2, 3, 3))).empty());
  b = GraphBuilder();
  const ValueId mirrored =
      b.Op("Slice", {b.Image(4, 8, 8), b.Ints({-1}), b.Ints({-9}), b.Ints({3}), b.Ints({-1})});
  ExpectOne(b.Finish(b.Conv(mirrored, 4, 3, 3)), "Slice", "backwards");
  b = GraphBuilder();
  const ValueId starts = b.Op("Sigmoid", {b.Ints({0})});
  EXPECT_EQ(
      Unsupported(b.Finish(b.Op("Slice", {b.Image(4, 8, 8), starts, b.Ints({4}), b.Ints({1})})))
          .size(),
      1U);
  b = GraphBuilder();
  ExpectOne(b.Finish(b.Op("Pad", {b.Image(4, 8, 8), b.Ints({0, 0, 1, 1, 0, 0, 1, 1})},
                          {TextAttribute("mode", "reflect")})),
            "Pad", "reflect");
  b = GraphBuilder();
  ExpectOne(b.Finish(b.Op(
                "Pad", {b.Image(4, 8, 8), b.Ints({0, 0, 1, 1, 0, 0, 1, 1}), b.Floats({}, {1.0F})})),
            "Pad", "0");
  b = GraphBuilder();
  ExpectOne(b.Finish(b.Op("Pad", {b.Image(4, 8, 8), b.Ints({0, 0, 0, 0, 0, 0, -1, -1})})), "Pad",
            "cuts");
  b = GraphBuilder();
  const std::vector<UnsupportedNode> batch =
      Unsupported(b.Finish(b.Op("Pad", {b.Image(4, 8, 8), b.Ints({1, 0, 0, 0, 0, 0, 0, 0})})));
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_NE(batch[0].reason.find("batch"), std::string::npos);
}

TEST(SupportTest, SumsThatBroadcast) {
  GraphBuilder b;
  const ValueId image = b.Image(3, 8, 8);
  ExpectOne(b.Finish(b.Op("Add", {image, b.Op("GlobalAveragePool", {image})})), "Add", "differ");
  b = GraphBuilder();
  ExpectOne(b.Finish(b.Op("Mul", {b.Image(3, 4, 4), b.Weights({3, 4, 4})})), "Mul", "constant");
}

TEST(SupportTest, FlattenedMapsKeepTheirOrder) {
  // A flattened map cannot meet a vector whose elements are channels, or another flattened map.
  GraphBuilder b;
  ValueId flat = b.Op("Flatten", {b.Image(2, 2, 2)});
  ValueId gemm = b.Op("Gemm", {flat, b.Weights({8, 8})});
  ExpectOne(b.Finish(b.Op("Add", {flat, gemm})), "Add", "flattened");
  b = GraphBuilder();
  const ValueId image = b.Image(2, 2, 2);
  flat = b.Op("Relu", {b.Op("Flatten", {image})});
  const ValueId other = b.Op("Flatten", {b.Conv(image, 2, 2, 1)});
  ExpectOne(b.Finish(b.Op("Concat", {flat, other}, {IntAttribute("axis", 1)})), "Concat",
            "flattened");
  b = GraphBuilder();
  flat = b.Op("Flatten", {b.Op("GlobalAveragePool", {b.Image(2, 2, 2)})});
  EXPECT_TRUE(
      Unsupported(b.Finish(b.Op("Concat", {flat, flat}, {IntAttribute("axis", -1)}))).empty());
}

TEST(SupportTest, ConcatAlongRows) {
  GraphBuilder b;
  const ValueId image = b.Image(3, 4, 4);
  ExpectOne(b.Finish(b.Op("Concat", {image, b.Conv(image, 3, 3, 1)}, {IntAttribute("axis", 2)})),
            "Concat", "channels");
}

TEST(SupportTest, ScaleThatIsAnActivation) {
  // The block is squeeze and excitation.
  GraphBuilder b;
  const ValueId image = b.Image(3, 4, 4);
  ExpectOne(b.Finish(b.Op("Mul", {image, b.Op("GlobalAveragePool", {image})})),
            "squeeze-and-excitation", "activations");
}

TEST(SupportTest, BatchNormInTrainingMode) {
  GraphBuilder b;
  const ValueId norm = b.BatchNorm(b.Image(3, 4, 4), 3);
  b.graph.nodes.back().attributes.push_back(IntAttribute("training_mode", 1));
  ExpectOne(b.Finish(norm), "BatchNormalization", "training mode");
}

}  // namespace
}  // namespace cssrun::converter
