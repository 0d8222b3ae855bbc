// Compares the dense network with plain loops in double, value by value, on odd shapes.
#include "converter/dense.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::RandomFloats;
using testing::RunNaive;

// Float sums of n terms differ from double ones by about sqrt(n) roundings; n is below 10^4 here.
constexpr double kTolerance = 100 * 1.2e-7;

void ExpectNear(std::span<const float> actual, std::span<const double> expected,
                const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = 1;
  for (const double v : expected) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], kTolerance * largest) << what << " at " << i;
  }
}

// Runs the passes on the graph, then the graph on a batch of 3, and compares every value that the
// dense network keeps. Returns how many were compared.
int ExpectEqualsNaive(Graph graph, int64_t batch = 3) {
  const Status passes = RunPasses(graph);
  EXPECT_TRUE(passes.ok()) << passes.message();
  const auto unsupported = FindUnsupported(graph);
  EXPECT_TRUE(unsupported.empty()) << FormatUnsupported(unsupported);
  if (!passes.ok() || !unsupported.empty()) return 0;

  const auto image_size = static_cast<size_t>(ElementCount(graph.value(graph.input).shape));
  const std::vector<float> images = RandomFloats(image_size * static_cast<size_t>(batch), 7);
  std::vector<std::vector<double>> expected(graph.values.size());
  for (size_t i = 0; i < static_cast<size_t>(batch); ++i) {
    const auto one = RunNaive(graph, std::span(images).subspan(i * image_size, image_size));
    for (size_t v = 0; v < one.size(); ++v) {
      expected[v].insert(expected[v].end(), one[v].begin(), one[v].end());
    }
  }

  Result<std::unique_ptr<DenseNetwork>> dense = DenseNetwork::Create(graph, batch);
  EXPECT_TRUE(dense.ok()) << dense.status().message();
  if (!dense.ok()) return 0;
  const auto classes =
      static_cast<size_t>(ElementCount(graph.value(graph.outputs.front().value).shape));
  std::vector<float> logits(classes * static_cast<size_t>(batch));
  // First finds out which values are kept; then compares all of them at once.
  std::vector<ValueId> watch;
  for (ValueId id = 0; id < static_cast<ValueId>(graph.values.size()); ++id) {
    const ValueId one[] = {id};
    const Status status = dense.value()->Run(images, logits, one, [](auto, auto) {});
    if (status.ok()) watch.push_back(id);
  }
  EXPECT_TRUE(std::find(watch.begin(), watch.end(), graph.outputs.front().value) != watch.end());
  std::vector<ValueId> observed;
  const Status status = dense.value()->Run(
      images, logits, watch, [&](ValueId id, std::span<const float> activations) {
        observed.push_back(id);
        ExpectNear(activations, expected[static_cast<size_t>(id)], graph.value(id).name);
      });
  EXPECT_TRUE(status.ok()) << status.message();
  std::sort(observed.begin(), observed.end());
  EXPECT_EQ(observed, watch);
  ExpectNear(logits, expected[static_cast<size_t>(graph.outputs.front().value)], "logits");
  return static_cast<int>(watch.size());
}

// Ends a map of any shape with a fully connected layer over all of it.
Graph EndWithGemm(GraphBuilder& builder, ValueId map, int64_t elements) {
  const ValueId flat = builder.Op("Flatten", {map}, {IntAttribute("axis", 1)});
  return builder.Finish(builder.Op("Gemm",
                                   {flat, builder.Weights({5, elements}), builder.Weights({5})},
                                   {IntAttribute("transB", 1)}));
}

struct ConvCase {
  int64_t in, out, kernel, groups;
  std::vector<int64_t> strides, dilations, pads;
  int64_t rows, columns;
  int64_t elements;  // number of elements of the output
};

