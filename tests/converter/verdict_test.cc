// Tests what a conversion says about itself: the engine that the file asks for, and the warning
// where the network disagrees with the ANN.
#include "converter/verdict.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "converter/convert.h"
#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/passes/split_single_logit.h"
#include "cssrun/network.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"
#include "tests/converter/whole_models.h"

namespace cssrun::converter {
namespace {

using testing::Converted;
using testing::GraphBuilder;
using testing::HiddenLayerBehindMean;
using testing::IntAttribute;
using testing::kPadOne;
using testing::ModelOf;
using testing::OptionsOf;
using testing::RandomFloats;

const Attribute kTransposed = IntAttribute("transB", 1);

std::shared_ptr<const Network> Loaded(const Conversion& conversion, const LoadOptions& options) {
  const auto network =
      Network::FromBytes({conversion.bytes.data(), conversion.bytes.size()}, "converted", options);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

// Long trains sum in 32 bits what a mean divides.
TEST(VerdictTest, AHiddenLayerBehindAMeanOfManyPositionsAgrees) {
  const Model model = ModelOf(HiddenLayerBehindMean(56));
  const Conversion conversion = Converted(model, OptionsOf(CodeSearch()));
  EXPECT_GE(conversion.report.calibration.agreement, 0.95);
  EXPECT_TRUE(conversion.report.warnings.empty());
  const auto network = Loaded(conversion, {});
  EXPECT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
}

// With a code whose weights 16 bits lose, the file asks for float; who asks for integers gets them.
TEST(VerdictTest, ANetworkThatIntegersLoseRunsInFloat) {
  const Model model = ModelOf(HiddenLayerBehindMean(56));
  const Conversion conversion = Converted(model, OptionsOf(std::nullopt));
  EXPECT_NE(conversion.report.why_float.find("16-bit integers"), std::string::npos);
  EXPECT_GE(conversion.report.calibration.agreement, 0.9);
  const auto network = Loaded(conversion, {});
  EXPECT_EQ(network->engine(), EngineKind::kFloat);
  EXPECT_EQ(network->why_float(), conversion.report.why_float);
  EXPECT_EQ(Loaded(conversion, EngineKind::kInteger)->engine(), EngineKind::kInteger);
}

TEST(VerdictTest, ADisagreementIsExplained) {
  GraphBuilder b(9);
  ValueId x = b.Op("Relu", {b.Conv(b.Image(3, 8, 8), 3, 8, 3, {kPadOne})});
  x = b.Op("Relu", {b.Conv(x, 8, 8, 3, {kPadOne})});
  const Model model = ModelOf(b.Finish(
      b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({5, 512}), b.Weights({5})}, {kTransposed})));
  ConvertOptions options = OptionsOf(std::nullopt);
  options.code.timesteps = 2;
  options.code.silent_steps = 1;
  options.code.input = InputCoding::kDirect;
  const Conversion conversion = Converted(model, options);
  ASSERT_LT(conversion.report.calibration.agreement, kGoodAgreement);
  ASSERT_EQ(conversion.report.warnings.size(), 1U);
  const std::string& warning = conversion.report.warnings.front();
  EXPECT_NE(warning.find("errors arise in layer"), std::string::npos) << warning;
  EXPECT_NE(warning.find(conversion.report.layers[1].name), std::string::npos) << warning;
  EXPECT_NE(warning.find("tried --timesteps 8 --beta 2"), std::string::npos) << warning;
  EXPECT_GT(conversion.report.layers[1].error, 0.05);
}

// Else ReLU6 becomes ReLU, which cost MobileNets half of their answers.
TEST(AdjustTest, AmplitudesStayWithinAClip) {
  GraphBuilder b(6);
  const ValueId zero = b.Floats({}, {0});
  const ValueId most = b.Floats({}, {0.2F});
  const ValueId x = b.Op("Clip", {b.Conv(b.Image(3, 8, 8), 3, 8, 3, {kPadOne}), zero, most});
  const ValueId logits =
      b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({5, 512}), b.Weights({5})}, {kTransposed});
  const Model model = ModelOf(b.Finish(logits));
  ConvertOptions options = OptionsOf(std::nullopt);
  options.amplitudes.adjust_rounds = 1;
  const Conversion conversion = Converted(model, options);
  EXPECT_LE(conversion.report.layers[1].theta * options.code.SumOfWeights(), 0.2001);
}

TEST(SplitSingleLogitTest, TheSignIsTheClassAndTheSigmoidItsProbability) {
  for (const bool behind_add : {false, true}) {
    GraphBuilder b(2);
    const ValueId x = b.Op("Relu", {b.Conv(b.Image(2, 5, 5), 2, 4, 3)});
    ValueId logit =
        b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({1, 36}), b.Weights({1})}, {kTransposed});
    if (behind_add) logit = b.Op("Relu", {logit});
    Graph before = b.Finish(logit);
    Graph graph = before;
    ASSERT_TRUE(FoldConstants(before).ok());  // which knows all shapes
    ASSERT_TRUE(RunPasses(graph).ok());
    ASSERT_TRUE(SplitSingleLogit(graph).ok());
    for (uint32_t seed = 1; seed <= 10; ++seed) {
      const std::vector<float> image = RandomFloats(50, seed);
      const double z = testing::NaiveAnswer(before, image)[0];
      const auto logits = testing::NaiveAnswer(graph, image);
      ASSERT_EQ(logits.size(), 2U);
      EXPECT_NEAR(logits[1] - logits[0], z, 1e-5);
      EXPECT_NEAR(logits[1] + logits[0], 0, 1e-5);
    }
  }
}

}  // namespace
}  // namespace cssrun::converter
