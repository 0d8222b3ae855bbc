// Tests functions that are sums, scalings and rectifiers under another name.
#include "converter/passes/replace_functions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::CountOps;
using testing::FloatAttribute;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::Simplified;
using testing::SimplifiedOperators;

ValueId Conv(GraphBuilder& b, ValueId image) { return b.Conv(image, 3, 4, 3); }
ValueId Conv(GraphBuilder& b) { return Conv(b, b.Image(3, 6, 6)); }
std::string ReasonOf(Graph graph) {
  EXPECT_TRUE(RunPasses(graph).ok());
  const std::vector<UnsupportedNode> nodes = FindUnsupported(graph);
  return nodes.size() == 1 ? nodes[0].reason : "of " + std::to_string(nodes.size()) + " nodes";
}

TEST(ReplaceFunctionsTest, NegIsFolded) {
  GraphBuilder b;
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Neg", {Conv(b)}))), "Conv");
}

TEST(ReplaceFunctionsTest, DifferenceOfActivations) {
  GraphBuilder b;
  const ValueId image = b.Image(3, 6, 6);
  const ValueId a = Relu(b, Conv(b, image));
  const ValueId difference = b.Op("Sub", {a, Relu(b, Conv(b, image))});
  const Graph graph = Simplified(b.Finish(b.Conv(Relu(b, difference), 4, 2, 1)));
  EXPECT_EQ(CountOps(graph, "Add"), 1);
  EXPECT_EQ(CountOps(graph, "Sub"), 0);
}

TEST(ReplaceFunctionsTest, DifferenceOfOtherShapesIsRefused) {
  GraphBuilder b;
  const ValueId x = Conv(b);
  const ValueId mean = b.Op("GlobalAveragePool", {x});
  EXPECT_NE(ReasonOf(b.Finish(b.Op("Sub", {x, mean}))).find("combines activations"),
            std::string::npos);
}

TEST(ReplaceFunctionsTest, AbsIsTwoRectifiers) {
  GraphBuilder b;
  const Graph graph = Simplified(b.Finish(b.Conv(b.Op("Abs", {Conv(b)}), 4, 2, 1)));
  EXPECT_EQ(CountOps(graph, "Relu"), 2);
}

TEST(ReplaceFunctionsTest, HardSigmoidIsAClip) {
  GraphBuilder b;
  const ValueId x =
      b.Op("HardSigmoid", {Conv(b)}, {FloatAttribute("alpha", 0.4F), FloatAttribute("beta", 0.3F)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Conv(x, 4, 2, 1))), "Conv Clip Conv");
  GraphBuilder defaults;
  EXPECT_EQ(SimplifiedOperators(defaults.Finish(defaults.Op("HardSigmoid", {Conv(defaults)}))),
            "Conv Clip");
}

TEST(ReplaceFunctionsTest, ExtremesOfActivations) {
  for (const char* op : {"Max", "Min"}) {
    GraphBuilder b;
    const ValueId image = b.Image(3, 6, 6);
    const ValueId extreme =
        b.Op(op, {Relu(b, Conv(b, image)), Conv(b, image), b.Conv(image, 3, 4, 3)});
    const Graph graph = Simplified(b.Finish(b.Conv(extreme, 4, 2, 1)));
    EXPECT_EQ(CountOps(graph, "Relu"), 3) << op;
  }
}

TEST(ReplaceFunctionsTest, ExtremesOfAnActivationAndANumberForEachChannel) {
  for (const char* op : {"Max", "Min"}) {
    for (const bool first : {false, true}) {
      GraphBuilder b;
      const ValueId x = Conv(b);
      const ValueId bounds = b.Floats({4, 1, 1}, {-0.2F, -0.1F, 0, 0.1F});
      const ValueId limited = first ? b.Op(op, {bounds, x}) : b.Op(op, {x, bounds});
      EXPECT_EQ(SimplifiedOperators(b.Finish(b.Conv(limited, 4, 2, 1))), "Conv Relu Conv Conv")
          << op;
    }
  }
}

TEST(ReplaceFunctionsTest, MaximumOfOtherShapesIsRefused) {
  GraphBuilder b;
  const ValueId x = Conv(b);
  EXPECT_NE(ReasonOf(b.Finish(b.Op("Max", {x, b.Op("GlobalAveragePool", {x})}))).find("shapes"),
            std::string::npos);
}