TEST(DenseTest, Convolutions) {
  const ConvCase cases[] = {
      {3, 5, 3, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}, 9, 7, 5 * 9 * 7},
      {3, 8, 3, 1, {2, 2}, {1, 1}, {0, 1, 1, 0}, 9, 8, 8 * 4 * 4},
      {16, 17, 1, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, 5, 5, 17 * 25},
      {4, 6, 3, 2, {1, 1}, {2, 2}, {2, 2, 2, 2}, 9, 9, 6 * 81},
      {7, 7, 3, 7, {1, 2}, {1, 1}, {1, 1, 1, 1}, 6, 7, 7 * 6 * 4},
      {2, 3, 5, 1, {3, 3}, {1, 1}, {4, 0, 2, 3}, 11, 10, 3 * 5 * 3},
      {32, 16, 3, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}, 4, 4, 16 * 16},
  };
  for (const ConvCase& c : cases) {
    GraphBuilder builder;
    const ValueId image = builder.Image(c.in, c.rows, c.columns);
    const ValueId conv =
        builder.Conv(image, c.in, c.out, c.kernel,
                     {IntsAttribute("strides", c.strides), IntsAttribute("dilations", c.dilations),
                      IntsAttribute("pads", c.pads)},
                     c.groups);
    SCOPED_TRACE(std::to_string(c.in) + " -> " + std::to_string(c.out));
    // The conv is observable unless something is fused with it.
    EXPECT_EQ(ExpectEqualsNaive(EndWithGemm(builder, conv, c.elements)), 4);
  }
}

TEST(DenseTest, FusedRectifiers) {
  GraphBuilder builder;
  const ValueId image = builder.Image(3, 8, 8);
  const ValueId one = builder.Op("Relu", {builder.Conv(image, 3, 9, 3)});
  const ValueId two = builder.Op("Clip", {builder.Conv(one, 9, 10, 3), builder.Floats({}, {0.0F}),
                                          builder.Floats({}, {0.7F})});
  const ValueId flat = builder.Op("Flatten", {two});
  const ValueId hidden = builder.Op(
      "Relu", {builder.Op("Gemm", {flat, builder.Weights({6, 160}), builder.Weights({6})},
                          {IntAttribute("transB", 1)})});
  const ValueId logits =
      builder.Op("Gemm", {hidden, builder.Weights({4, 6})}, {IntAttribute("transB", 1)});
  EXPECT_EQ(ExpectEqualsNaive(builder.Finish(logits)), 6);
}

TEST(DenseTest, RectifierOfSharedConv) {
  // The conv's own output is read too: nothing may be fused into it.
  GraphBuilder builder;
  const ValueId image = builder.Image(2, 6, 5);
  const ValueId conv = builder.Conv(image, 2, 4, 3, {IntsAttribute("pads", {1, 1, 1, 1})});
  const ValueId relu = builder.Op("Relu", {conv});
  const ValueId sum = builder.Op("Add", {relu, conv});
  EXPECT_EQ(ExpectEqualsNaive(EndWithGemm(builder, sum, 120)), 6);
}

TEST(DenseTest, HalvesOfLeakyRelus) {
  GraphBuilder builder;
  const ValueId conv = builder.Conv(builder.Image(3, 6, 5), 3, 20, 3);
  const ValueId prelu = builder.Op("PRelu", {conv, builder.Weights({20, 1, 1})});
  const ValueId flat = builder.Op("Flatten", {builder.Conv(prelu, 20, 7, 3)});
  const ValueId leaky = builder.Op("LeakyRelu", {flat});
  // The image, both layers, four values of each and what comes after them.
  EXPECT_GE(ExpectEqualsNaive(EndWithGemm(builder, leaky, 14)), 12);
}

TEST(DenseTest, Deconvolutions) {
  GraphBuilder builder;
  const ValueId image = builder.Image(4, 5, 6);
  const ValueId one =
      builder.Op("ConvTranspose", {image, builder.Weights({4, 3, 3, 2}), builder.Weights({6})},
                 {IntsAttribute("strides", {2, 3}), IntsAttribute("pads", {1, 0, 0, 1}),
                  IntsAttribute("dilations", {1, 2}), IntsAttribute("output_padding", {1, 2}),
                  IntAttribute("group", 2)});
  const ValueId two = builder.Op(
      "ConvTranspose", {builder.Op("Relu", {one}), builder.Weights({6, 7, 3, 3})},
      {testing::TextAttribute("auto_pad", "SAME_UPPER"), IntsAttribute("strides", {2, 2})});
  // 5 rows become 11, 6 columns 19; then twice as many.
  EXPECT_GE(ExpectEqualsNaive(EndWithGemm(builder, two, 7 * 22 * 38)), 4);
}

