// Checks that every rewrite keeps the network's answers, and gives the form that it promises.
#include "converter/passes/passes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/fold_constants.h"
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
using testing::RandomFloats;
using testing::RunNaive;
using testing::Simplified;
using testing::SimplifiedOperators;
using testing::TextAttribute;

TEST(PassesTest, BatchNormAfterConv) {
  for (const int64_t groups : {1, 2, 6}) {
    GraphBuilder b;
    const ValueId conv = b.Conv(b.Image(6, 5, 5), 6, 6, 3, {}, groups);
    EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Relu", {b.BatchNorm(conv, 6)}))), "Conv Relu");
  }
}

TEST(PassesTest, BatchNormAfterConvWithoutBias) {
  GraphBuilder b;
  const ValueId conv = b.Op("Conv", {b.Image(2, 5, 5), b.Weights({4, 2, 3, 3})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.BatchNorm(conv, 4))), "Conv");
}

TEST(PassesTest, BatchNormAfterGemmAndMatMul) {
  GraphBuilder b;
  const ValueId flat = b.Op("Flatten", {b.Image(2, 2, 2)});
  const ValueId gemm =
      b.Op("Gemm", {flat, b.Weights({5, 8}), b.Weights({5})}, {IntAttribute("transB", 1)});
  const ValueId relu = b.Op("Relu", {b.BatchNorm(gemm, 5)});
  const ValueId product = b.Op("MatMul", {relu, b.Weights({5, 3})});
  const ValueId sum = b.Op("Add", {b.Weights({3}), product});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.BatchNorm(sum, 3))), "Flatten Gemm Relu Gemm");
}

TEST(PassesTest, BatchNormBeforeGemm) {
  GraphBuilder b;
  const ValueId flat = b.Op("Relu", {b.Op("Flatten", {b.Image(2, 2, 2)})});
  const ValueId norm = b.BatchNorm(flat, 8);
  const ValueId gemm = b.Op("Gemm", {norm, b.Weights({5, 8})}, {IntAttribute("transB", 1)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(gemm)), "Flatten Relu Gemm");
}

TEST(PassesTest, BatchNormElsewhereIsADepthwiseConv) {
  GraphBuilder b;
  const ValueId first = b.Op("Relu", {b.Conv(b.Image(3, 4, 4), 3, 3, 1)});
  const ValueId relu = b.Op("Relu", {b.BatchNorm(first, 3)});
  const Graph graph = Simplified(b.Finish(b.Conv(relu, 3, 2, 3)));
  EXPECT_EQ(Operators(graph), "Conv Relu Conv Relu Conv");
  EXPECT_EQ(graph.nodes[2].Int("group", 0), 3);
}

TEST(PassesTest, BatchNormOfSharedConvLeavesTheConv) {
  GraphBuilder b;
  const ValueId conv = b.Conv(b.Image(3, 4, 4), 3, 3, 1);
  const ValueId sum = b.Op("Add", {b.BatchNorm(conv, 3), conv});
  EXPECT_EQ(SimplifiedOperators(b.Finish(sum)), "Conv Conv Add");
}

TEST(PassesTest, ConstantsAfterConvFoldIntoIt) {
  GraphBuilder b;
  ValueId v = b.Conv(b.Image(3, 5, 5), 3, 4, 3);
  v = b.Op("Add", {v, b.Weights({1, 4, 1, 1})});
  v = b.Op("Mul", {b.Positive({4, 1, 1}), v});
  v = b.BatchNorm(v, 4);
  v = b.Op("Sub", {v, b.Floats({}, {0.3F})});
  v = b.Op("Div", {v, b.Positive({1, 4, 1, 1})});
  v = b.Op("Sub", {b.Weights({1, 4, 1, 1}), v});
  EXPECT_EQ(SimplifiedOperators(b.Finish(v)), "Conv");
}

