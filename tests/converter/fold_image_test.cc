// Tests that a model's arithmetic on its image becomes a part of the pixels' normalization.
#include "converter/passes/fold_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::Operators;

constexpr int64_t kSide = 7;

// An image with its channels last, as one with its channels first.
std::vector<float> ChannelsFirst(const std::vector<float>& image, size_t channels) {
  std::vector<float> turned(image.size());
  const size_t positions = image.size() / channels;
  for (size_t i = 0; i < image.size(); ++i)
    turned[i % channels * positions + i / channels] = image[i];
  return turned;
}

// Runs the passes, expects the same logits, and returns the remaining operators.
Graph Folded(Graph graph, bool channels_last = false) {
  Graph before = graph;
  EXPECT_TRUE(FoldConstants(before).ok());
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
  const std::vector<float> image = testing::RandomFloats(3 * kSide * kSide, 3);
  const std::vector<double> expected = testing::NaiveAnswer(before, image);
  const std::vector<double> actual =
      testing::NaiveAnswer(graph, channels_last ? ChannelsFirst(image, 3) : image);
  EXPECT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-4);
  }
  return graph;
}

// A padded convolution of a scaled image reads zeros of the scaled image at the border.
ValueId PaddedConv(GraphBuilder& b, ValueId x) {
  return b.Op("Relu", {b.Conv(x, 3, 2, 3, {IntsAttribute("pads", {1, 1, 1, 1})})});
}

TEST(FoldImageTest, MeanAndDeviation) {
  GraphBuilder b;
  ValueId v = b.Op("Sub", {b.Image(3, kSide, kSide), b.Weights({1, 3, 1, 1})});
  v = b.Op("Div", {v, b.Positive({3, 1, 1})});
  const Graph graph = Folded(b.Finish(PaddedConv(b, v)));
  EXPECT_EQ(Operators(graph), "Conv Relu");
  EXPECT_EQ(graph.image_scale.size(), 3U);
}

TEST(FoldImageTest, BatchNormalization) {
  GraphBuilder b;
  const ValueId v = b.BatchNorm(b.Image(3, kSide, kSide), 3);
  EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, v)))), "Conv Relu");
}

TEST(FoldImageTest, ScaleOfChannelsLast) {
  GraphBuilder b;
  ValueId v = b.Op("Mul", {b.Image(kSide, kSide, 3), b.Floats({}, {0.5F})});
  v = b.Op("Add", {v, b.Weights({3})});
  v = b.Op("Transpose", {v}, {IntsAttribute("perm", {0, 3, 1, 2})});
  EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, v)), true)), "Conv Relu");
}

// torchvision's transform_input, as the old exporter writes it.
ValueId Transformed(GraphBuilder& b, ValueId image, const std::vector<int64_t>& order) {
  std::vector<ValueId> colours;
  for (const int64_t c : order) {
    ValueId x = b.Op("Gather", {image, b.IntScalar(c)}, {IntAttribute("axis", 1)});
    x = b.Op("Unsqueeze", {x, b.Ints({1})});
    x = b.Op("Mul", {x, b.Floats({}, {0.4F + 0.1F * static_cast<float>(c)})});
    colours.push_back(b.Op("Add", {x, b.Floats({}, {0.1F - 0.2F * static_cast<float>(c)})}));
  }
  return b.Op("Concat", std::move(colours), {IntAttribute("axis", 1)});
}

TEST(FoldImageTest, OneNumberForEachColour) {
  GraphBuilder b;
  const ValueId v = Transformed(b, b.Image(3, kSide, kSide), {0, 1, 2});
  EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, v)))), "Conv Relu");
}

// The same by slices, as dynamo writes it.
TEST(FoldImageTest, OneNumberForEachSlice) {
  GraphBuilder b;
  const ValueId image = b.Image(3, kSide, kSide);
  std::vector<ValueId> colours;
  for (const int64_t c : {2, 0, 1}) {
    const ValueId x = b.Op("Slice", {image, b.Ints({c}), b.Ints({c + 1}), b.Ints({1})});
    colours.push_back(b.Op("Mul", {x, b.Floats({}, {0.5F + static_cast<float>(c)})}));
  }
  const ValueId v = b.Op("Concat", std::move(colours), {IntAttribute("axis", 1)});
  EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, v)))), "Conv Relu");
}

// RGB as BGR.
TEST(FoldImageTest, ColoursTurnedAround) {
  GraphBuilder b;
  ValueId v = b.Op(
      "Slice", {b.Image(3, kSide, kSide), b.Ints({-1}), b.Ints({-9}), b.Ints({1}), b.Ints({-1})});
  v = b.Op("Sub", {v, b.Weights({3, 1, 1})});
  EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, v)))), "Conv Relu");
}

TEST(FoldImageTest, OneColourOnly) {
  GraphBuilder b;
  const ValueId x =
      b.Op("Gather", {b.Image(3, kSide, kSide), b.Ints({1})}, {IntAttribute("axis", 1)});
  const ValueId scaled = b.Op("Mul", {x, b.Floats({}, {0.5F})});
  const Graph graph = Folded(b.Finish(b.Op("Relu", {b.Conv(scaled, 1, 2, 3)})));
  EXPECT_EQ(Operators(graph), "Conv Relu");
  EXPECT_EQ(graph.image_scale, (std::vector<double>{1, 0.5, 1}));
}