TEST(DenseTest, RepeatedPositions) {
  GraphBuilder builder(1, 9);
  const ValueId conv = builder.Conv(builder.Image(3, 4, 5), 3, 20, 3);
  const ValueId up = builder.Op("Upsample", {conv, builder.Floats({4}, {1, 1, 3, 2})});
  EXPECT_GE(ExpectEqualsNaive(EndWithGemm(builder, up, 20 * 6 * 6)), 4);
}

TEST(DenseTest, MaxPools) {
  struct {
    std::vector<int64_t> kernel, strides, pads;
    int64_t ceil, elements;
  } const cases[] = {
      {{2, 2}, {2, 2}, {0, 0, 0, 0}, 0, 6 * 4 * 3}, {{3, 3}, {2, 2}, {1, 1, 1, 1}, 0, 6 * 5 * 4},
      {{3, 2}, {1, 2}, {1, 0, 0, 1}, 0, 6 * 8 * 4}, {{2, 2}, {2, 2}, {0, 0, 0, 0}, 1, 6 * 5 * 4},
      {{3, 3}, {2, 2}, {0, 0, 0, 0}, 1, 6 * 4 * 3},
  };
  for (const auto& c : cases) {
    GraphBuilder builder;
    const ValueId conv =
        builder.Conv(builder.Image(3, 9, 7), 3, 6, 3, {IntsAttribute("pads", {1, 1, 1, 1})});
    const ValueId pool =
        builder.Op("MaxPool", {builder.Op("Relu", {conv})},
                   {IntsAttribute("kernel_shape", c.kernel), IntsAttribute("strides", c.strides),
                    IntsAttribute("pads", c.pads), IntAttribute("ceil_mode", c.ceil)});
    ExpectEqualsNaive(EndWithGemm(builder, pool, c.elements));
  }
}

TEST(DenseTest, MaxPoolOfTheImage) {
  GraphBuilder builder;
  const ValueId pool =
      builder.Op("MaxPool", {builder.Image(3, 6, 6)},
                 {IntsAttribute("kernel_shape", {3, 3}), IntsAttribute("pads", {1, 1, 1, 1})});
  ExpectEqualsNaive(EndWithGemm(builder, pool, 3 * 36));
}

TEST(DenseTest, AveragePools) {
  GraphBuilder builder;
  const ValueId conv = builder.Conv(builder.Image(3, 8, 8), 3, 5, 3);
  const ValueId padded =
      builder.Op("AveragePool", {builder.Op("Relu", {conv})},
                 {IntsAttribute("kernel_shape", {3, 3}), IntsAttribute("strides", {2, 1}),
                  IntsAttribute("pads", {1, 1, 1, 0}), IntAttribute("count_include_pad", 1)});
  const ValueId plain =
      builder.Op("AveragePool", {padded}, {IntsAttribute("kernel_shape", {2, 2})});
  const ValueId mean = builder.Op("GlobalAveragePool", {plain});
  ExpectEqualsNaive(EndWithGemm(builder, mean, 5));
}

TEST(DenseTest, MeansAtTheBorder) {
  const struct {
    std::vector<int64_t> pads;
    int64_t positions;
  } cases[] = {{{1, 0, 1, 1}, 5 * 4}, {{0, 0, 0, 0}, 4 * 4}};
  for (const auto& c : cases) {
    for (const int64_t counts : {0, 1}) {
      GraphBuilder builder;
      const ValueId conv = builder.Conv(builder.Image(3, 10, 12), 3, 16, 3);
      const ValueId pool =
          builder.Op("AveragePool", {builder.Op("Relu", {conv})},
                     {IntsAttribute("kernel_shape", {3, 2}), IntsAttribute("strides", {2, 3}),
                      IntsAttribute("pads", c.pads), IntAttribute("ceil_mode", 1),
                      IntAttribute("count_include_pad", counts)});
      ExpectEqualsNaive(EndWithGemm(builder, pool, 16 * c.positions));
    }
  }
}

