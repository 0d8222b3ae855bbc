// Tests lowering: with many timesteps the spiking network computes what the ANN computes, for every
// way in which operators compose, and it has only the layers that it needs.
#include "converter/spiking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "converter/network_builder.h"
#include "converter/passes/passes.h"
#include "converter/support.h"
#include "format/network_file.h"
#include "tests/converter/architectures.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/oracle/reference.h"

namespace cssrun::converter {
namespace {

using testing::Architecture;
using testing::Classifier;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::kKernelTwo;
using testing::kPadOne;
using testing::kStrideTwo;
using testing::MaxPool;
using testing::Relu;

const std::vector<Architecture>& Architectures() {
  static const std::vector<Architecture> architectures = {
      {"ConvRelu", 1, 1,
       [](GraphBuilder& b) {
         return Classifier(b, Relu(b, b.Conv(b.Image(3, 8, 9), 3, 6, 3, {kPadOne})), 6);
       }},
      {"NoNeuronsAtAll", 0, 0,
       [](GraphBuilder& b) {
         return b.Finish(b.Op("Gemm", {b.Op("Flatten", {b.Image(2, 4, 5)}), b.Weights({6, 40})},
                              {IntAttribute("transB", 1)}));
       }},
      {"ConvWithoutRelu", 1, 1,
       [](GraphBuilder& b) {
         // The mean of a convolution is not one set of synapses: signed neurons come between.
         return Classifier(b, b.Conv(b.Image(3, 6, 6), 3, 4, 3), 4);
       }},
      {"ReluThenMaxPool", 1, 1,
       [](GraphBuilder& b) {
         return Classifier(b, MaxPool(b, Relu(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}))), 6);
       }},
      {"MaxPoolThenRelu", 1, 1,
       [](GraphBuilder& b) {
         return Classifier(b, Relu(b, MaxPool(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}))), 6);
       }},
      {"MaxPoolAlone", 1, 1,
       [](GraphBuilder& b) {
         return Classifier(b, MaxPool(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne})), 6);
       }},
      {"OverlappingMaxPool", 1, 1,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(2, 9, 9), 2, 4, 3, {kPadOne}));
         return Classifier(
             b, b.Op("MaxPool", {x}, {IntsAttribute("kernel_shape", {3, 3}), kStrideTwo, kPadOne}),
             4);
       }},
      {"MaxPoolOfASharedRelu", 3, 3,
       [](GraphBuilder& b) {
         // The rectified map is also read by a convolution, so the pool needs neurons of its own.
         const ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}));
         return Classifier(b, b.Op("Add", {MaxPool(b, x), b.Conv(x, 4, 4, 2, {kStrideTwo})}), 4);
       }},
      {"Residual", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 7, 7), 3, 4, 3, {kPadOne}));
         return Classifier(b, Relu(b, b.Op("Add", {b.Conv(x, 4, 4, 3, {kPadOne}), x})), 4);
       }},
      {"ResidualWithProjection", 3, 3,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}));
         const ValueId y = Relu(b, b.Conv(x, 4, 6, 3, {kPadOne, kStrideTwo}));
         const ValueId sum =
             b.Op("Add", {b.Conv(y, 6, 6, 3, {kPadOne}), b.Conv(x, 4, 6, 1, {kStrideTwo})});
         return Classifier(b, Relu(b, sum), 6);
       }},
      {"SlicesJoinedInAnotherOrder", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 9, 3, {kPadOne}));
         const auto part = [&](int64_t first, int64_t end) {
           return b.Op("Slice", {x, b.Ints({first}), b.Ints({end}), b.Ints({1})});
         };
         const ValueId joined =
             b.Op("Concat", {part(3, 6), part(6, 9), part(0, 3)}, {IntAttribute("axis", 1)});
         return Classifier(b, Relu(b, b.Conv(joined, 9, 4, 3)), 4);
       }},
      {"SliceAndItsShareOfASum", 3, 3,
       [](GraphBuilder& b) {
         // A slice's term sends all channels of its source; in a larger extent they would show, so
         // neurons cut them off.
         const ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 8, 3, {kPadOne}));
         const ValueId low = b.Op("Slice", {x, b.Ints({0}), b.Ints({4}), b.Ints({1})});
         const ValueId high = b.Op("Slice", {x, b.Ints({4}), b.Ints({8}), b.Ints({1})});
         const ValueId joined =
             b.Op("Concat", {high, b.Op("Add", {low, high})}, {IntAttribute("axis", 1)});
         return Classifier(b, Relu(b, b.Conv(joined, 8, 4, 3)), 4);
       }},
      {"PaddedSlice", 3, 3,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 6, 3, {kPadOne}));
         const ValueId part = b.Op("Slice", {x, b.Ints({2}), b.Ints({4}), b.Ints({1})});
         const ValueId padded = b.Op("Pad", {part, b.Ints({0, 2, 0, 0, 0, 2, 0, 0})});
         return Classifier(b, Relu(b, b.Conv(padded, 6, 4, 3)), 4);
       }},
      {"ZeroPaddedSubsampledShortcut", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 9, 8), 3, 4, 3, {kPadOne}));
         const ValueId half = b.Op(
             "Slice", {x, b.Ints({0, 0}), b.Ints({1000, 1000}), b.Ints({2, 3}), b.Ints({2, 2})});
         const ValueId wide = b.Op("Pad", {half, b.Ints({0, 1, 0, 0, 0, 2, 0, 0})});
         return Classifier(
             b, Relu(b, b.Op("Add", {b.Conv(x, 4, 7, 3, {kPadOne, kStrideTwo}), wide})), 7);
       }},
      {"SlicedConv", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 9, 9), 3, 4, 3, {kPadOne}));
         const ValueId part = b.Op("Slice", {x, b.Ints({1, 2, 1}), b.Ints({3, 9, 8}),
                                             b.Ints({1, 2, 3}), b.Ints({1, 2, 1})});
         return Classifier(b, b.Conv(part, 2, 5, 2), 5);
       }},
      {"AveragePoolBeforeConv", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}));
         const ValueId mean = b.Op("AveragePool", {x}, {kKernelTwo, kStrideTwo});
         return Classifier(b, Relu(b, b.Conv(mean, 4, 5, 3, {kPadOne})), 5);
       }},
      {"MeanAtTheBorder", 2, 2,
       [](GraphBuilder& b) {
         // Corners average four pixels, edges six: nine sets of synapses, one layer.
         const ValueId x = Relu(b, b.Conv(b.Image(3, 7, 8), 3, 4, 3, {kPadOne}));
         const ValueId mean =
             b.Op("AveragePool", {x}, {IntsAttribute("kernel_shape", {3, 3}), kPadOne});
         return Classifier(b, Relu(b, b.Op("Add", {mean, x})), 4);
       }},
      {"MeanAtTheBorderBeforeConv", 3, 3,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}));
         const ValueId mean = b.Op(
             "AveragePool", {x},
             {IntsAttribute("kernel_shape", {3, 3}), kStrideTwo, IntAttribute("ceil_mode", 1)});
         return Classifier(b, Relu(b, b.Conv(mean, 4, 5, 3, {kPadOne})), 5);
       }},
      {"CeiledMeanThatCountsItsPadding", 4, 4,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}));
         const ValueId mean =
             b.Op("AveragePool", {x},
                  {IntsAttribute("kernel_shape", {3, 3}), kStrideTwo, kPadOne,
                   IntAttribute("ceil_mode", 1), IntAttribute("count_include_pad", 1)});
         return Classifier(b, Relu(b, b.Conv(mean, 4, 5, 1)), 5);
       }},
      // The following blocks are typical of families of architectures.
      {"InvertedResidual", 4, 4,
       [](GraphBuilder& b) {  // MobileNetV2 has linear sums
         const ValueId zero = b.Floats({}, {0});
         const ValueId six = b.Floats({}, {6});
         const auto relu6 = [&](ValueId x) { return b.Op("Clip", {x, zero, six}); };
         const ValueId x = b.BatchNorm(b.Conv(b.Image(3, 9, 9), 3, 4, 3, {kStrideTwo, kPadOne}), 4);
         ValueId y = relu6(b.BatchNorm(b.Conv(x, 4, 12, 1), 12));
         y = relu6(b.BatchNorm(b.Conv(y, 12, 12, 3, {kPadOne}, 12), 12));
         return Classifier(b, b.Op("Add", {b.BatchNorm(b.Conv(y, 12, 4, 1), 4), x}), 4);
       }},
      {"FireModule", 5, 4,
       [](GraphBuilder& b) {  // SqueezeNet
         const ValueId stem = Relu(b, b.Conv(b.Image(3, 12, 11), 3, 5, 3, {kStrideTwo}));
         const ValueId pool = b.Op(
             "MaxPool", {stem},
             {IntsAttribute("kernel_shape", {3, 3}), kStrideTwo, IntAttribute("ceil_mode", 1)});
         const ValueId squeeze = Relu(b, b.Conv(pool, 5, 2, 1));
         const ValueId one = Relu(b, b.Conv(squeeze, 2, 4, 1));
         const ValueId three = Relu(b, b.Conv(squeeze, 2, 4, 3, {kPadOne}));
         const ValueId both = b.Op("Concat", {one, three}, {IntAttribute("axis", 1)});
         return Classifier(b, Relu(b, b.Conv(both, 8, 6, 1)), 6);
       }},
      {"DenseBlock", 12, 12,
       [](GraphBuilder& b) {  // DenseNet normalizes all earlier maps again in every layer
         ValueId maps = b.Op("MaxPool", {Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}))},
                             {IntsAttribute("kernel_shape", {3, 3}), kStrideTwo, kPadOne});
         int64_t channels = 4;
         for (int layer = 0; layer < 2; ++layer) {
           ValueId y = Relu(b, b.BatchNorm(maps, channels));
           y = Relu(b, b.BatchNorm(b.Conv(y, channels, 6, 1), 6));
           y = b.Conv(y, 6, 3, 3, {kPadOne});
           maps = b.Op("Concat", {maps, y}, {IntAttribute("axis", 1)});
           channels += 3;
         }
         const ValueId transition = b.Conv(Relu(b, b.BatchNorm(maps, channels)), channels, 5, 1);
         return Classifier(b, b.Op("AveragePool", {transition}, {kKernelTwo, kStrideTwo}), 5);
       }},
      {"InceptionBlock", 8, 3,
       [](GraphBuilder& b) {  // GoogLeNet
         const ValueId stem = Relu(b, b.Conv(b.Image(3, 10, 10), 3, 4, 3, {kPadOne}));
         const ValueId x = b.Op(
             "MaxPool", {stem},
             {IntsAttribute("kernel_shape", {3, 3}), kStrideTwo, IntAttribute("ceil_mode", 1)});
         const ValueId one = Relu(b, b.Conv(x, 4, 3, 1));
         const ValueId three = Relu(b, b.Conv(Relu(b, b.Conv(x, 4, 2, 1)), 2, 3, 3, {kPadOne}));
         const ValueId five = Relu(b, b.Conv(Relu(b, b.Conv(x, 4, 2, 1)), 2, 2, 5,
                                             {IntsAttribute("pads", {2, 2, 2, 2})}));
         const ValueId pool = Relu(b, b.Conv(b.Op("MaxPool", {x},
                                                  {IntsAttribute("kernel_shape", {3, 3}), kPadOne,
                                                   IntAttribute("ceil_mode", 1)}),
                                             4, 2, 1));
         const ValueId all = b.Op("Concat", {one, three, five, pool}, {IntAttribute("axis", 1)});
         return Classifier(b, all, 10);
       }},
      {"ShuffledUnit", 4, 4,
       [](GraphBuilder& b) {  // ShuffleNet: the weights after a shuffle have another order
         ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 8, 3, {kPadOne}));
         x = b.Conv(x, 8, 8, 1, {}, 2);
         x = b.Op("Reshape", {x, b.Ints({1, 2, 4, 6, 6})});
         x = b.Op("Transpose", {x}, {IntsAttribute("perm", {0, 2, 1, 3, 4})});
         x = b.Op("Reshape", {x, b.Ints({1, 8, 6, 6})});
         x = b.Conv(x, 8, 8, 3, {kPadOne}, 8);
         return Classifier(b, Relu(b, b.Conv(Relu(b, x), 8, 5, 1)), 5);
       }},
      {"GroupedBottleneck", 4, 4,
       [](GraphBuilder& b) {  // ResNeXt
         const ValueId x = Relu(b, b.Conv(b.Image(3, 9, 8), 3, 6, 3, {kPadOne}));
         ValueId y = Relu(b, b.BatchNorm(b.Conv(x, 6, 8, 1), 8));
         y = Relu(b, b.BatchNorm(b.Conv(y, 8, 8, 3, {kPadOne, kStrideTwo}, 4), 8));
         y = b.BatchNorm(b.Conv(y, 8, 10, 1), 10);
         const ValueId shortcut = b.BatchNorm(b.Conv(x, 6, 10, 1, {kStrideTwo}), 10);
         return Classifier(b, Relu(b, b.Op("Add", {y, shortcut})), 10);
       }},
      {"TwoConvsInARow", 2, 2,
       [](GraphBuilder& b) {
         // There is no rectifier between the two, so signed neurons carry the value.
         return Classifier(
             b, b.Conv(b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}), 4, 5, 3, {kPadOne}), 5);
       }},
      {"Concatenation", 3, 2,
       [](GraphBuilder& b) {
         const ValueId image = b.Image(3, 8, 8);
         const ValueId x = Relu(b, b.Conv(image, 3, 4, 3, {kPadOne}));
         const ValueId y = Relu(b, b.Conv(image, 3, 3, 1));
         const ValueId both = b.Op("Concat", {x, y}, {IntAttribute("axis", 1)});
         return Classifier(b, Relu(b, b.Conv(both, 7, 5, 3, {kPadOne})), 5);
       }},
      {"GroupsAndDepthwise", 3, 3,
       [](GraphBuilder& b) {
         ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}));
         x = Relu(b, b.Conv(x, 6, 6, 3, {kPadOne}, 6));
         return Classifier(b, Relu(b, b.Conv(x, 6, 4, 3, {kPadOne}, 2)), 4);
       }},
      {"BatchNormAfterSum", 3, 3,
       [](GraphBuilder& b) {
         // It cannot be folded into one convolution, so it becomes a depthwise one.
         const ValueId x = Relu(b, b.Conv(b.Image(3, 7, 7), 3, 4, 3, {kPadOne}));
         const ValueId sum = b.Op("Add", {b.Conv(x, 4, 4, 3, {kPadOne}), x});
         return Classifier(b, Relu(b, b.BatchNorm(sum, 4)), 4);
       }},
      {"FlattenedMap", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(2, 5, 6), 2, 3, 3, {kPadOne}));
         const ValueId hidden =
             Relu(b, b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({7, 90}), b.Weights({7})},
                          {IntAttribute("transB", 1)}));
         return b.Finish(b.Op("Gemm", {hidden, b.Weights({4, 7}), b.Weights({4})},
                              {IntAttribute("transB", 1)}));
       }},
      {"EndsWithPooledNeurons", 2, 2, [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}));
         const ValueId y = Relu(b, b.Conv(x, 4, 6, 1));
         return b.Finish(b.Op("Flatten", {b.Op("GlobalAveragePool", {y})}));
       }}};
  return architectures;
}

