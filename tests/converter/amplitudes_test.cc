// Tests the amplitudes that are chosen for neurons, and the limits of their trains: of signed ones
// with 8 settled steps, whose levels would not fit a byte otherwise.
#include "converter/amplitudes.h"

#include <gtest/gtest.h>

#include <vector>

#include "converter/convert.h"
#include "converter/default_code.h"
#include "format/network_file.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/whole_models.h"

namespace cssrun::converter {
namespace {

using testing::Converted;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::ModelOf;
using testing::OptionsOf;

// Neurons whose activations spread evenly from -1 to 3, but for a lone one at 6.
NodeCode CodeOf(const CodeSettings& code, const AmplitudeSettings& settings, bool rectify = false) {
  SpikingNetwork network;
  network.nodes.emplace_back().rectify = rectify;
  Calibration calibration;
  calibration.sides.resize(1);
  calibration.histograms.resize(1);
  calibration.channels.resize(1);
  calibration.ranges = {{.percentile = 3, .maximum = 6, .clipped_share = 0}};
  std::vector<float> below;
  std::vector<float> above;
  for (int i = 0; i <= 400'000; ++i) {
    const float value = static_cast<float>(i - 100'000) * 1e-5F;
    below.push_back(value < 0 ? -value : 0);
    above.push_back(value > 0 ? value : 0);
  }
  below.push_back(0);
  above.push_back(6);
  calibration.sides[0][0].Add(below);
  calibration.sides[0][1].Add(above);
  calibration.histograms[0].Add(above);
  return ChooseAmplitudes(network, calibration, {}, code, settings).front();
}

TEST(AmplitudesTest, SignedNeuronsOfEightStepsHaveTheLevelsOfAByte) {
  const NodeCode code = CodeOf(SettledCode(8), {});
  EXPECT_EQ(code.lowest_level, -64);
  EXPECT_EQ(code.highest_level, 191);
  EXPECT_NEAR(code.Largest(), 4.0 / 255, 1e-4);
}

TEST(AmplitudesTest, TheRuleDecidesHowFarTheyReach) {
  AmplitudeSettings settings;
  settings.rule = AmplitudeRule::kMaximum;
  const NodeCode maximum = CodeOf(SettledCode(8), settings);
  EXPECT_EQ(maximum.lowest_level, -36);
  EXPECT_EQ(maximum.highest_level, 219);
  EXPECT_NEAR(maximum.Largest(), 7.0 / 255, 1e-5);
  settings.rule = AmplitudeRule::kLeastSquares;
  // The least of 4e5 ((1 + r) / 255)^2 / 12 + (6 - r)^2 is at r = 3.63; values 4 % apart are tried.
  const NodeCode least_squares = CodeOf(SettledCode(8), settings);
  EXPECT_NEAR(least_squares.Largest(), 4.63 / 255, 4.63 / 255 * 0.02);
}

// Trains that fit a byte as they are, or whose spikes are looked at one by one, end by themselves.
TEST(AmplitudesTest, OthersHaveNoLimits) {
  AmplitudeSettings per_channel;
  per_channel.per_channel = true;
  CodeSettings positive = SettledCode(8);
  positive.negative_spikes = false;
  CodeSettings early = SettledCode(8);
  early.silent_steps = 2;
  for (const NodeCode& code :
       {CodeOf(SettledCode(7), {}), CodeOf(SettledCode(8), {}, true), CodeOf(positive, {}),
        CodeOf(early, {}), CodeOf(CodeSettings(), {})}) {
    EXPECT_EQ(code.lowest_level, 0);
    EXPECT_EQ(code.highest_level, 0);
  }
  EXPECT_EQ(CodeOf(SettledCode(8), per_channel).highest_level, 0);
}

// A bottleneck without an activation between two rectified layers, as in MobileNetV2. Its levels
// are as fine with 7 steps as with 8, those of the others are not.
TEST(AmplitudesTest, AnEighthStepHelpsNetworksWithALinearLayer) {
  GraphBuilder b(3);
  ValueId x = b.Op("Relu", {b.Conv(b.Image(3, 8, 8), 3, 32, 3)});
  x = b.Op("Relu", {b.Conv(b.Conv(x, 32, 16, 1), 16, 32, 1)});
  const Model model =
      ModelOf(b.Finish(b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({5, 1152}), b.Weights({5})},
                            {IntAttribute("transB", 1)})));
  ConvertOptions options = OptionsOf(std::nullopt);
  options.code = SettledCode(7);
  const Conversion shorter = Converted(model, options);
  options.code = SettledCode(8);
  const Conversion conversion = Converted(model, options);
  EXPECT_LT(conversion.report.calibration.relative_logit_error,
            shorter.report.calibration.relative_logit_error * 0.8);
  const format::Network* network = format::GetNetwork(conversion.bytes.data());
  int limited = 0;
  for (const format::Node* node : *network->nodes()) {
    if (node->highest_level() == 0) continue;
    ++limited;
    EXPECT_FALSE(node->rectify());
    EXPECT_EQ(node->highest_level() - node->lowest_level(), 255);
    EXPECT_LT(node->lowest_level(), 0);
  }
  EXPECT_EQ(limited, 1);
}

}  // namespace
}  // namespace cssrun::converter
