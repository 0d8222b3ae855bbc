// Compares the ANN in 8 bits by oneDNN with the same ANN in float: it must be as good an opponent
// as 8 bits allow.
#include "bench/opponents/onednn_int8.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/passes/passes.h"
#include "converter/support.h"
#include "cssrun/session.h"
#include "tests/converter/graph_builder.h"
#include "tools/image_set.h"

namespace cssrun::bench {
namespace {

using converter::Graph;
using converter::ImageSet;
using converter::Logits;
using converter::ValueId;
using converter::testing::GraphBuilder;
using converter::testing::IntAttribute;
using converter::testing::IntsAttribute;

const std::string kDemo = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo";

struct Difference {
  double agreement = 0;
  double error = 0;  // relative, of the logits
};

// Runs the graph in float and, calibrated on `calibration`, in 8 bits. One thread: on a busy
// machine OpenMP's threads wait for each other.
Result<Difference> Compare(const Graph& graph, const ImageSet& calibration, const ImageSet& images,
                           const InputFormat& input) {
  omp_set_num_threads(1);
  const auto expected = converter::RunAnn(
      graph, images, input, {}, [](ValueId, std::span<const float>) {}, [](size_t, size_t) {});
  if (!expected.ok()) return expected.status();
  const auto int8 = CreateOneDnnInt8(graph, calibration, input);
  if (!int8.ok()) return int8.status();
  Difference difference;
  double errors = 0;
  double squares = 0;
  for (size_t i = 0; i < images.pixels.size(); ++i) {
    const Logits& ann = expected.value()[i];
    std::vector<float> image(images.pixels[i].size());
    converter::NormalizePixels(images.pixels[i], input, image);
    Logits logits(ann.size());
    if (Status status = int8.value()->Run(image, logits, {}, {}); !status.ok()) return status;
    difference.agreement += BestClass(logits) == BestClass(ann) ? 1.0 : 0.0;
    for (size_t c = 0; c < ann.size(); ++c) {
      errors += std::pow(logits[c] - ann[c], 2);
      squares += std::pow(ann[c], 2);
    }
  }
  difference.agreement /= static_cast<double>(images.pixels.size());
  difference.error = std::sqrt(errors / squares);
  return difference;
}

ImageSet ReadDemo(const std::string& folder, const InputFormat& input) {
  ImageSet images;
  const auto read = tools::ReadImageSet(
      kDemo + folder, {}, input, {}, [](size_t, size_t) {}, images);
  EXPECT_TRUE(read.ok()) << read.status().message();
  return images;
}

TEST(OneDnnInt8Test, FollowsTheFloatNetworkOnTheDemo) {
  const auto model = converter::LoadModel(kDemo + "/digits.onnx");
  ASSERT_TRUE(model.ok()) << model.status().message();
  InputFormat input = model.value().input;
  input.mean.assign(input.channels, 0.5F);
  input.stddev.assign(input.channels, 0.25F);
  const auto difference = Compare(model.value().graph, ReadDemo("/calibration", input),
                                  ReadDemo("/test", input), input);
  ASSERT_TRUE(difference.ok()) << difference.status().message();
  EXPECT_GE(difference.value().agreement, 0.99);
  EXPECT_LT(difference.value().error, 0.02);
  EXPECT_GT(difference.value().error, 1e-4);  // it does compute in 8 bits
}

// Pictures of noise, with some structure that survives the mean over a map.
ImageSet Noise(const InputFormat& input, size_t count) {
  std::mt19937 random(3);
  ImageSet images;
  for (size_t i = 0; i < count; ++i) {
    const auto darkest = static_cast<int>(random() % 200);
    images.pixels.emplace_back();
    for (uint32_t p = 0; p < input.channels * input.height * input.width; ++p) {
      images.pixels.back().push_back(static_cast<uint8_t>(darkest + random() % 56));
    }
    images.truth.push_back(-1);
  }
  return images;
}

// The relative error in 8 bits of a graph that takes 3 x 16 x 16 pixels.
Result<Difference> CompareOnNoise(Graph graph) {
  if (Status status = converter::RunPasses(graph); !status.ok()) return status;
  const auto unsupported = converter::FindUnsupported(graph);
  EXPECT_TRUE(unsupported.empty()) << converter::FormatUnsupported(unsupported);
  InputFormat input;
  input.channels = 3;
  input.height = input.width = 16;
  input.mean.assign(3, 0.5F);
  input.stddev.assign(3, 0.25F);
  const ImageSet images = Noise(input, 20);
  return Compare(graph, images, images, input);
}

void ExpectClose(Graph graph) {
  const auto difference = CompareOnNoise(std::move(graph));
  ASSERT_TRUE(difference.ok()) << difference.status().message();
  EXPECT_LT(difference.value().error, 0.03);
}

Graph EndWithMean(GraphBuilder& builder, ValueId map, int64_t channels) {
  const ValueId flat = builder.Op("Flatten", {builder.Op("GlobalAveragePool", {map})});
  return builder.Finish(builder.Op("Gemm",
                                   {flat, builder.Weights({5, channels}), builder.Weights({5})},
                                   {IntAttribute("transB", 1)}));
}

const std::vector<converter::Attribute> kSame = {IntsAttribute("pads", {1, 1, 1, 1})};

TEST(OneDnnInt8Test, SumsOfRectifiedAndOfSignedTerms) {
  GraphBuilder builder;
  const ValueId image = builder.Image(3, 16, 16);
  const ValueId first = builder.Op("Relu", {builder.Conv(image, 3, 16, 3, kSame)});
  const ValueId second = builder.Op(  // signed and rectified into the memory of a rectified term
      "Relu", {builder.Op("Add", {builder.Conv(first, 16, 16, 3, kSame), first})});
  const ValueId aside = builder.Conv(second, 16, 16, 1);
  const ValueId third = builder.Op(  // both are signed
      "Relu", {builder.Op("Add", {builder.Conv(second, 16, 16, 3, kSame), aside})});
  const ValueId fourth =  // not rectified: the sum is signed
      builder.Op("Add", {builder.Conv(third, 16, 16, 3, kSame), third});
  const ValueId last = builder.Op("Relu", {builder.Conv(fourth, 16, 16, 3, kSame)});
  ExpectClose(EndWithMean(builder, builder.Op("Add", {last, fourth}), 16));
}

TEST(OneDnnInt8Test, DepthwiseLayersPoolsAndMovedChannels) {
  GraphBuilder builder;
  const ValueId image = builder.Image(3, 16, 16);
  const ValueId low = builder.Floats({}, {0.0F});
  const ValueId first =
      builder.Op("Clip", {builder.Conv(image, 3, 16, 3, kSame), low, builder.Floats({}, {0.5F})});
  const ValueId depthwise = builder.Op("Relu", {builder.Conv(first, 16, 16, 3, kSame, 16)});
  const ValueId pooled =
      builder.Op("MaxPool", {depthwise},
                 {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("strides", {2, 2})});
  const ValueId sliced =
      builder.Op("Slice", {first, builder.Ints({0, 0}), builder.Ints({1000, 1000}),
                           builder.Ints({2, 3}), builder.Ints({2, 2})});
  const ValueId wide = builder.Op("Pad", {sliced, builder.Ints({0, 4, 0, 0, 0, 4, 0, 0})});
  const ValueId sum =
      builder.Op("Relu", {builder.Op("Add", {builder.Conv(pooled, 16, 24, 3, kSame), wide})});
  const ValueId mean =
      builder.Op("AveragePool", {sum},
                 {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("strides", {2, 2})});
  ExpectClose(EndWithMean(builder, mean, 24));
}

// The logits are those of a convolution, in float.
TEST(OneDnnInt8Test, EndsWithAConvolution) {
  GraphBuilder builder;
  const ValueId image = builder.Image(3, 16, 16);
  const ValueId first = builder.Op("Relu", {builder.Conv(image, 3, 16, 3, kSame)});
  const ValueId mean = builder.Op("GlobalAveragePool", {first});
  ExpectClose(builder.Finish(builder.Op("Flatten", {builder.Conv(mean, 16, 20, 1)})));
}

TEST(OneDnnInt8Test, SaysWhatItDoesNotRun) {
  GraphBuilder builder;
  const ValueId image = builder.Image(3, 16, 16);
  const ValueId a = builder.Op("Relu", {builder.Conv(image, 3, 8, 3, kSame)});
  const ValueId b = builder.Op("Relu", {builder.Conv(a, 8, 8, 3, kSame)});
  const ValueId both = builder.Op("Concat", {a, b}, {IntAttribute("axis", 1)});
  const auto difference = CompareOnNoise(EndWithMean(builder, both, 16));
  ASSERT_FALSE(difference.ok());
  EXPECT_EQ(difference.status().code(), StatusCode::kBadModel);
  EXPECT_NE(difference.status().message().find("does not run Concat"), std::string::npos)
      << difference.status().message();
}

}  // namespace
}  // namespace cssrun::bench
