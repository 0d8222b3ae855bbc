// Tests quantized models: pairs of QuantizeLinear and DequantizeLinear become neurons that round as
// the model does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "converter/activation_histogram.h"
#include "converter/dense.h"
#include "converter/network_builder.h"
#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/spiking.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/oracle/reference.h"

namespace cssrun::converter {
namespace {

using testing::CountOps;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::kPadOne;
using testing::RandomFloats;
using testing::RunNaive;

std::string Operators(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) text.append(text.empty() ? "" : " ").append(node.op.name());
  return text;
}

// Returns the graph after the passes, and checks that it computes the same as the pairs did.
Graph Simplified(Graph graph) {
  Graph before = graph;
  EXPECT_TRUE(FoldConstants(before).ok());
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
  const auto size = static_cast<size_t>(ElementCount(graph.value(graph.input).shape));
  const std::vector<float> image = RandomFloats(size, 5);
  const auto expected = testing::NaiveAnswer(before, image);
  const auto actual = testing::NaiveAnswer(graph, image);
  EXPECT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5);
  return graph;
}

ValueId Activation(GraphBuilder& b) { return b.Conv(b.Image(2, 5, 5), 2, 4, 3, {kPadOne}); }

const Node& OnlyQuantize(const Graph& graph) {
  EXPECT_EQ(CountOps(graph, "Quantize"), 1);
  return *std::find_if(graph.nodes.begin(), graph.nodes.end(),
                       [](const Node& node) { return node.op == OpKind::kQuantize; });
}

TEST(QuantizationTest, APairIsOneNodeAndTheReluItsLimit) {
  GraphBuilder b;
  const Graph graph = Simplified(
      b.Finish(b.QuantizePair(b.Op("Relu", {Activation(b)}), 0.1F, 0, /*is_signed=*/false)));
  EXPECT_EQ(Operators(graph), "Conv Quantize");
  EXPECT_EQ(OnlyQuantize(graph).Int("low", -1), 0);
  EXPECT_EQ(OnlyQuantize(graph).Int("high", -1), 255);
  EXPECT_EQ(OnlyQuantize(graph).Float("step", 0), 0.1F);
}

TEST(QuantizationTest, AClipCarriesFewerBits) {
  GraphBuilder b;
  const Graph graph =
      Simplified(b.Finish(b.QuantizePair(b.Op("Relu", {Activation(b)}), 0.1F, 0, false, 7)));
  EXPECT_EQ(OnlyQuantize(graph).Int("high", -1), 7);
}

TEST(QuantizationTest, SignedIntegersAfterAReluAreNotNegative) {
  GraphBuilder b;
  const Graph graph =
      Simplified(b.Finish(b.QuantizePair(b.Op("Relu", {Activation(b)}), 0.02F, 0, true)));
  EXPECT_EQ(OnlyQuantize(graph).Int("low", -1), 0);
  EXPECT_EQ(OnlyQuantize(graph).Int("high", -1), 127);
}

TEST(QuantizationTest, AZeroPointAtTheEndOfTheRangeRectifies) {
  GraphBuilder b;
  const Graph graph = Simplified(b.Finish(b.QuantizePair(Activation(b), 0.02F, -128, true)));
  EXPECT_EQ(OnlyQuantize(graph).Int("low", -1), 0);
  EXPECT_EQ(OnlyQuantize(graph).Int("high", -1), 255);
}

TEST(QuantizationTest, WithoutReluValuesAreSigned) {
  GraphBuilder b;
  const Graph graph = Simplified(b.Finish(b.QuantizePair(Activation(b), 0.02F, 0, true)));
  EXPECT_EQ(OnlyQuantize(graph).Int("low", 0), -128);
  EXPECT_EQ(OnlyQuantize(graph).Int("high", -1), 127);
}

