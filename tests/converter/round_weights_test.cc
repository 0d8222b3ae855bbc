// Tests which weights the converter rounds, and what it says that they lost.
#include "converter/round_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "format/network_file.h"
#include "runtime/integer/plan.h"
#include "runtime/network/network_access.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/whole_models.h"

namespace cssrun::converter {
namespace {

using testing::Converted;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::ModelOf;
using testing::OptionsOf;

// A convolution of each kind, each behind a layer of its own.
Model KindsModel() {
  const Attribute pad = IntsAttribute("pads", {1, 1, 1, 1});
  GraphBuilder b(9);
  const auto relu = [&](ValueId x) { return b.Op("Relu", {x}); };
  ValueId x = relu(b.Conv(b.Image(3, 9, 9), 3, 32, 3, {pad}));              // pixels
  x = relu(b.Conv(x, 32, 32, 3, {pad}));                                    // suits
  x = relu(b.Conv(x, 32, 32, 1, {}));                                       // one tap
  x = relu(b.Conv(x, 32, 16, 3, {IntsAttribute("pads", {0, 0, 0, 0})}));    // suits
  x = relu(b.Conv(x, 16, 32, 3, {pad}));                                    // 16 sources
  x = relu(b.Conv(x, 32, 32, 3, {pad, IntsAttribute("strides", {2, 2})}));  // stride
  x = relu(b.Conv(x, 32, 32, 3, {pad}));                                    // suits a stack
  x = relu(b.Conv(x, 32, 32, 3, {pad, IntsAttribute("strides", {2, 2})}));  // stride
  x = relu(b.Conv(x, 32, 16, 3, {pad}));                                    // 2 columns
  return ModelOf(b.Finish(b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({5, 64}), b.Weights({5})},
                               {IntAttribute("transB", 1)})));
}

// Whether the weights of a target are whole numbers of some unit, and if so, whether Winograd's
// products take them.
WeightRounding FoundIn(std::span<const float> weights, size_t kernel_x) {
  double largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(double{weight}));
  for (int units = 1; units <= 127; ++units) {
    std::vector<double> whole;
    for (const float weight : weights) whole.push_back(double{weight} * units / largest);
    const auto is_whole = [](double x) { return std::abs(x - std::nearbyint(x)) < 1e-3; };
    if (!std::ranges::all_of(whole, is_whole)) continue;
    if (kernel_x != 3) return WeightRounding::kBytes;
    for (size_t i = 0; i < whole.size(); i += 3) {
      if (std::abs(whole[i] + whole[i + 2]) + std::abs(whole[i + 1]) > 127.5) {
        return WeightRounding::kBytes;
      }
    }
    return WeightRounding::kWinograd;
  }
  return WeightRounding::kNone;
}

// A letter for each set of synapses: n, b or w. By the target that was rounded least.
std::string RoundingsIn(const Model& model, uint32_t timesteps, uint32_t silent_steps) {
  ConvertOptions options = OptionsOf(std::nullopt);
  options.code.timesteps = timesteps;
  options.code.beta = 2;
  options.code.silent_steps = silent_steps;
  const Conversion conversion = Converted(model, options);
  std::string found;
  for (const format::Node* node : *format::GetNetwork(conversion.bytes.data())->nodes()) {
    for (const format::Synapses* s : *node->synapses()) {
      const size_t fan_in = s->weights()->size() / node->potential()->channels();
      auto least = WeightRounding::kWinograd;
      for (size_t first = 0; first < s->weights()->size(); first += fan_in) {
        least = std::min(least, FoundIn({s->weights()->data() + first, fan_in},
                                        static_cast<size_t>(s->window()->kernel_x())));
      }
      found += "nbw"[static_cast<size_t>(least)];
    }
  }
  return found;
}

TEST(RoundWeightsTest, WeightsOfLongSettledTrainsAreRoundedAsKernelsTakeThem) {
  const Model model = KindsModel();
  const std::string none = "nnnnnnnnnn";
  for (const uint32_t timesteps : {4U, 5U, 6U, 7U, 8U}) {
    SCOPED_TRACE(timesteps);
    const std::string wanted = timesteps == 7 ? "bwbwbbwbbn" : timesteps == 8 ? "nbbbbbbbbn" : none;
    EXPECT_EQ(RoundingsIn(model, timesteps, timesteps - 1), wanted);
    EXPECT_EQ(RoundingsIn(model, timesteps, 1), none) << "in a code of events";
  }
}

