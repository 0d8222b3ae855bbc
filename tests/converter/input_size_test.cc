// Other sizes of images: means over the map grow with it, and what fixes the size is refused.
#include "converter/input_size.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/converter/graph_builder.h"

namespace cssrun::converter {
namespace {

using testing::CountOps;
using testing::GraphBuilder;
using testing::IntsAttribute;

// A convolution with stride 2 and a classifier behind what `pool` makes of its 4 x 4 map.
template <class Pool>
Graph Classifier(const Pool& pool) {
  GraphBuilder builder;
  const ValueId image = builder.Image(3, 8, 8);
  const ValueId map = builder.Op(
      "Relu",
      {builder.Conv(image, 3, 5, 3,
                    {IntsAttribute("pads", {1, 1, 1, 1}), IntsAttribute("strides", {2, 2})})});
  const ValueId flat = builder.Op("Flatten", {pool(builder, map)});
  return builder.Finish(builder.Op("Gemm", {flat, builder.Weights({5, 10})}));
}

Graph MeanOverTheMap() {
  return Classifier([](GraphBuilder& builder, ValueId map) {
    return builder.Op("AveragePool", {map}, {IntsAttribute("kernel_shape", {4, 4})});
  });
}

TEST(InputSizeTest, MeansOverTheMapGrowWithIt) {
  for (const bool global : {false, true}) {
    const Graph read = global ? Classifier([](GraphBuilder& builder, ValueId map) {
      return builder.Op("GlobalAveragePool", {map});
    })
                              : MeanOverTheMap();
    const Result<Graph> graph = WithInputSize(read, {12, 20}, {});
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    EXPECT_EQ(graph.value().value(graph.value().input).shape, (Shape{1, 3, 12, 20}));
    EXPECT_EQ(CountOps(graph.value(), "GlobalAveragePool"), 1);
    EXPECT_EQ(graph.value().ShapeOf(graph.value().outputs.front()), (Shape{1, 10}));
  }
}

TEST(InputSizeTest, OtherMeansKeepTheirWindow) {
  GraphBuilder builder;
  const ValueId image = builder.Image(3, 8, 8);
  const ValueId mean =
      builder.Op("AveragePool", {image},
                 {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("strides", {2, 2})});
  const ValueId map = builder.Op("Relu", {builder.Conv(mean, 3, 5, 3)});
  const ValueId flat = builder.Op("Flatten", {builder.Op("GlobalAveragePool", {map})});
  const Graph read = builder.Finish(builder.Op("Gemm", {flat, builder.Weights({5, 10})}));
  const Result<Graph> graph = WithInputSize(read, {16, 8}, {});
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(CountOps(graph.value(), "AveragePool"), 1);
}

TEST(InputSizeTest, RefusesWhatFixesTheSize) {
  // A vector of a whole map.
  GraphBuilder builder;
  const ValueId map = builder.Op("Relu", {builder.Conv(builder.Image(3, 8, 8), 3, 5, 3)});
  const ValueId flat = builder.Op("Flatten", {map});
  const Graph whole = builder.Finish(builder.Op("Gemm", {flat, builder.Weights({180, 10})}));
  const Status refused = WithInputSize(whole, {16, 16}, {}).status();
  EXPECT_EQ(refused.code(), StatusCode::kBadModel);
  EXPECT_NE(refused.message().find("weights for that size alone"), std::string::npos)
      << refused.message();
  // One of a map that has a single position at the model's own size.
  const Graph pooled = Classifier([](GraphBuilder& b, ValueId m) {
    return b.Op("MaxPool", {m},
                {IntsAttribute("kernel_shape", {4, 4}), IntsAttribute("strides", {4, 4})});
  });
  EXPECT_TRUE(WithInputSize(pooled, {8, 8}, {}).ok());
  const Status fixed = WithInputSize(pooled, {16, 16}, {}).status();
  EXPECT_EQ(fixed.code(), StatusCode::kBadModel);
  EXPECT_NE(fixed.message().find("the model's own is 8x8"), std::string::npos) << fixed.message();
}

TEST(InputSizeTest, RefusesMoreThanTheLimit) {
  NetworkLimits limits;
  limits.neurons = 1000;
  const Status status = WithInputSize(MeanOverTheMap(), {100, 100}, limits).status();
  EXPECT_NE(status.message().find("limit \"neurons\""), std::string::npos) << status.message();
}

}  // namespace
}  // namespace cssrun::converter