class LoweringTest : public ::testing::TestWithParam<Architecture> {};

TEST_P(LoweringTest, ComputesWhatTheAnnComputes) {
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    GraphBuilder builder(seed);
    Graph graph = GetParam().build(builder);
    const Status passes = RunPasses(graph);
    ASSERT_TRUE(passes.ok()) << passes.message();
    const auto unsupported = FindUnsupported(graph);
    ASSERT_TRUE(unsupported.empty()) << FormatUnsupported(unsupported);
    const std::vector<float> image =
        testing::RandomFloats(static_cast<size_t>(ElementCount(graph.value(graph.input).shape)), 9);
    const std::vector<std::vector<double>> ann = testing::RunNaive(graph, image);

    const Result<SpikingNetwork> lowered = LowerToSpikes(graph);
    ASSERT_TRUE(lowered.ok()) << lowered.status().message();
    const SpikingNetwork& network = lowered.value();
    EXPECT_EQ(network.nodes.size(), GetParam().layers + 2);

    // Amplitudes are just large enough for every value, and the timesteps are so many that small
    // mistakes show.
    CodeSettings code;
    code.timesteps = 14;
    code.beta = 2;
    code.silent_steps = 2;
    code.threshold = 0.5F;
    std::vector<NodeCode> codes;
    for (const SpikingNode& node : network.nodes) {
      double largest = 0;
      for (const double v : ann[static_cast<size_t>(node.value)]) {
        largest = std::max(largest, std::abs(v));
      }
      const bool readout = node.kind == format::NodeKind::Readout;
      codes.push_back(
          {{readout ? 1 : std::max(largest, 1e-3) / code.SumOfWeights()}, code.Thresholds()});
    }
    format::NetworkT built = BuildNetwork(network, codes, code);
    built.format_version = format::kImagesVersion;
    built.preprocessing = std::make_unique<format::PreprocessingT>();
    const format::Extent& extent = *built.nodes[0]->extent;
    built.preprocessing->resize = std::max(extent.height(), extent.width());
    built.preprocessing->mean.assign(extent.channels(), 0.0F);
    built.preprocessing->stddev.assign(extent.channels(), 1.0F);
    built.origin = std::make_unique<format::OriginT>();
    EXPECT_EQ(built.nodes.back()->offset, GetParam().depth * code.silent_steps);

    // The loader must accept what the converter builds.
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(built);
    const Result<format::NetworkFile> file =
        format::NetworkFile::FromBytes({bytes.data(), bytes.size()}, "built");
    ASSERT_TRUE(file.ok()) << file.status().message();

    std::vector<oracle::Train> trains = {
        oracle::RunEncoder(built, std::vector<double>(image.begin(), image.end())).train};
    std::vector<double> logits;
    for (size_t node = 1; node < built.nodes.size(); ++node) {
      oracle::NodeRun run = oracle::RunNode(built, node, trains);
      trains.push_back(std::move(run.train));
      logits = std::move(run.potentials);
    }
    const std::vector<double>& expected = ann[static_cast<size_t>(graph.outputs.front().value)];
    ASSERT_EQ(logits.size(), expected.size());
    double error = 0, norm = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      error += (logits[i] - expected[i]) * (logits[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    EXPECT_LT(std::sqrt(error / norm), 0.004);
  }
}

std::string NameOf(const ::testing::TestParamInfo<Architecture>& architecture) {
  return architecture.param.name;
}

INSTANTIATE_TEST_SUITE_P(Architectures, LoweringTest, ::testing::ValuesIn(Architectures()), NameOf);
INSTANTIATE_TEST_SUITE_P(Rewritten, LoweringTest,
                         ::testing::ValuesIn(testing::RewrittenArchitectures()), NameOf);

}  // namespace
}  // namespace cssrun::converter