// Makes a residual block whose shortcut is `shortcut`.
Graph Block(int64_t width, const std::function<ValueId(GraphBuilder&, ValueId)>& shortcut,
            int64_t stride, int64_t out) {
  GraphBuilder builder;
  const ValueId stem = builder.Op("Relu", {builder.Conv(builder.Image(3, 8, 8), 3, width, 3,
                                                        {IntsAttribute("pads", {1, 1, 1, 1})})});
  const ValueId one =
      builder.Op("Relu", {builder.Conv(stem, width, out, 3,
                                       {IntsAttribute("pads", {1, 1, 1, 1}),
                                        IntsAttribute("strides", {stride, stride})})});
  const ValueId two = builder.Conv(one, out, out, 3, {IntsAttribute("pads", {1, 1, 1, 1})});
  const ValueId relu = builder.Op("Relu", {builder.Op("Add", {two, shortcut(builder, stem)})});
  const ValueId mean = builder.Op("GlobalAveragePool", {relu});
  return EndWithGemm(builder, mean, out);
}

TEST(DenseTest, ResidualBlocks) {
  ExpectEqualsNaive(Block(
      16, [](GraphBuilder&, ValueId x) { return x; }, 1, 16));
  ExpectEqualsNaive(Block(
      5, [](GraphBuilder&, ValueId x) { return x; }, 1, 5));
  // A projection: both sides of the sum are convolutions.
  ExpectEqualsNaive(Block(
      6,
      [](GraphBuilder& b, ValueId x) {
        return b.Conv(x, 6, 12, 1, {IntsAttribute("strides", {2, 2})});
      },
      2, 12));
  // The shortcut is zero-padded and subsampled.
  const auto option_a = [](int64_t before, int64_t after) {
    return [=](GraphBuilder& b, ValueId x) {
      const ValueId half =
          b.Op("Slice", {x, b.Ints({0, 0}), b.Ints({100, 100}), b.Ints({2, 3}), b.Ints({2, 2})});
      return b.Op("Pad", {half, b.Ints({0, before, 0, 0, 0, after, 0, 0})});
    };
  };
  ExpectEqualsNaive(Block(16, option_a(8, 8), 2, 32));
  ExpectEqualsNaive(Block(5, option_a(1, 3), 2, 9));
}

TEST(DenseTest, SharedShortcutIsNotOverwritten) {
  // The stem is added twice: the first sum must not be computed in its memory.
  GraphBuilder builder;
  const std::vector<Attribute> same = {IntsAttribute("pads", {1, 1, 1, 1})};
  const ValueId stem = builder.Op("Relu", {builder.Conv(builder.Image(3, 6, 6), 3, 8, 3, same)});
  const ValueId one =
      builder.Op("Relu", {builder.Op("Add", {builder.Conv(stem, 8, 8, 3, same), stem})});
  const ValueId two =
      builder.Op("Relu", {builder.Op("Add", {stem, builder.Conv(one, 8, 8, 3, same)})});
  const ValueId twice = builder.Op("Add", {two, two});
  ExpectEqualsNaive(EndWithGemm(builder, twice, 8 * 36));
}

// Steps that would leave the map after the last row or column, in images one after another.
TEST(DenseTest, SlicesWithSteps) {
  for (const int64_t step : {2, 3, 4}) {
    GraphBuilder b;
    const ValueId conv = b.Conv(b.Image(3, 7, 9), 3, 8, 1);
    ValueId v = b.Op("Slice",
                     {conv, b.Ints({0, 0}), b.Ints({100, 100}), b.Ints({2, 3}), b.Ints({step, 2})});
    v = b.Op("Slice", {b.Op("Relu", {v}), b.Ints({0}), b.Ints({100}), b.Ints({3}), b.Ints({3})});
    const int64_t rows = (7 + step - 1) / step;
    EXPECT_EQ(ExpectEqualsNaive(EndWithGemm(b, v, 8 * rows * 2)), 7);
  }
}

TEST(DenseTest, SlicesPadsAndConcats) {
  GraphBuilder builder;
  const ValueId image = builder.Image(4, 9, 8);
  const ValueId conv = builder.Op("Relu", {builder.Conv(image, 4, 7, 3)});  // [7, 7, 6]
  const ValueId slice = builder.Op("Slice", {conv, builder.Ints({1, 2, 0}), builder.Ints({6, 7, 6}),
                                             builder.Ints({1, 2, 3}), builder.Ints({1, 2, 1})});
  const ValueId pad = builder.Op("Pad", {slice, builder.Ints({0, 2, 1, 0, 0, 1, 2, 1})});
  // [5, 3, 6] -> [8, 6, 7]
  const ValueId other = builder.Op(
      "Slice", {image, builder.Ints({3, 1}), builder.Ints({9, 8}), builder.Ints({2, 3})});
  const ValueId joined = builder.Op("Concat", {pad, other, pad}, {IntAttribute("axis", 1)});
  const ValueId last = builder.Op("Relu", {builder.Conv(joined, 20, 3, 3)});
  ExpectEqualsNaive(EndWithGemm(builder, last, 3 * 4 * 5));
}