TEST(QuantizationTest, AReluBehindThePairIsItsLimitToo) {
  GraphBuilder b;
  const Graph graph =
      Simplified(b.Finish(b.Op("Relu", {b.QuantizePair(Activation(b), 0.02F, 0, true)})));
  EXPECT_EQ(Operators(graph), "Conv Quantize");
  EXPECT_EQ(OnlyQuantize(graph).Int("low", -1), 0);
}

TEST(QuantizationTest, WhatIsOnTheGridIsNotRoundedAgain) {
  GraphBuilder b;
  const ValueId once = b.QuantizePair(b.Op("Relu", {Activation(b)}), 0.1F, 0, false);
  const ValueId pool = b.Op("MaxPool", {once}, {IntsAttribute("kernel_shape", {2, 2})});
  const Graph graph = Simplified(b.Finish(b.QuantizePair(pool, 0.1F, 0, false)));
  EXPECT_EQ(Operators(graph), "Conv Quantize MaxPool");
}

// The image is rounded where it enters, without neurons.
TEST(QuantizationTest, AnEightBitImageHasAGrid) {
  GraphBuilder b;
  const ValueId image = b.QuantizePair(b.Image(2, 5, 5), 1.0F / 127, 3, true);
  const ValueId x = b.Op("Relu", {b.Conv(image, 2, 4, 3)});
  const Graph graph =
      Simplified(b.Finish(b.Op("Flatten", {b.Conv(x, 4, 3, 3)}, {IntAttribute("axis", 1)})));
  EXPECT_EQ(Operators(graph), "Quantize Conv Relu Conv Flatten");
  const Result<SpikingNetwork> lowered = LowerToSpikes(graph);
  ASSERT_TRUE(lowered.ok()) << lowered.status().message();
  EXPECT_EQ(lowered.value().nodes.size(), 3U);
  ASSERT_TRUE(lowered.value().nodes[0].grid.has_value());
  EXPECT_EQ(lowered.value().nodes[0].grid->lowest, -131);
  EXPECT_EQ(lowered.value().nodes[0].grid->highest, 124);
}