// Products of bytes then take one plane of weights, not two, whatever the channels are divided by.
TEST(RoundWeightsTest, WeightsOfPixelsAreBytesTimesTheirSteps) {
  for (const auto& [timesteps, planes] : {std::pair<uint32_t, uint32_t>{7, 1}, {8, 2}}) {
    ConvertOptions options = OptionsOf(std::nullopt);
    options.code.timesteps = timesteps;
    options.code.beta = 2;
    options.code.silent_steps = timesteps - 1;
    options.mean = {0.485F, 0.456F, 0.406F};
    options.stddev = {0.229F, 0.4F, 0.1F};
    const Conversion conversion = Converted(KindsModel(), options);
    const auto network =
        Network::FromBytes({conversion.bytes.data(), conversion.bytes.size()}, "converted", {});
    ASSERT_TRUE(network.ok()) << network.status().message();
    const internal::LoadedNetwork& loaded = internal::Loaded(*network.value());
    EXPECT_EQ(internal::DescribePlan(loaded).layers[1].pixel_planes, planes);
    // What is lost on the mean of the pixels is in the biases: the answers are about the ANN's.
    EXPECT_LT(conversion.report.calibration.relative_logit_error, 0.1);
  }
}

// What weights lose is what the mean of the sources no longer adds.
TEST(RoundWeightsTest, TheLossIsThatOfTheMeans) {
  constexpr size_t kSources = 8;
  constexpr size_t kTargets = 6;
  constexpr size_t kTaps = 6;
  std::mt19937 generator(1);
  std::normal_distribution<float> weight(0, 0.1F);
  std::uniform_real_distribution<double> mean(0, 60);
  std::uniform_real_distribution<double> step(0.5, 2);
  for (const uint32_t groups : {1U, 2U}) {
    for (const auto& [rounding, of_pixels] : {std::pair{WeightRounding::kBytes, false},
                                              {WeightRounding::kWinograd, false},
                                              {WeightRounding::kBytes, true}}) {
      std::vector<double> means(kSources);
      std::vector<double> steps(kSources, 1);
      for (double& m : means) m = mean(generator);
      for (double& s : steps) s = of_pixels ? step(generator) : 1;
      const auto source_of = [&](size_t target, size_t i) {
        return target / (kTargets / groups) * (kSources / groups) + i / kTaps;
      };
      format::SynapsesT synapses;
      synapses.window = std::make_unique<format::Window>(2, 3, 1, 1, 0, 1, 1, 1, 1, 1);
      synapses.groups = groups;
      synapses.weights.resize(kTargets * kSources / groups * kTaps);
      for (float& w : synapses.weights) w = weight(generator);
      // A target of zeros stays one, and whole numbers stay as they are, whatever their sums.
      const size_t fan_in = synapses.weights.size() / kTargets;
      std::fill_n(synapses.weights.begin(), fan_in, 0.0F);
      for (size_t i = 0; i < fan_in; ++i) {
        const auto whole = static_cast<double>(static_cast<int>(i % 251) - 125);
        synapses.weights[fan_in + i] = static_cast<float>(whole * 0.01 / steps[source_of(1, i)]);
      }
      const std::vector<float> exact = synapses.weights;
      const SentBy sources{means,
                           of_pixels ? std::span<const double>(steps) : std::span<const double>()};
      const std::vector<double> lost = RoundWeights(rounding, sources, synapses);
      ASSERT_EQ(lost.size(), kTargets);
      EXPECT_EQ(lost[0], 0);
      EXPECT_EQ(lost[1], 0);
      EXPECT_TRUE(std::equal(exact.begin(), exact.begin() + static_cast<ptrdiff_t>(2 * fan_in),
                             synapses.weights.begin()));
      const auto found = [&](const std::vector<float>& weights, size_t target) {
        std::vector<float> of_steps;
        for (size_t i = 0; i < fan_in; ++i) {
          of_steps.push_back(static_cast<float>(double{weights[target * fan_in + i]} *
                                                steps[source_of(target, i)]));
        }
        return FoundIn(of_steps, 3);
      };
      int bytes_alone = 0;
      for (size_t target = 0; target < kTargets; ++target) {
        double before = 0;
        double after = 0;
        for (size_t i = 0; i < fan_in; ++i) {
          before += means[source_of(target, i)] * double{exact[target * fan_in + i]};
          after += means[source_of(target, i)] * double{synapses.weights[target * fan_in + i]};
        }
        EXPECT_NEAR(after + lost[target], before, 1e-9);
        if (target < 2) continue;
        EXPECT_NE(lost[target], 0);
        // Sums of a few byte weights may be bytes, too.
        EXPECT_GE(found(synapses.weights, target), rounding);
        bytes_alone += found(synapses.weights, target) == WeightRounding::kBytes ? 1 : 0;
        EXPECT_EQ(found(exact, target), WeightRounding::kNone);
      }
      EXPECT_EQ(bytes_alone > 0, rounding == WeightRounding::kBytes);
    }
  }
}

}  // namespace
}  // namespace cssrun::converter
