// Compares the whole chain on real networks with measurements of the independent oracle
// (../shared/oracle/results.jsonl): accuracy, agreement with the ANN, and SyOPs at every setting.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "converter/amplitudes.h"
#include "converter/convert.h"
#include "format/network_file.h"
#include "tests/end_to_end/shared_data.h"
#include "tools/image_list.h"

namespace cssrun {
namespace {

using Json = nlohmann::json;

std::vector<Json> Settings() {
  std::vector<Json> settings;
  std::ifstream file(Shared() / "oracle" / "results.jsonl");
  for (std::string line; std::getline(file, line);) settings.push_back(Json::parse(line));
  // Without ../shared there is one setting, which skips, so that the output says that nothing was
  // compared.
  if (settings.empty()) settings.emplace_back();
  return settings;
}

std::string NameOf(const testing::TestParamInfo<Json>& info) {
  const Json& s = info.param;
  if (s.is_null()) return "absent";
  const auto permille = [](double x) { return std::to_string(std::lround(x * 1000)); };
  return s["model"].get<std::string>() + "_T" + std::to_string(s["timesteps"].get<int>()) +
         "_beta" + permille(s["beta"]) + "_L" + std::to_string(s["silent"].get<int>()) +
         "_threshold" + permille(s["threshold"]) + (s["negative"].get<bool>() ? "" : "_positive");
}

class OracleResultsTest : public testing::TestWithParam<Json> {};

TEST_P(OracleResultsTest, AccuracyAgreementAndSynops) {
  const Json& expected = GetParam();
  if (expected.is_null()) GTEST_SKIP() << "no " << Shared();
  const std::string name = expected["model"].get<std::string>() + ".onnx";
  const auto model = converter::LoadModel((Shared() / "models" / name).string());
  ASSERT_TRUE(model.ok()) << model.status().message();

  converter::ConvertOptions options;
  options.code.timesteps = expected["timesteps"];
  options.code.beta = expected["beta"];
  options.code.silent_steps = expected["silent"];
  options.code.threshold = expected["threshold"];
  options.code.negative_spikes = expected["negative"];
  options.code.input = converter::InputCoding::kCss;
  options.mean = {0.485F, 0.456F, 0.406F};
  options.stddev = {0.229F, 0.224F, 0.225F};
  options.labels = tools::FolderNames((Shared() / "cifar10" / "test").string()).value();
  options.threads = 1;  // ctest runs several settings at a time
  const InputFormat& format = model.value().input;
  const auto calibration =
      LoadFolder((Shared() / "cifar10" / "calibration").string(), options.labels, format);
  const auto test = LoadFolder((Shared() / "cifar10" / "test").string(), options.labels, format);
  ASSERT_EQ(test.pixels.size(), expected["images"].get<size_t>());

  // As Convert() does, without what it measures and says about itself, which others test.
  const auto prepared = converter::PrepareModel(model.value(), calibration, options,
                                                [](const char*, size_t, size_t) {});
  ASSERT_TRUE(prepared.ok()) << prepared.status().message();
  const auto codes =
      converter::ChooseAmplitudes(prepared.value().network, prepared.value().calibration,
                                  prepared.value().input, options.code, options.amplitudes);
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(
      converter::BuildFile(model.value(), prepared.value(), options, codes));
  InputFormat normalized = format;
  normalized.mean = options.mean;
  normalized.stddev = options.stddev;
  const auto ann =
      converter::RunAnn(model.value().graph, test, normalized, {}, {}, [](size_t, size_t) {});
  ASSERT_TRUE(ann.ok()) << ann.status().message();
  const auto compare = [&](EngineKind engine) {
    return converter::CompareWithAnn(
        {bytes.data(), bytes.size()}, test, ann.value(), options.threads, [](size_t, size_t) {},
        engine, converter::Readings::kLeaveOut);
  };
  const auto in_float = compare(EngineKind::kFloat);
  ASSERT_TRUE(in_float.ok()) << in_float.status().message();
  const converter::Comparison& actual = in_float.value();
  std::printf("top-1 %.4f (oracle %.4f), agreement %.4f (%.4f), SyOPs / oracle's %.5f\n",
              actual.snn_top1, expected["snn_top1"].get<double>(), actual.agreement,
              expected["agreement"].get<double>(),
              actual.synops_per_image / expected["synops_per_image"].get<double>());
  constexpr double kRounding = 1e-9;
  EXPECT_NEAR(actual.ann_top1, expected["ann_top1"].get<double>(), 0.001 + kRounding);
  EXPECT_NEAR(actual.snn_top1, expected["snn_top1"].get<double>(), 0.005 + kRounding);
  EXPECT_NEAR(actual.agreement, expected["agreement"].get<double>(), 0.01 + kRounding);
  EXPECT_NEAR(actual.relative_logit_error, expected["relative_logit_error"].get<double>(), 0.005);
  EXPECT_NEAR(actual.synops_per_image / expected["synops_per_image"].get<double>(), 1, 0.02);
  EXPECT_NEAR(actual.spikes_per_image / expected["spikes_per_image"].get<double>(), 1, 0.02);

  const auto in_integers = compare(EngineKind::kInteger);
  ASSERT_TRUE(in_integers.ok()) << in_integers.status().message();
  const converter::Comparison& integers = in_integers.value();
  std::printf(
      "integer engine: top-1 %.4f, agreement %.4f, relative logit error %.4f (float %.4f)\n",
      integers.snn_top1, integers.agreement, integers.relative_logit_error,
      actual.relative_logit_error);
  EXPECT_NEAR(integers.relative_logit_error, actual.relative_logit_error,
              0.002 + 0.1 * actual.relative_logit_error);
  // Where the logits have errors of a tenth and more, any rounding can change many answers.
  if (actual.relative_logit_error < 0.1) {
    EXPECT_NEAR(integers.snn_top1, actual.snn_top1, 0.005 + kRounding);
    EXPECT_NEAR(integers.agreement, actual.agreement, 0.01 + kRounding);
  }
  EXPECT_NEAR(integers.synops_per_image / actual.synops_per_image, 1, 0.02);
}

INSTANTIATE_TEST_SUITE_P(All, OracleResultsTest, testing::ValuesIn(Settings()), NameOf);

}  // namespace
}  // namespace cssrun
