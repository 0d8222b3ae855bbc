// Tests the code that a conversion chooses where none is named: by the wanted agreement, by the
// expected time, by the latency in steps.
#include "converter/default_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "format/network_file.h"
#include "runtime/neuron/settled.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/whole_models.h"

namespace cssrun::converter {
namespace {

using testing::Converted;
using testing::GraphBuilder;
using testing::HiddenLayerBehindMean;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::ModelOf;
using testing::OptionsOf;

// Two layers of convolutions, and logits that lie close together.
Model ConvolutionsModel() {
  const Attribute pad = IntsAttribute("pads", {1, 1, 1, 1});
  GraphBuilder b(9);
  ValueId x = b.Op("Relu", {b.Conv(b.Image(3, 8, 8), 3, 16, 3, {pad})});
  x = b.Op("Relu", {b.Conv(x, 16, 16, 3, {pad})});
  return ModelOf(b.Finish(b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({5, 1024}), b.Weights({5})},
                               {IntAttribute("transB", 1)})));
}

ConversionReport ReportFor(const Model& model, Goal goal, double agreement) {
  return Converted(model, OptionsOf(CodeSearch{goal, agreement})).report;
}

const TriedCode* ChosenOf(const ConversionReport& report) {
  const TriedCode* chosen = nullptr;
  for (const TriedCode& tried : report.tried) {
    if (!tried.chosen) continue;
    EXPECT_EQ(chosen, nullptr) << "one is chosen";
    chosen = &tried;
  }
  EXPECT_NE(chosen, nullptr);
  return chosen;
}

// What is measured and not enough is cheaper than what is chosen.
TEST(DefaultCodeTest, TheFirstThatAgreesIsChosenAndNothingIsTriedBehindIt) {
  for (const double wanted : {0.9, kEnoughAgreement}) {
    const ConversionReport report =
        ReportFor(ModelOf(HiddenLayerBehindMean(16)), Goal::kSpeed, wanted);
    const TriedCode* chosen = ChosenOf(report);
    ASSERT_NE(chosen, nullptr);
    EXPECT_EQ(chosen, &report.tried.back());
    EXPECT_GE(chosen->expected_agreement, wanted);
    EXPECT_EQ(chosen->code.timesteps, report.code.timesteps);
    for (const TriedCode& tried : report.tried) {
      EXPECT_TRUE(tried.chosen || tried.expected_agreement < wanted);
      EXPECT_LE(tried.expected_ms, chosen->expected_ms * 1.02);
      EXPECT_GT(tried.expected_ms, 0);
    }
  }
}

// All settled codes agree well enough here, and some are equally fast.
TEST(DefaultCodeTest, OfEquallyFastCodesTheLongestTrainIsChosen) {
  const Model model = ConvolutionsModel();
  const ConversionReport all = ReportFor(model, Goal::kSpeed, 1);  // which none reaches
  ASSERT_FALSE(all.tried.empty());
  const double fastest =
      std::ranges::min(all.tried, {}, [](const TriedCode& t) { return t.expected_ms; }).expected_ms;
  uint32_t longest = 0;
  int equally_fast = 0;
  for (const TriedCode& tried : all.tried) {
    if (tried.expected_ms > fastest * 1.02) continue;
    longest = std::max(longest, tried.code.timesteps);
    ++equally_fast;
  }
  EXPECT_GE(equally_fast, 2);
  const ConversionReport report = ReportFor(model, Goal::kSpeed, 0.5);
  EXPECT_EQ(report.code.timesteps, longest);
  EXPECT_EQ(report.tried.size(), 1U);
}

// No code reaches 100 %: all are tried, and the closest is taken.
TEST(DefaultCodeTest, WhereNoneIsEnoughTheClosestIsChosen) {
  const ConversionReport report = ReportFor(ConvolutionsModel(), Goal::kSpeed, 1);
  ASSERT_EQ(report.tried.size(), 7U);
  const TriedCode* chosen = ChosenOf(report);
  ASSERT_NE(chosen, nullptr);
  // Within a point of the closest, and the cheapest of those.
  for (const TriedCode& tried : report.tried) {
    EXPECT_LE(tried.expected_agreement, chosen->expected_agreement + 0.01);
    EXPECT_TRUE(&tried >= chosen || tried.expected_agreement < chosen->expected_agreement);
  }
  EXPECT_NE(ExplainCode(report.tried, *report.search, report.answer).find("none has 100 %"),
            std::string::npos);
}

TEST(DefaultCodeTest, LatencyInStepsCostsTimeAndSavesSteps) {
  const Model model = ConvolutionsModel();
  const ConversionReport fast = ReportFor(model, Goal::kSpeed, 0.97);
  const ConversionReport quick = ReportFor(model, Goal::kLatencySteps, 0.97);
  const TriedCode* chosen = ChosenOf(quick);
  ASSERT_NE(chosen, nullptr);
  EXPECT_GE(chosen->expected_agreement, 0.97);
  EXPECT_EQ(chosen->latency_steps, quick.latency_steps);
  EXPECT_LT(quick.latency_steps, fast.latency_steps);
  EXPECT_TRUE(std::ranges::is_sorted(quick.tried, {}, &TriedCode::latency_steps));
}

TEST(DefaultCodeTest, TheTableNamesEachCodeAndMarksTheChosen) {
  const ConversionReport report = ReportFor(ConvolutionsModel(), Goal::kSpeed, 0.97);
  const std::string text = ExplainCode(report.tried, *report.search, report.answer);
  for (const TriedCode& tried : report.tried) {
    const std::string name = "T = " + std::to_string(tried.code.timesteps) + ", beta = 2";
    EXPECT_NE(text.find((tried.chosen ? "> " : "  ") + name), std::string::npos) << text;
  }
  EXPECT_NE(text.find("expected ms"), std::string::npos);
  EXPECT_NE(text.find("the fastest with 97 %"), std::string::npos) << text;
}

TEST(DefaultCodeTest, ANamedCodeIsNotMeasured) {
  const ConversionReport report = Converted(ConvolutionsModel(), OptionsOf(std::nullopt)).report;
  EXPECT_TRUE(report.tried.empty());
  EXPECT_FALSE(report.search.has_value());
}

TEST(DefaultCodeTest, ThePapersCodeIsInTheFile) {
  ConvertOptions options = OptionsOf(std::nullopt);
  options.code = CodeSettings::Paper();
  const Conversion conversion = Converted(ConvolutionsModel(), options);
  const format::Network* network = format::GetNetwork(conversion.bytes.data());
  EXPECT_EQ(network->code()->timesteps(), 12U);
  EXPECT_EQ(network->code()->beta(), 1.5F);
  EXPECT_EQ(network->code()->silent_steps(), 1U);
  for (const float threshold : *network->nodes()->Get(1)->thresholds()) {
    EXPECT_EQ(threshold, 0.5F);
  }
}

}  // namespace
}  // namespace cssrun::converter
