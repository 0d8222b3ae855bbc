// Tests Clips, Max and Min with constants, and means over one axis and of values of other ranks.
#include "converter/passes/limits.h"

#include <gtest/gtest.h>

#include "tests/converter/graph_builder.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::SimplifiedOperators;

ValueId Conv(GraphBuilder& b) { return b.Conv(b.Image(3, 6, 6), 3, 4, 3); }
ValueId Number(GraphBuilder& b, float number) { return b.Floats({}, {number}); }

TEST(LimitsTest, MaxWithZeroIsARelu) {
  GraphBuilder b;
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Max", {Conv(b), Number(b, 0)}))), "Conv Relu");
  GraphBuilder first;
  EXPECT_EQ(SimplifiedOperators(
                first.Finish(first.Op("Max", {first.Floats({1, 1, 1, 1}, {0}), Conv(first)}))),
            "Conv Relu");
}

TEST(LimitsTest, MinOfMaxIsAClip) {
  GraphBuilder b;
  const ValueId x = b.Op("Max", {Conv(b), Number(b, 0)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Min", {x, Number(b, 0.25F)}))), "Conv Clip");
  GraphBuilder other;
  const ValueId y = other.Op("Min", {Conv(other), Number(other, 0.25F)});
  EXPECT_EQ(SimplifiedOperators(other.Finish(other.Op("Relu", {y}))), "Conv Clip");
}

// Shifted into and out of the neuron's range.
TEST(LimitsTest, OtherBounds) {
  GraphBuilder both;
  const ValueId hard_tanh = both.Op("Clip", {Conv(both), Number(both, -0.2F), Number(both, 0.3F)});
  EXPECT_EQ(SimplifiedOperators(both.Finish(hard_tanh)), "Conv Clip Conv");
  GraphBuilder low;
  EXPECT_EQ(SimplifiedOperators(low.Finish(low.Op("Max", {Conv(low), Number(low, -0.1F)}))),
            "Conv Relu Conv");
  GraphBuilder high;
  EXPECT_EQ(SimplifiedOperators(high.Finish(high.Op("Min", {Conv(high), Number(high, 0.1F)}))),
            "Conv Relu Conv");
}

// Vectors are shifted by Scales where no layer takes the shift.
TEST(LimitsTest, BoundsOfVectors) {
  GraphBuilder b;
  const ValueId x = b.Op("Gemm", {b.Op("Flatten", {Conv(b)}), b.Weights({64, 5})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Clip", {x, Number(b, -0.2F), Number(b, 0.3F)}))),
            "Conv Flatten Gemm Clip Scale");
}

TEST(MergeMeansTest, OneAxisAfterAnother) {
  for (const int64_t keeps : {0, 1}) {
    GraphBuilder b;
    ValueId x = b.Op("ReduceMean", {Conv(b)},
                     {IntsAttribute("axes", {3}), IntAttribute("keepdims", keeps)});
    x = b.Op("ReduceMean", {x}, {IntsAttribute("axes", {2}), IntAttribute("keepdims", keeps)});
    x = b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({4, 5})});
    EXPECT_EQ(SimplifiedOperators(b.Finish(x)), "Conv GlobalAveragePool Flatten Gemm");
  }
}

TEST(MergeMeansTest, OneAxis) {
  for (const int64_t axis : {2, 3}) {
    GraphBuilder b;
    const ValueId x =
        b.Op("ReduceMean", {Conv(b)}, {IntsAttribute("axes", {axis}), IntAttribute("keepdims", 0)});
    const ValueId logits = b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({16, 5})});
    EXPECT_EQ(SimplifiedOperators(b.Finish(logits)), "Conv AveragePool Flatten Gemm");
  }
}

TEST(RankThreeTest, MeanOfAFlattenedMap) {
  GraphBuilder b;
  ValueId x = b.Op("Reshape", {Conv(b), b.Ints({0, 4, -1})});
  x = b.Op("ReduceMean", {x}, {IntsAttribute("axes", {-1}), IntAttribute("keepdims", 0)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Gemm", {x, b.Weights({4, 5})}))),
            "Conv GlobalAveragePool Flatten Gemm");
}

TEST(RankThreeTest, MeanOfATransposedMap) {
  GraphBuilder b;
  ValueId x = b.Op("Reshape", {Conv(b), b.Ints({0, 4, -1})});
  x = b.Op("Transpose", {x}, {IntsAttribute("perm", {0, 2, 1})});
  x = b.Op("ReduceMean", {x}, {IntsAttribute("axes", {1}), IntAttribute("keepdims", 0)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Gemm", {x, b.Weights({4, 5})}))),
            "Conv GlobalAveragePool Flatten Gemm");
}

// BatchNorm1d, as old exporters write it.
TEST(RankThreeTest, BatchNormalizationOfAVector) {
  GraphBuilder b;
  const ValueId mean = b.Op("Flatten", {b.Op("GlobalAveragePool", {Conv(b)})});
  ValueId x = b.Op("Gemm", {mean, b.Weights({4, 6})});
  x = b.BatchNorm(b.Op("Unsqueeze", {x, b.Ints({2})}), 6);
  x = b.Op("Relu", {b.Op("Add", {x, b.Weights({6, 1})})});
  x = b.Op("Squeeze", {x, b.Ints({2})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Op("Gemm", {x, b.Weights({6, 3})}))),
            "Conv GlobalAveragePool Flatten Gemm Relu Gemm");
}

TEST(RankThreeTest, SumOfMoreThanTwo) {
  GraphBuilder b;
  const ValueId x = Conv(b);
  const ValueId sum = b.Op("Sum", {x, b.Op("Relu", {x}), b.Conv(x, 4, 4, 1)});
  const ValueId norm = b.BatchNorm(b.Conv(sum, 4, 4, 3), 4);
  EXPECT_EQ(SimplifiedOperators(b.Finish(norm)), "Conv Relu Conv Add Add Conv");
}

}  // namespace
}  // namespace cssrun::converter