TEST(QuantizationTest, WhatRoundsTheLogitsIsDropped) {
  GraphBuilder b;
  const ValueId x = b.QuantizePair(b.Op("Relu", {Activation(b)}), 0.1F, 0, false);
  const ValueId pooled = b.Op("GlobalAveragePool", {x});
  const ValueId logits = b.QuantizePair(b.Conv(pooled, 4, 3, 1), 0.05F, 120, false);
  Graph graph = b.Finish(b.Op("Softmax", {b.Op("Flatten", {logits})}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(Operators(graph), "Conv Quantize GlobalAveragePool Conv Flatten");
}

TEST(QuantizationTest, ARectifierOfLogitsStays) {
  GraphBuilder b;
  const ValueId x = b.QuantizePair(b.Op("Relu", {Activation(b)}), 0.1F, 0, false);
  const ValueId pooled = b.Op("GlobalAveragePool", {x});
  const ValueId logits = b.QuantizePair(b.Op("Relu", {b.Conv(pooled, 4, 3, 1)}), 0.05F, 0, false);
  Graph graph = b.Finish(b.Op("Flatten", {logits}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(Operators(graph), "Conv Quantize GlobalAveragePool Conv Quantize Flatten");
}

ValueId Integers(GraphBuilder& b, Shape shape, uint32_t seed, bool is_signed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int64_t> value(is_signed ? -127 : 0, is_signed ? 127 : 255);
  std::vector<int64_t> values(static_cast<size_t>(ElementCount(shape)));
  for (int64_t& v : values) v = value(random);
  Tensor tensor{shape, std::move(values)};
  tensor.is_signed = is_signed;
  return b.graph.AddValue("integers" + std::to_string(seed), shape,
                          std::make_shared<const Tensor>(std::move(tensor)));
}

// The same network as ONNX Runtime writes it in its two forms.
struct TwoForms {
  static constexpr float kScale = 0.05F;
  GraphBuilder b;
  bool on_integers = false;
  ValueId scale = b.Floats({}, {kScale});
  ValueId zero = b.ZeroPoint(131, false);
  ValueId weight_scale = b.Floats({4}, {0.01F, 0.004F, 0.007F, 0.002F});
  ValueId one_scale = b.Floats({}, {0.003F});
  ValueId weight_zero = b.ZeroPoint(0, true);

  ValueId Foreign(const std::string& op, std::vector<ValueId> inputs,
                  std::vector<Attribute> attributes = {}) {
    const ValueId out = b.Op(op, std::move(inputs), std::move(attributes));
    b.graph.nodes.back().op = Op::Named("com.microsoft", op);
    return out;
  }
  ValueId Floats(ValueId integers) { return b.Op("DequantizeLinear", {integers, scale, zero}); }
  ValueId Rounded(ValueId floats) { return b.Op("QuantizeLinear", {floats, scale, zero}); }

  ValueId Conv(ValueId x, int64_t channels, uint32_t seed) {
    const ValueId w = Integers(b, {4, channels, 3, 3}, seed, true);
    const ValueId bias = Integers(b, {4}, seed + 100, true);
    if (on_integers) {
      return b.Op("QLinearConv", {x, scale, zero, w, weight_scale, weight_zero, scale, zero, bias},
                  {kPadOne});
    }
    std::vector<float> floats;
    const std::vector<float>& scales = b.graph.value(weight_scale).constant->floats();
    for (size_t i = 0; i < 4; ++i) {
      floats.push_back(static_cast<float>(b.graph.value(bias).constant->ints()[i]) * kScale *
                       scales[i]);
    }
    Tensor zeros{{4}, std::vector<int64_t>(4, 0)};
    const ValueId four = b.graph.AddValue("zeros" + std::to_string(seed), {4},
                                          std::make_shared<const Tensor>(std::move(zeros)));
    const ValueId weights =
        b.Op("DequantizeLinear", {w, weight_scale, four}, {IntAttribute("axis", 0)});
    return Rounded(b.Op("Conv", {Floats(x), weights, b.Floats({4}, floats)}, {kPadOne}));
  }

  Graph Build() {
    ValueId x = Rounded(b.Image(2, 6, 6));
    const ValueId first = Conv(x, 2, 1);
    const ValueId second = Conv(first, 4, 2);
    ValueId sum = kNoValue;
    if (on_integers) {
      sum = Foreign("QLinearAdd", {first, scale, zero, second, scale, zero, scale, zero});
    } else {
      sum = Rounded(b.Op("Add", {Floats(first), Floats(second)}));
    }
    const std::vector<Attribute> halves = {IntsAttribute("kernel_shape", {2, 2}),
                                           IntsAttribute("strides", {2, 2})};
    ValueId mean = kNoValue;
    if (on_integers) {
      mean = Foreign("QLinearGlobalAveragePool",
                     {b.Op("MaxPool", {sum}, halves), scale, zero, scale, zero});
    } else {
      mean = Rounded(b.Op("GlobalAveragePool", {b.Op("MaxPool", {Floats(sum)}, halves)}));
    }
    const ValueId w = Integers(b, {3, 4}, 3, true);
    if (on_integers) {
      const ValueId flat = b.Op("Flatten", {mean});
      const ValueId logits =
          Foreign("QGemm", {flat, scale, zero, w, one_scale, weight_zero, kNoValue, scale, zero},
                  {IntAttribute("transB", 1)});
      return b.Finish(Floats(logits));
    }
    const ValueId weights = b.Op("DequantizeLinear", {w, one_scale, weight_zero});
    const ValueId flat = b.Op("Flatten", {Floats(mean)});
    return b.Finish(Floats(Rounded(b.Op("Gemm", {flat, weights}, {IntAttribute("transB", 1)}))));
  }
};

TEST(QuantizationTest, OperatorsOnIntegersMeanWhatPairsMean) {
  TwoForms pairs;
  TwoForms integers;
  integers.on_integers = true;
  Graph expected = pairs.Build();
  Graph actual = integers.Build();
  for (Graph* graph : {&expected, &actual}) {
    const Status status = RunPasses(*graph);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_TRUE(FindUnsupported(*graph).empty()) << FormatUnsupported(FindUnsupported(*graph));
  }
  EXPECT_EQ(CountOps(actual, "Quantize"), CountOps(expected, "Quantize"));
  EXPECT_EQ(CountOps(actual, "Quantize"), 5);  // the image, two convolutions, the sum, the mean
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    const std::vector<float> image = RandomFloats(2 * 6 * 6, seed);
    const auto wanted = testing::NaiveAnswer(expected, image);
    const auto got = testing::NaiveAnswer(actual, image);
    ASSERT_EQ(got.size(), 3U);
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(got[i], wanted[i], 1e-5);
  }
}

TEST(QuantizationTest, OperatorsOnIntegersWithoutConstantScalesAreReported) {
  GraphBuilder b;
  const ValueId image = b.Image(2, 5, 5);
  const ValueId scale = b.Op("ReduceMean", {image});
  const ValueId zero = b.ZeroPoint(0, true);
  const ValueId w = Integers(b, {4, 2, 3, 3}, 1, true);
  const ValueId x = b.Op("QuantizeLinear", {image, scale, zero});
  Graph graph =
      b.Finish(b.Op("QLinearConv", {x, scale, zero, w, b.Floats({}, {0.1F}), zero, scale, zero}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_FALSE(FindUnsupported(graph).empty());
}

TEST(QuantizationTest, SeveralReadersOfOneQuantizedValueShareItsNeurons) {
  GraphBuilder b;
  const ValueId x = b.Op("Relu", {Activation(b)});
  const std::vector<ValueId> grid = {b.Floats({}, {0.1F}), b.ZeroPoint(0, false)};
  const ValueId integers = b.Op("QuantizeLinear", {x, grid[0], grid[1]});
  const ValueId first = b.Op("DequantizeLinear", {integers, grid[0], grid[1]});
  const ValueId second = b.Op("DequantizeLinear", {integers, grid[0], grid[1]});
  const Graph graph =
      Simplified(b.Finish(b.Op("Add", {b.Conv(first, 4, 4, 3, {kPadOne}), second})));
  EXPECT_EQ(CountOps(graph, "Quantize"), 1);
}

TEST(QuantizationTest, WeightsMayBeQuantizedInTheGraph) {
  GraphBuilder b;
  const ValueId weights = b.QuantizePair(b.Weights({4, 2, 3, 3}), 0.01F, 0, true);
  const Graph graph = Simplified(b.Finish(b.Op("Conv", {b.Image(2, 5, 5), weights})));
  EXPECT_EQ(Operators(graph), "Conv");
}

TEST(QuantizationTest, AnotherScaleOnTheWayBackIsReported) {
  GraphBuilder b;
  const ValueId integers = b.Op("QuantizeLinear", {b.Op("Relu", {Activation(b)}),
                                                   b.Floats({}, {0.1F}), b.ZeroPoint(0, false)});
  Graph graph =
      b.Finish(b.Op("DequantizeLinear", {integers, b.Floats({}, {0.2F}), b.ZeroPoint(0, false)}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(FindUnsupported(graph).size(), 1U);
}

// Makes a small quantized network with residual sums, a pool and signed values.
// Of 8 bits, with zero points that make both clips count.
Graph EightBitNetwork(uint32_t seed) {
  GraphBuilder b(seed);
  const auto round = [&](ValueId x, float scale, int64_t zero) {
    return b.QuantizePair(x, scale, zero, false);
  };
  const ValueId one = round(b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}), 0.011F, 93);
  const ValueId two = round(b.Op("Add", {b.Conv(one, 6, 6, 3, {kPadOne}), one}), 0.017F, 140);
  const ValueId three = b.QuantizePair(b.Conv(two, 6, 8, 3, {kPadOne}), 0.009F, -128, true);
  const ValueId features = b.Op("Flatten", {b.Op("GlobalAveragePool", {three})});
  return b.Finish(
      b.Op("Gemm", {features, b.Weights({5, 8}), b.Weights({5})}, {IntAttribute("transB", 1)}));
}

Graph QuantizedNetwork(uint32_t seed, int64_t high) {
  GraphBuilder b(seed);
  const auto relu = [&](ValueId x, float scale) {
    return b.QuantizePair(b.Op("Relu", {x}), scale, 0, false, high);
  };
  const ValueId one = relu(b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}), 0.31F);
  const ValueId two = relu(b.Op("Add", {b.Conv(one, 6, 6, 3, {kPadOne}), one}), 0.42F);
  const ValueId pool = b.Op(
      "MaxPool", {two}, {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("strides", {2, 2})});
  const ValueId three = relu(b.Conv(pool, 6, 8, 3, {kPadOne}), 0.37F);
  const ValueId features = b.Op("Flatten", {b.Op("GlobalAveragePool", {three})});
  return b.Finish(
      b.Op("Gemm", {features, b.Weights({5, 8}), b.Weights({5})}, {IntAttribute("transB", 1)}));
}

// Compares the equations in double with the quantized ANN: with T = bits, theta = the model's own
// scale and L = T - 1, every neuron rounds as the model does.
TEST(QuantizationTest, TheSpikingNetworkComputesWhatTheQuantizedAnnComputes) {
  for (const uint32_t bits : {1U, 2U, 3U, 4U, 8U}) {
    for (uint32_t seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE(std::to_string(bits) + " bits, seed " + std::to_string(seed));
      Graph graph = bits == 8 ? EightBitNetwork(seed) : QuantizedNetwork(seed, (1 << bits) - 1);
      ASSERT_TRUE(RunPasses(graph).ok());
      ASSERT_TRUE(FindUnsupported(graph).empty());
      const std::vector<float> image = RandomFloats(3 * 8 * 8, seed);
      const auto ann = RunNaive(graph, image);
      const Result<SpikingNetwork> lowered = LowerToSpikes(graph);
      ASSERT_TRUE(lowered.ok()) << lowered.status().message();
      EXPECT_EQ(lowered.value().nodes.size(), 5U);
      if (bits == 8) {  // neither one-sided nor a whole train
        EXPECT_EQ(lowered.value().nodes[1].grid->lowest, -93);
        EXPECT_EQ(lowered.value().nodes[1].grid->highest, 162);
      }
      CodeSettings code;
      code.beta = 2;
      code.timesteps = bits;
      code.silent_steps = bits - 1;
      code.threshold = 0.75F;
      code.input = InputCoding::kDirect;
      const std::vector<NodeCode> codes =
          ChooseAmplitudes(lowered.value(), Calibration(), InputFormat(), code, {});
      std::vector<NodeCode> with_pixels = codes;
      with_pixels[0].amplitudes = {1 / code.SumOfWeights()};
      const format::NetworkT built = BuildNetwork(lowered.value(), with_pixels, code);
      const std::vector<double> inputs(image.begin(), image.end());
      std::vector<oracle::Train> trains(1);
      std::vector<double> logits;
      for (size_t node = 1; node < built.nodes.size(); ++node) {
        oracle::NodeRun run = oracle::RunNode(built, node, trains, inputs);
        trains.push_back(std::move(run.train));
        logits = std::move(run.potentials);
      }
      const auto& expected = ann[static_cast<size_t>(graph.outputs.front().value)];
      for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-5);
    }
  }
}

TEST(QuantizationTest, TheDenseNetworkRounds) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    Graph graph = QuantizedNetwork(seed, 7);
    ASSERT_TRUE(RunPasses(graph).ok());
    const std::vector<float> image = RandomFloats(3 * 8 * 8, seed);
    const auto expected = RunNaive(graph, image);
    Result<std::unique_ptr<DenseNetwork>> dense = DenseNetwork::Create(graph, 1);
    ASSERT_TRUE(dense.ok()) << dense.status().message();
    std::vector<ValueId> watch;
    for (const Node& node : graph.nodes) {
      if (node.op == OpKind::kQuantize) watch.push_back(node.outputs[0]);
    }
    std::vector<float> logits(5);
    const Status status =
        dense.value()->Run(image, logits, watch, [&](ValueId id, std::span<const float> values) {
          for (size_t i = 0; i < values.size(); ++i) {
            ASSERT_NEAR(values[i], expected[static_cast<size_t>(id)][i], 1e-4)
                << graph.value(id).name;
          }
        });
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

// Tests a Quantize that cannot be fused with the node before it.
TEST(QuantizationTest, TheDenseNetworkRoundsOnItsOwn) {
  GraphBuilder b;
  const ValueId pool = b.Op("MaxPool", {b.Image(2, 6, 6)}, {IntsAttribute("kernel_shape", {2, 2})});
  Graph graph = b.Finish(b.Op("Flatten", {b.QuantizePair(pool, 0.25F, 0, true)}));
  ASSERT_TRUE(RunPasses(graph).ok());
  const std::vector<float> image = RandomFloats(2 * 6 * 6, 2);
  const auto expected = testing::NaiveAnswer(graph, image);
  Result<std::unique_ptr<DenseNetwork>> dense = DenseNetwork::Create(graph, 1);
  ASSERT_TRUE(dense.ok()) << dense.status().message();
  std::vector<float> logits(expected.size());
  ASSERT_TRUE(dense.value()->Run(image, logits, {}, [](auto, auto) {}).ok());
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-6);
}

TEST(ActivationHistogramTest, IsTheSameInAnyOrder) {
  const std::vector<float> values = RandomFloats(5000, 3);
  std::vector<float> scaled(values);
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] *= static_cast<float>(i % 97);
  ActivationHistogram forwards;
  ActivationHistogram backwards;
  for (size_t i = 0; i < scaled.size(); i += 100) {
    forwards.Add({scaled.data() + i, 100});
    backwards.Add({scaled.data() + scaled.size() - i - 100, 100});
  }
  std::vector<float> sorted(scaled);
  for (float& v : sorted) v = std::abs(v);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(forwards.Maximum(), sorted.back());
  for (const double share : {0.1, 0.5, 0.9, 0.999}) {
    EXPECT_EQ(forwards.Quantile(share), backwards.Quantile(share));
    const double exact = sorted[static_cast<size_t>(share * 5000)];
    EXPECT_NEAR(forwards.Quantile(share), exact, 128.0 / ActivationHistogram::kBins);
  }
  EXPECT_EQ(forwards.Loss(0.5, 40), backwards.Loss(0.5, 40));
}