TEST(FoldImageTest, ColoursInAnotherOrder) {
  GraphBuilder b;
  const ValueId v = Transformed(b, b.Image(3, kSide, kSide), {2, 1, 0});
  EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, v)))), "Conv Relu");
}

// A mean image is a map of potentials behind the first layer, but for its mean.
TEST(FoldImageTest, MeanImage) {
  GraphBuilder b;
  const ValueId v = b.Op("Sub", {b.Image(3, kSide, kSide), b.Weights({1, 3, kSide, kSide})});
  const Graph graph = Folded(b.Finish(PaddedConv(b, v)));
  EXPECT_EQ(Operators(graph), "Slice Conv Relu Conv Conv Add Relu");
  EXPECT_EQ(graph.image_map, nullptr);
  EXPECT_EQ(graph.image_shift.size(), 3U);
}

TEST(FoldImageTest, MeanImageOfChannelsLast) {
  GraphBuilder b;
  ValueId v = b.Op("Sub", {b.Image(kSide, kSide, 3), b.Weights({kSide, kSide, 3})});
  v = b.Op("Transpose", {v}, {IntsAttribute("perm", {0, 3, 1, 2})});
  EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, v)), true)),
            "Slice Conv Relu Conv Conv Add Relu");
}

TEST(FoldImageTest, MeanImageBeforeAnotherLayer) {
  GraphBuilder b;
  ValueId v = b.Op("Sub", {b.Image(3, kSide, kSide), b.Weights({1, 3, kSide, kSide})});
  v = b.Op("Relu", {b.Op("MaxPool", {v}, {IntsAttribute("kernel_shape", {2, 2})})});
  EXPECT_EQ(Operators(Folded(b.Finish(v))), "Slice Conv Relu Conv Conv Add MaxPool Relu");
}

// A scale that differs from pixel to pixel cannot be followed.
TEST(FoldImageTest, ScaleOfEachPixelIsRefused) {
  GraphBuilder b;
  const ValueId v = b.Op("Mul", {b.Image(3, kSide, kSide), b.Positive({1, 3, kSide, kSide})});
  Graph graph = b.Finish(PaddedConv(b, v));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(FindUnsupported(graph).size(), 1U);
}

// The image is read twice, once as it is: neurons have to scale it.
TEST(FoldImageTest, StaysWhereReadersDisagree) {
  GraphBuilder b;
  const ValueId image = b.Image(3, kSide, kSide);
  const ValueId a = PaddedConv(b, b.Op("Mul", {image, b.Floats({}, {0.5F})}));
  const Graph graph = Folded(b.Finish(b.Op("Add", {a, PaddedConv(b, image)})));
  EXPECT_TRUE(graph.image_scale.empty());
  EXPECT_EQ(testing::CountOps(graph, "Conv"), 3);
}

// A standard deviation is positive.
TEST(FoldImageTest, NegativeScaleStays) {
  GraphBuilder b;
  const ValueId v = b.Op("Sub", {b.Floats({}, {1.0F}), b.Image(3, kSide, kSide)});
  const Graph graph = Folded(b.Finish(PaddedConv(b, v)));
  EXPECT_TRUE(graph.image_scale.empty());
  EXPECT_EQ(Operators(graph), "Conv Conv Relu");
}

// Grey images with their channel last are not moved at all, so that exporters reshape them.
TEST(FoldImageTest, GreyImagesAreReshaped) {
  GraphBuilder b;
  ValueId v = b.Op("Reshape", {b.Image(8, 9, 1), b.Ints({-1, 1, 8, 9})});
  v = b.Op("GlobalAveragePool", {b.Op("Relu", {b.Conv(v, 1, 4, 3)})});
  Graph graph = b.Finish(b.Op("Gemm", {b.Op("Flatten", {v}), b.Weights({4, 5})}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
  EXPECT_EQ(graph.value(graph.input).shape, (Shape{1, 1, 8, 9}));
}

// A grey image that is given three colours: the first layer's weights are summed.
TEST(FoldImageTest, GreyImagesOfThreeColours) {
  for (const char* op : {"Expand", "Tile", "Concat"}) {
    GraphBuilder b;
    const ValueId grey = b.Op("Mul", {b.Image(1, kSide, kSide * 3), b.Floats({}, {2.0F})});
    const ValueId x = op == std::string("Concat")
                          ? b.Op(op, {grey, grey, grey}, {IntAttribute("axis", 1)})
                      : op == std::string("Tile") ? b.Op(op, {grey, b.Ints({1, 3, 1, 1})})
                                                  : b.Op(op, {grey, b.Ints({1, 3, 1, 1})});
    EXPECT_EQ(Operators(Folded(b.Finish(PaddedConv(b, x)))), "Conv Relu") << op;
  }
}

// A perceptron of images with their channels last: the weights are reordered.
TEST(FoldImageTest, ImagesAreFlattened) {
  GraphBuilder b;
  const ValueId flat = b.Op("Flatten", {b.Image(kSide, kSide, 3)});
  const Graph graph =
      Folded(b.Finish(b.Op("Gemm", {flat, b.Weights({3 * kSide * kSide, 4})})), true);
  EXPECT_EQ(graph.value(graph.input).shape, (Shape{1, 3, kSide, kSide}));
}

}  // namespace
}  // namespace cssrun::converter