TEST(DenseTest, FlattenedImage) {
  GraphBuilder builder;
  const ValueId image = builder.Image(2, 3, 4);
  const ValueId flat = builder.Op("Flatten", {image});
  const ValueId hidden = builder.Op(
      "Relu", {builder.Op("Gemm", {flat, builder.Weights({24, 24})}, {IntAttribute("transB", 1)})});
  const ValueId logits =
      builder.Op("Gemm", {hidden, builder.Weights({3, 24}), builder.Weights({3})},
                 {IntAttribute("transB", 1)});
  EXPECT_EQ(ExpectEqualsNaive(builder.Finish(logits)), 4);
}

TEST(DenseTest, RectifierAfterFlatten) {
  GraphBuilder builder;
  const ValueId conv = builder.Conv(builder.Image(3, 6, 6), 3, 5, 3);
  const ValueId pool = builder.Op("AveragePool", {conv}, {IntsAttribute("kernel_shape", {2, 2})});
  const ValueId flat = builder.Op("Flatten", {pool});
  const ValueId relu = builder.Op("Relu", {flat});
  ExpectEqualsNaive(
      builder.Finish(builder.Op("Gemm", {relu, builder.Weights({3, 45}), builder.Weights({3})},
                                {IntAttribute("transB", 1)})));
}

TEST(DenseTest, EndsWithAMapOfOnePosition) {
  GraphBuilder builder;
  const ValueId conv = builder.Conv(builder.Image(3, 6, 6), 3, 10, 3);
  ExpectEqualsNaive(builder.Finish(builder.Op("GlobalAveragePool", {conv})));
}

TEST(DenseTest, EveryBatchGivesTheSame) {
  for (const int64_t batch : {1, 2, 5}) {
    ExpectEqualsNaive(Block(
                          6, [](GraphBuilder&, ValueId x) { return x; }, 1, 6),
                      batch);
  }
}

TEST(DenseTest, RefusesWrongCalls) {
  Graph graph = Block(
      5, [](GraphBuilder&, ValueId x) { return x; }, 1, 5);
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(DenseNetwork::Create(graph, 0).status().code(), StatusCode::kInvalidArgument);
  Result<std::unique_ptr<DenseNetwork>> dense = DenseNetwork::Create(graph, 1);
  ASSERT_TRUE(dense.ok()) << dense.status().message();
  std::vector<float> images(3 * 64);
  std::vector<float> logits(5);
  const auto ignore = [](ValueId, std::span<const float>) {};
  EXPECT_TRUE(dense.value()->Run(images, logits, {}, ignore).ok());
  EXPECT_EQ(dense.value()->Run(std::span(images).first(5), logits, {}, ignore).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(dense.value()->Run(images, std::span(logits).first(4), {}, ignore).code(),
            StatusCode::kInvalidArgument);
  // The first conv was fused with its Relu.
  const ValueId fused[] = {graph.nodes[0].outputs[0]};
  const Status status = dense.value()->Run(images, logits, fused, ignore);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find(graph.value(fused[0]).name), std::string::npos);
  const ValueId unknown[] = {-1};
  EXPECT_EQ(dense.value()->Run(images, logits, unknown, ignore).code(),
            StatusCode::kInvalidArgument);
}

TEST(DenseTest, NamesANodeItCannotRun) {
  GraphBuilder builder;
  Graph graph = builder.Finish(builder.Op("Sigmoid", {builder.Image(1, 2, 2)}));
  graph.value(graph.outputs.front().value).shape = {1, 1, 2, 2};
  const Status status = DenseNetwork::Create(graph, 1).status();
  EXPECT_EQ(status.code(), StatusCode::kBadModel);
  EXPECT_NE(status.message().find("Sigmoid0"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace cssrun::converter