TEST(ActivationHistogramTest, HoldsTheSmallestAndTheLargestFloats) {
  for (const float value : {1e-40F, 1e-38F, 3e38F}) {
    ActivationHistogram histogram;
    histogram.Add(std::vector<float>{value, value, value, value});
    const auto exact = static_cast<double>(value);
    EXPECT_NEAR(histogram.Quantile(0.5), exact, exact / 100);
  }
}

TEST(ActivationHistogramTest, LossIsWhatRoundingAndCuttingOffLose) {
  std::vector<float> values = RandomFloats(20000, 4);
  for (float& v : values) v = std::abs(v) * 10;
  ActivationHistogram histogram;
  histogram.Add(values);
  for (const double amplitude : {0.1, 0.7}) {
    for (const double largest : {3.0, 9.0, 20.0}) {
      double expected = 0;
      for (const float v : values) {
        const double rounded = std::min(amplitude * std::round(v / amplitude),
                                        amplitude * std::floor(largest / amplitude));
        expected += (v - rounded) * (v - rounded) / static_cast<double>(values.size());
      }
      const double cut = amplitude * std::floor(largest / amplitude);
      EXPECT_NEAR(histogram.Loss(amplitude, cut) / expected, 1, 0.05)
          << amplitude << " up to " << largest;
    }
  }
}

}  // namespace
}  // namespace cssrun::converter