TEST(ReplaceFunctionsTest, Reductions) {
  for (const char* op : {"ReduceSum", "ReduceMax"}) {
    for (const int64_t keeps : {0, 1}) {
      GraphBuilder b;
      // Opset 13: the axes of ReduceSum are an input, those of ReduceMax an attribute.
      const bool sum = std::string(op) == "ReduceSum";
      const ValueId x = Relu(b, Conv(b));
      const ValueId reduced =
          sum ? b.Op(op, {x, b.Ints({2, -1})}, {IntAttribute("keepdims", keeps)})
              : b.Op(op, {x}, {IntsAttribute("axes", {2, -1}), IntAttribute("keepdims", keeps)});
      const Graph graph =
          Simplified(b.Finish(b.Op("Gemm", {b.Op("Flatten", {reduced}), b.Weights({4, 5})})));
      EXPECT_EQ(CountOps(graph, sum ? "GlobalAveragePool" : "MaxPool"), 1) << op;
      EXPECT_EQ(CountOps(graph, op), 0);
    }
  }
}

TEST(ReplaceFunctionsTest, ReductionsOfChannelsLast) {
  for (const char* op : {"ReduceSum", "ReduceMax"}) {
    GraphBuilder b;
    const ValueId x = b.Op("Transpose", {Relu(b, Conv(b))}, {IntsAttribute("perm", {0, 2, 3, 1})});
    const Attribute drops = IntAttribute("keepdims", 0);
    const ValueId reduced = std::string(op) == "ReduceSum"
                                ? b.Op(op, {x, b.Ints({1, 2})}, {drops})
                                : b.Op(op, {x}, {IntsAttribute("axes", {1, 2}), drops});
    const Graph graph = Simplified(b.Finish(b.Op("Gemm", {reduced, b.Weights({4, 5})})));
    EXPECT_EQ(CountOps(graph, "Transpose"), 0);
  }
}

// Vectors that no layer takes the numbers of.
TEST(ReplaceFunctionsTest, ArithmeticOnVectors) {
  GraphBuilder b;
  const ValueId mean = b.Op("Flatten", {b.Op("GlobalAveragePool", {Relu(b, Conv(b))})});
  ValueId x = Relu(b, b.Op("Gemm", {mean, b.Weights({4, 6})}));
  x = b.Op("Sub", {b.Weights({6}), b.Op("Mul", {x, b.Weights({1, 6})})});
  x = b.Op("Gemm", {Relu(b, x), b.Weights({6, 5})});
  const Graph graph = Simplified(b.Finish(b.Op("Clip", {x, b.Floats({}, {-0.1F}),  //
                                                        b.Floats({}, {0.1F})})));
  EXPECT_EQ(CountOps(graph, "Scale"), 3);
}

TEST(ReplaceFunctionsTest, ArithmeticBeforeAGemmIsFoldedAtOnce) {
  GraphBuilder b;
  const ValueId mean = b.Op("Flatten", {b.Op("GlobalAveragePool", {Relu(b, Conv(b))})});
  ValueId x = b.Op("Sub", {b.Weights({4}), b.Op("Mul", {mean, b.Weights({4})})});
  x = b.Op("Gemm", {x, b.Weights({4, 5})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(x)), "Conv Relu GlobalAveragePool Flatten Gemm");
}

// One number for all elements does for a flattened map as well; one for each position does not.
TEST(ReplaceFunctionsTest, ArithmeticOnFlattenedMaps) {
  GraphBuilder b;
  const ValueId flat = b.Op("Flatten", {Relu(b, Conv(b))});
  const ValueId shifted = b.Op("Sub", {b.Op("Mul", {flat, b.Floats({}, {2})}), b.Floats({}, {1})});
  const ValueId kept = Relu(b, shifted);
  EXPECT_EQ(CountOps(Simplified(b.Finish(b.Op("Gemm", {kept, b.Weights({64, 3})}))), "Scale"), 2);
  GraphBuilder other;
  const ValueId map = other.Op("Flatten", {Relu(other, Conv(other))});
  const ValueId scaled = Relu(other, other.Op("Mul", {map, other.Weights({64})}));
  EXPECT_NE(ReasonOf(other.Finish(other.Op("Gemm", {scaled, other.Weights({64, 3})})))
                .find("combines activations"),
            std::string::npos);
}

}  // namespace
}  // namespace cssrun::converter