TEST(PassesTest, ConstantPerPixelIsReported) {
  GraphBuilder b;
  const ValueId conv = b.Conv(b.Image(3, 4, 4), 3, 2, 1);
  Graph graph = b.Finish(b.Op("Mul", {conv, b.Weights({1, 1, 4, 4})}));
  ASSERT_TRUE(RunPasses(graph).ok());
  ASSERT_EQ(FindUnsupported(graph).size(), 1U);
  EXPECT_EQ(FindUnsupported(graph)[0].op, "Mul");
}

TEST(PassesTest, SharedWeightsAreNotChangedForOthers) {
  GraphBuilder b;
  const ValueId image = b.Image(3, 4, 4);
  const ValueId weights = b.Weights({3, 3, 1, 1});
  const ValueId one = b.Op("Relu", {b.BatchNorm(b.Op("Conv", {image, weights}), 3)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Conv", {one, weights}))), "Conv Relu Conv");
}

TEST(PassesTest, GemmForms) {
  GraphBuilder b;
  const ValueId flat = b.Op("Flatten", {b.Image(2, 3, 3)});
  ValueId v = b.Op("Gemm", {flat, b.Weights({18, 7}), b.Weights({1, 7})},
                   {FloatAttribute("alpha", 0.5F), FloatAttribute("beta", 2.0F)});
  v = b.Op("Gemm", {b.Op("Relu", {v}), b.Weights({4, 7}), b.Weights({1})},
           {IntAttribute("transB", 1)});
  const Graph graph = Simplified(b.Finish(v));
  EXPECT_EQ(Operators(graph), "Flatten Gemm Relu Gemm");
  for (const Node& node : graph.nodes) {
    if (node.op != OpKind::kGemm) continue;
    EXPECT_EQ(node.Int("transB", 0), 1);
    EXPECT_EQ(node.Float("alpha", 0), 1);
    EXPECT_EQ(node.Float("beta", 0), 1);
    const Shape& weights = graph.ConstantInput(node, 1)->shape;
    EXPECT_EQ(graph.ConstantInput(node, 2)->shape, Shape{weights[0]});
  }
}

TEST(PassesTest, ReshapesBecomeFlatten) {
  const auto gemm = [](GraphBuilder& b, ValueId v) {
    return b.Finish(b.Op("Gemm", {v, b.Weights({18, 7})}));
  };
  GraphBuilder b;
  EXPECT_EQ(SimplifiedOperators(gemm(b, b.Op("Reshape", {b.Image(2, 3, 3), b.Ints({1, -1})}))),
            "Flatten Gemm");
  b = GraphBuilder();
  EXPECT_EQ(SimplifiedOperators(gemm(b, b.Op("Reshape", {b.Image(2, 3, 3), b.Ints({0, 18})}))),
            "Flatten Gemm");
  // The nodes of x.view(x.size(0), -1).
  b = GraphBuilder();
  const ValueId image = b.Image(2, 3, 3);
  const ValueId size =
      b.Op("Gather", {b.Op("Shape", {image}), b.IntScalar(0)}, {IntAttribute("axis", 0)});
  const ValueId batch = b.Op("Unsqueeze", {size, b.Ints({0})});
  const ValueId shape = b.Op("Concat", {batch, b.Ints({-1})}, {IntAttribute("axis", 0)});
  EXPECT_EQ(SimplifiedOperators(gemm(b, b.Op("Reshape", {image, shape}))), "Flatten Gemm");
}

TEST(PassesTest, SqueezesOfAPooledMap) {
  GraphBuilder b;
  ValueId v = b.Op("GlobalAveragePool", {b.Image(4, 3, 3)});
  v = b.Op("Squeeze", {v, b.Ints({2, 3})});
  v = b.Op("Unsqueeze", {v, b.Ints({2, 3})});
  v = b.Conv(v, 4, 6, 1);
  v = b.Op("Squeeze", {b.Op("Squeeze", {v, b.Ints({3})}), b.Ints({2})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(v)), "GlobalAveragePool Conv Flatten");
}

TEST(PassesTest, SqueezeAttributesOfOldOpsets) {
  GraphBuilder b(1, 11);
  ValueId v = b.Op("GlobalAveragePool", {b.Image(4, 3, 3)});
  v = b.Op("Squeeze", {v}, {IntsAttribute("axes", {2, -1})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(v)), "GlobalAveragePool Flatten");
}

TEST(PassesTest, TransposeThatMovesNothing) {
  GraphBuilder b;
  ValueId v = b.Op("GlobalAveragePool", {b.Image(4, 3, 3)});
  v = b.Op("Transpose", {v}, {IntsAttribute("perm", {0, 2, 3, 1})});
  v = b.Op("Reshape", {v, b.Ints({-1, 4})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(v)), "GlobalAveragePool Flatten");
}

TEST(PassesTest, TransposeAtTheEndIsTheOrderOfTheOutput) {
  GraphBuilder b;
  ValueId v = b.Conv(b.Image(3, 2, 2), 3, 2, 1);
  v = b.Op("Transpose", {v}, {IntsAttribute("perm", {0, 2, 3, 1})});
  Graph graph = b.Finish(b.Op("Reshape", {v, b.Ints({1, -1})}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_TRUE(FindUnsupported(graph).empty());
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.outputs[0].shape, (Shape{1, 8}));
  EXPECT_EQ(graph.outputs[0].order, (std::vector<int64_t>{0, 4, 1, 5, 2, 6, 3, 7}));
}

TEST(PassesTest, AnOutputThatIsTheImageIsRefused) {
  GraphBuilder b;
  Graph graph =
      b.Finish(b.Op("Transpose", {b.Image(4, 3, 3)}, {IntsAttribute("perm", {0, 2, 3, 1})}));
  const Status status = RunPasses(graph);
  EXPECT_NE(status.message().find("is the image itself"), std::string::npos) << status.message();
}

TEST(PassesTest, IdentitiesGo) {
  GraphBuilder b;
  ValueId v = b.Op("Identity", {b.Conv(b.Image(3, 5, 5), 3, 4, 3)});
  v = b.Op("Relu", {b.Op("Relu", {v})});
  v = b.Op("Dropout", {v});
  v = b.Op("Cast", {v}, {IntAttribute("to", 1)});
  v = b.Op("Pad", {v, b.Ints({0, 0, 0, 0, 0, 0, 0, 0})});
  v = b.Op("Slice", {v, b.Ints({0}), b.Ints({100}), b.Ints({2})});
  v = b.Op("Concat", {v}, {IntAttribute("axis", 1)});
  v = b.Op("Reshape", {v, b.Ints({1, 4, 3, 3})});
  v = b.Op("Sum", {v});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Identity", {v}))), "Conv Relu");
}

TEST(PassesTest, Clips) {
  const float low = std::numeric_limits<float>::lowest();
  GraphBuilder b;
  ValueId v = b.Op("Clip", {b.Conv(b.Image(3, 5, 5), 3, 4, 3), b.Floats({}, {0.0F}), kNoValue});
  v = b.Op("Clip", {b.Op("Relu", {b.Conv(v, 4, 4, 1)}), b.Floats({}, {low}), b.Floats({}, {0.3F})});
  v = b.Op("Relu",
           {b.Op("Clip", {b.Conv(v, 4, 4, 1), b.Floats({}, {0.0F}), b.Floats({}, {6.0F})})});
  const Graph graph = Simplified(b.Finish(v));
  EXPECT_EQ(Operators(graph), "Conv Relu Conv Clip Conv Clip");
  EXPECT_EQ(ClipBoundsOf(graph, graph.nodes[3])->low, 0.0F);
  EXPECT_EQ(ClipBoundsOf(graph, graph.nodes[3])->high, 0.3F);
}

TEST(PassesTest, OldForms) {
  // Opset 9 has attributes instead of inputs.
  GraphBuilder b(1, 9);
  ValueId v = b.Op("Clip", {b.Conv(b.Image(3, 8, 8), 3, 4, 3)},
                   {FloatAttribute("min", 0), FloatAttribute("max", 0.5F)});
  v = b.Op("Slice", {v},
           {IntsAttribute("starts", {1, 0}), IntsAttribute("ends", {-1, 3}),
            IntsAttribute("axes", {2, 1})});
  v = b.Op("Pad", {v}, {IntsAttribute("pads", {0, 1, 0, 0, 0, 2, 0, 0})});
  const Graph graph = Simplified(b.Finish(v));
  EXPECT_EQ(Operators(graph), "Conv Clip Slice Pad");
  EXPECT_EQ(graph.nodes[2].inputs.size(), 5U);
  EXPECT_EQ(*ConstantInts(graph, graph.nodes[2], 3), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(*ConstantInts(graph, graph.nodes[2], 2), (std::vector<int64_t>{3, 5}));
  EXPECT_EQ(*ConstantInts(graph, graph.nodes[3], 1),
            (std::vector<int64_t>{0, 1, 0, 0, 0, 2, 0, 0}));
}

TEST(PassesTest, WindowsAreExplicit) {
  for (const char* auto_pad : {"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"}) {
    GraphBuilder b;
    ValueId v = b.Conv(b.Image(3, 9, 8), 3, 4, 4,
                       {TextAttribute("auto_pad", auto_pad), IntsAttribute("strides", {2, 3})});
    v = b.Op("Relu", {v});
    v = b.Op("MaxPool", {v},
             {TextAttribute("auto_pad", auto_pad), IntsAttribute("kernel_shape", {2, 2})});
    const Graph graph = Simplified(b.Finish(v));
    ASSERT_EQ(Operators(graph), "Conv Relu MaxPool");
    for (const size_t i : {0U, 2U}) {
      const Node& node = graph.nodes[i];
      EXPECT_EQ(node.Find("auto_pad"), nullptr);
      EXPECT_EQ(node.Ints("pads", {}).size(), 4U);
      EXPECT_EQ(node.Ints("kernel_shape", {}).size(), 2U);
      EXPECT_EQ(node.Ints("strides", {}).size(), 2U);
      EXPECT_EQ(node.Ints("dilations", {}).size(), 2U);
    }
    EXPECT_EQ(graph.nodes[0].Int("group", 0), 1);
  }
}

TEST(PassesTest, CeilModeBecomesPadding) {
  GraphBuilder b;
  const ValueId relu = b.Op("Relu", {b.Image(2, 6, 5)});
  const ValueId pool = b.Op("MaxPool", {relu},
                            {IntsAttribute("kernel_shape", {3, 3}),
                             IntsAttribute("strides", {2, 2}), IntAttribute("ceil_mode", 1)});
  const Graph graph = Simplified(b.Finish(pool));
  EXPECT_EQ(graph.nodes[1].Ints("pads", {}), (std::vector<int64_t>{0, 0, 1, 0}));
  EXPECT_EQ(graph.nodes[1].Find("ceil_mode"), nullptr);
  EXPECT_EQ(graph.value(graph.outputs.front().value).shape, (Shape{1, 2, 3, 2}));
}

TEST(PassesTest, CeilModeIgnoresWindowsThatStartInThePadding) {
  // Under PyTorch's rule, a window over 4 columns with padding 1, kernel 1 and stride 3 reads
  // columns -1 and 2, and no fifth one.
  GraphBuilder b;
  const ValueId relu = b.Op("Relu", {b.Image(1, 4, 4)});
  const ValueId pool =
      b.Op("MaxPool", {relu},
           {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("strides", {3, 3}),
            IntsAttribute("pads", {1, 1, 1, 1}), IntAttribute("ceil_mode", 1)});
  const Graph graph = Simplified(b.Finish(pool));
  EXPECT_EQ(graph.value(graph.outputs.front().value).shape, (Shape{1, 1, 2, 2}));
}

TEST(PassesTest, MeansAndMaximaOverTheMap) {
  for (const int64_t keeps : {0, 1}) {
    GraphBuilder b;
    const ValueId mean = b.Op("ReduceMean", {b.Image(4, 3, 5)},
                              {IntsAttribute("axes", {-1, 2}), IntAttribute("keepdims", keeps)});
    EXPECT_EQ(SimplifiedOperators(b.Finish(mean)),
              keeps != 0 ? "GlobalAveragePool" : "GlobalAveragePool Flatten");
  }
  GraphBuilder b;
  const ValueId max = b.Op("GlobalMaxPool", {b.Op("Relu", {b.Image(4, 3, 5)})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(max)), "Relu MaxPool");
}

TEST(PassesTest, SumsBecomeAdds) {
  GraphBuilder b;
  const ValueId one = b.Conv(b.Image(3, 4, 4), 3, 2, 3);
  const ValueId two = b.Conv(0, 3, 2, 3);
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Sum", {one, two, one}))), "Conv Conv Add Add");
}

TEST(PassesTest, PadsFoldIntoWindows) {
  const auto pad = [](GraphBuilder& b, ValueId v) {
    return b.Op("Pad", {v, b.Ints({0, 0, 1, 0, 0, 0, 2, 1})});
  };
  GraphBuilder b;
  Graph graph = Simplified(
      b.Finish(b.Conv(pad(b, b.Image(3, 5, 5)), 3, 2, 3, {IntsAttribute("pads", {1, 1, 0, 0})})));
  ASSERT_EQ(Operators(graph), "Conv");
  EXPECT_EQ(graph.nodes[0].Ints("pads", {}), (std::vector<int64_t>{2, 1, 2, 1}));

  const std::vector<Attribute> window = {IntsAttribute("kernel_shape", {3, 3})};
  b = GraphBuilder();
  graph = b.Finish(b.Op("AveragePool", {pad(b, b.Image(3, 5, 5))}, window));
  EXPECT_EQ(SimplifiedOperators(graph), "AveragePool");

  // A zero in the padding may be the maximum, unless nothing is negative.
  b = GraphBuilder();
  graph = b.Finish(b.Op("MaxPool", {pad(b, b.Image(3, 5, 5))}, window));
  EXPECT_EQ(SimplifiedOperators(graph), "Pad MaxPool");
  b = GraphBuilder();
  graph = b.Finish(b.Op("MaxPool", {pad(b, b.Op("Relu", {b.Image(3, 5, 5)}))}, window));
  EXPECT_EQ(SimplifiedOperators(graph), "Relu MaxPool");

  // Another node reads the padded map as well.
  b = GraphBuilder();
  const ValueId padded = pad(b, b.Image(2, 5, 5));
  const ValueId conv = b.Conv(padded, 2, 2, 1);
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Add", {conv, padded}))), "Pad Conv Add");
}

TEST(PassesTest, SlicesMerge) {
  GraphBuilder b;
  const int64_t far = std::numeric_limits<int64_t>::max();
  ValueId v = b.Image(6, 9, 9);
  v = b.Op("Slice", {v, b.Ints({0}), b.Ints({far}), b.Ints({2}), b.Ints({2})});
  v = b.Op("Slice", {v, b.Ints({1}), b.Ints({far}), b.Ints({3}), b.Ints({3})});
  v = b.Op("Slice", {v, b.Ints({1, 2}), b.Ints({-1, -1}), b.Ints({-2, 1}), b.Ints({2, 1})});
  const Graph graph = Simplified(b.Finish(v));
  EXPECT_EQ(Operators(graph), "Slice");
  EXPECT_EQ(*ConstantInts(graph, graph.nodes[0], 1), (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(*ConstantInts(graph, graph.nodes[0], 3), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(*ConstantInts(graph, graph.nodes[0], 4), (std::vector<int64_t>{1, 4, 3}));
}

TEST(PassesTest, FinalSoftmaxGoes) {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    for (const int64_t opset : {11, 13}) {
      GraphBuilder b(1, opset);
      const ValueId flat = b.Op("Flatten", {b.Image(2, 2, 2)});
      const ValueId logits = b.Op("Gemm", {flat, b.Weights({8, 3})});
      Graph graph = b.Finish(b.Op(op, {logits}));
      ASSERT_TRUE(RunPasses(graph).ok());
      EXPECT_EQ(Operators(graph), "Flatten Gemm");
      EXPECT_EQ(graph.outputs.front().value, logits);
    }
  }
}

TEST(PassesTest, FinalSoftmaxOfAMapGoes) {
  // The end of the model zoo's SqueezeNet: a softmax over [1, classes, 1, 1], which then becomes a
  // vector.
  GraphBuilder b(1, 9);
  const ValueId mean = b.Op("GlobalAveragePool", {b.Conv(b.Image(3, 4, 4), 3, 5, 3)});
  const ValueId soft = b.Op("Softmax", {mean}, {IntAttribute("axis", 1)});
  Graph graph = b.Finish(b.Op("Squeeze", {soft}, {IntsAttribute("axes", {2, 3})}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(Operators(graph), "Conv GlobalAveragePool Flatten");
  EXPECT_EQ(graph.value(graph.outputs.front().value).shape, (Shape{1, 5}));
}

TEST(PassesTest, InnerSoftmaxStays) {
  GraphBuilder b;
  const ValueId flat = b.Op("Flatten", {b.Image(2, 2, 2)});
  const ValueId soft = b.Op("Softmax", {flat});
  Graph graph = b.Finish(b.Op("Gemm", {soft, b.Weights({8, 3})}));
  ASSERT_TRUE(RunPasses(graph).ok());
  ASSERT_EQ(FindUnsupported(graph).size(), 1U);
  EXPECT_EQ(FindUnsupported(graph)[0].op, "Softmax");
}

TEST(PassesTest, DeadNodesGo) {
  GraphBuilder b;
  const ValueId image = b.Image(2, 4, 4);
  b.Op("Sigmoid", {b.Op("Relu", {image})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Conv(image, 2, 2, 1))), "Conv");
}

// Expects RunPasses() to fail with a message that contains every one of `parts`.
void ExpectFails(Graph graph, const std::vector<std::string>& parts) {
  const Status status = RunPasses(graph);
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  }
}

TEST(PassesTest, OutputMustDependOnTheImage) {
  GraphBuilder b;
  const ValueId image = b.Image(2, 4, 4);
  ExpectFails(b.Finish(image), {"output image"});
  b = GraphBuilder();
  b.Image(2, 4, 4);
  ExpectFails(b.Finish(b.Op("Identity", {b.Weights({1, 4})})), {"Identity0.out"});
}

TEST(PassesTest, FoldedWeightsMustBeFinite) {
  GraphBuilder b;
  const ValueId conv = b.Conv(b.Image(2, 4, 4), 2, 2, 1);
  ExpectFails(b.Finish(b.Op("Div", {conv, b.Floats({}, {0.0F})})), {"Conv0", "not finite"});
}

TEST(PassesTest, EmptyMapsAreRefused) {
  GraphBuilder b;
  const ValueId empty = b.Op("Slice", {b.Image(2, 4, 4), b.Ints({4}), b.Ints({9}), b.Ints({2})});
  ExpectFails(b.Finish(b.Op("Relu", {empty})), {"Slice0", "[1, 2, 0, 4]"});
}

}  // namespace
}  // namespace cssrun::converter
