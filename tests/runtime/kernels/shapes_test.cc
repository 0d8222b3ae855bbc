// That the lists of shapes contain what kernels may get wrong: each feature in several shapes.
#include "tests/runtime/kernels/cases/shapes.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/runtime/kernels/cases/convolution_case.h"

namespace cssrun::internal {
namespace {

using Features = std::map<std::string, int>;

std::string Named(const char* name, int64_t value) { return name + std::to_string(value); }

void CountLanes(const std::string& side, const LaneLayout& lanes, Features& features) {
  ++features[side + Named(" lanes ", lanes.lanes)];
  ++features[side + Named(" blocks ", std::min(lanes.blocks, 6U))];
}

Features FeaturesOf(const std::vector<ConvolutionShape>& shapes) {
  Features features;
  for (const ConvolutionShape& shape : shapes) {
    const ConvolutionCase made(shape, WeightDraw::kOneSign, 1);
    const format::Window& w = shape.window;
    CountLanes("source", made.source_lanes, features);
    CountLanes("target", made.target_lanes, features);
    for (const uint32_t side : {shape.source.height(), shape.source.width()}) {
      ++features[Named("side ", side)];
    }
    for (const int32_t kernel : {w.kernel_y(), w.kernel_x()}) ++features[Named("kernel ", kernel)];
    for (const int32_t stride : {w.stride_y(), w.stride_x()}) ++features[Named("stride ", stride)];
    for (const int32_t d : {w.dilation_y(), w.dilation_x()}) ++features[Named("dilation ", d)];
    for (const int32_t pad : {w.pad_top(), w.pad_left()}) {
      ++features[pad < 0 ? "pad negative" : pad == 0 ? "pad 0" : "pad positive"];
    }
    if (w.pad_left() != w.pad_right()) ++features["pads differ"];
    if (shape.groups > 1) ++features["groups"];
    if (shape.channel_offset < 0) ++features["offset down"];
    if (shape.channel_offset > 0) ++features["offset up"];
    if (shape.mean) ++features[made.view.disjoint() ? "mean" : "mean overlapping"];
    if (shape.spread_y != shape.spread_x) ++features["spread"];
    if (shape.pool) ++features[made.pools.disjoint() ? "pool" : "pool overlapping"];
    if (made.membranes.guard_lanes % kLineLanes != 0) ++features["guard misaligned"];
    if (made.map.width() % made.target_lanes.positions() != 0) ++features["last line in part"];
    if (shape.width == WeightWidth::kWide) ++features["weights wide"];
    if (shape.largest_weight != 0) ++features["weights of an identity"];
    if (shape.network != nullptr) ++features["real"];
  }
  return features;
}

// `names`: the beginning of a feature, and its values from first to last.
void Expect(const Features& features, const std::string& name, int first, int last) {
  for (int value = first; value <= last; ++value) {
    const auto found = features.find(name + std::to_string(value));
    EXPECT_GE(found == features.end() ? 0 : found->second, 2) << name << value;
  }
}

void Expect(const Features& features, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = features.find(name);
    EXPECT_GE(found == features.end() ? 0 : found->second, 2) << name;
  }
}

void ExpectSides(const Features& features, bool single) {
  for (const int side : {1, 2, 3, 5, 7, 8, 13, 17, 33}) {
    if (side > 1 || single) Expect(features, "side ", side, side);
  }
}

TEST(ShapesTest, TileGather) {
  const Features features = FeaturesOf(TileGatherShapes());
  ExpectSides(features, true);
  Expect(features, {"source lanes 4",
                    "source lanes 8",
                    "source lanes 16",
                    "source lanes 32",
                    "target lanes 8",
                    "target lanes 16",
                    "target lanes 32",
                    "pad negative",
                    "pad 0",
                    "pad positive",
                    "pads differ",
                    "groups",
                    "mean",
                    "mean overlapping",
                    "spread",
                    "pool",
                    "pool overlapping",
                    "guard misaligned",
                    "last line in part",
                    "weights wide",
                    "weights of an identity",
                    "real"});
  Expect(features, "source blocks ", 1, 6);
  Expect(features, "target blocks ", 1, 6);
  Expect(features, "kernel ", 1, 5);
  Expect(features, "stride ", 1, 3);
  Expect(features, "dilation ", 1, 3);
}

TEST(ShapesTest, RowScatter) {
  const Features features = FeaturesOf(RowScatterShapes());
  ExpectSides(features, false);
  Expect(features,
         {"source lanes 4", "source lanes 8", "source lanes 16", "source lanes 32",
          "target lanes 8", "target lanes 16", "target lanes 32", "pad 0", "pad positive",
          "pads differ", "guard misaligned", "last line in part", "weights wide", "real"});
  Expect(features, "source blocks ", 1, 5);
  Expect(features, "target blocks ", 1, 5);
  Expect(features, "kernel ", 1, 5);
}

TEST(ShapesTest, Depthwise) {
  const Features features = FeaturesOf(DepthwiseShapes());
  ExpectSides(features, true);
  Expect(features, {"pad negative", "pad 0", "pad positive", "pads differ", "real"});
  Expect(features, "target blocks ", 1, 6);
  Expect(features, "kernel ", 1, 5);
  Expect(features, "stride ", 1, 3);
  Expect(features, "dilation ", 1, 3);
}

TEST(ShapesTest, LevelConv) {
  const Features features = FeaturesOf(LevelConvShapes());
  ExpectSides(features, true);
  Expect(features, {"source lanes 8", "source lanes 16", "source lanes 32", "target lanes 16",
                    "target lanes 32", "pad negative", "pad 0", "pad positive", "pads differ",
                    "guard misaligned", "last line in part", "real"});
  Expect(features, "source blocks ", 1, 6);
  Expect(features, "target blocks ", 1, 6);
  Expect(features, "kernel ", 1, 5);
  Expect(features, "stride ", 1, 3);
  Expect(features, "dilation ", 1, 3);
}

TEST(ShapesTest, Shortcuts) {
  const Features features = FeaturesOf(EventShortcutShapes());
  ExpectSides(features, true);
  Expect(features,
         {"source lanes 4", "source lanes 8", "source lanes 16", "source lanes 32",
          "target lanes 8", "target lanes 16", "target lanes 32", "pad negative", "pad 0",
          "pad positive", "mean", "offset down", "offset up", "guard misaligned", "real"});
  Expect(features, "source blocks ", 1, 6);
  Expect(features, "target blocks ", 1, 6);
  Expect(features, "stride ", 1, 2);
}

}  // namespace
}  // namespace cssrun::internal
