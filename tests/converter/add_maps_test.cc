// Tests maps of constants that are added inside of a network, such as embeddings of positions.
#include "converter/passes/add_maps.h"

#include <gtest/gtest.h>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::kPadOne;
using testing::SimplifiedOperators;

ValueId Hidden(GraphBuilder& b) { return Relu(b, b.Conv(b.Image(3, 5, 6), 3, 4, 3, {kPadOne})); }

TEST(AddMapsTest, BehindTheConvolutionsThatReadTheSum) {
  GraphBuilder b;
  const ValueId sum = b.Op("Add", {Hidden(b), b.Weights({4, 5, 6})});
  const ValueId y = b.Conv(sum, 4, 5, 3, {kPadOne});
  EXPECT_EQ(SimplifiedOperators(b.Finish(Relu(b, y))),
            "Conv Relu Slice Conv Relu Conv Conv Add Relu");
}

// One row, the same for all channels and rows.
TEST(AddMapsTest, WhereOthersReadTheSum) {
  GraphBuilder b;
  const ValueId sum = b.Op("Sub", {Hidden(b), b.Weights({1, 1, 1, 6})});
  const ValueId y = b.Op("Add", {b.Conv(sum, 4, 4, 3, {kPadOne}), sum});
  EXPECT_EQ(SimplifiedOperators(b.Finish(Relu(b, y))),
            "Conv Relu Slice Conv Relu Conv Add Conv Add Relu");
}

TEST(AddMapsTest, FromWhichTheActivationIsSubtracted) {
  GraphBuilder b;
  const ValueId sum = b.Op("Sub", {b.Weights({1, 4, 5, 6}), Hidden(b)});
  EXPECT_EQ(SimplifiedOperators(b.Finish(b.Conv(sum, 4, 5, 3))),
            "Conv Relu Scale Slice Conv Relu Conv Add Conv");
}

// The neuron that stands for 1 is made once.
TEST(AddMapsTest, TwoMaps) {
  GraphBuilder b;
  const ValueId first = b.Op("Add", {b.Weights({4, 5, 1}), Hidden(b)});
  const ValueId second = b.Op("Add", {Relu(b, first), b.Weights({1, 4, 5, 6})});
  EXPECT_EQ(SimplifiedOperators(b.Finish(second)),
            "Conv Relu Slice Conv Relu Conv Add Relu Conv Add");
}

// A product is no potential.
TEST(AddMapsTest, ProductsAreRefused) {
  GraphBuilder b;
  Graph graph = b.Finish(b.Op("Mul", {Hidden(b), b.Weights({4, 5, 6})}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(FindUnsupported(graph).size(), 1U);
}

}  // namespace
}  // namespace cssrun::converter
