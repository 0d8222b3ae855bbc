// Tests the totals of a run: the keys that scripts rely on, and the meaning of the numbers.
#include "tools/summary.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/test_network.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

const std::vector<std::string> kSixLabels = {"a", "b", "c", "d", "e", "f"};

std::vector<std::string> Keys(const Json& json) {
  std::vector<std::string> keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  return keys;
}

ImageOutcome Outcome(const Network& network, std::vector<float> logits, double run_seconds = 0.01) {
  ImageOutcome outcome;
  outcome.answer.logits = std::move(logits);
  outcome.answer.steps = network.latency_steps();
  outcome.load_seconds = 0.25;
  outcome.run_seconds = run_seconds;
  for (size_t i = 0; i < network.layers().size(); ++i) {
    outcome.answer.layers.push_back({10 * i, 1000 * i, i == 1 ? uint64_t{500} : 0, 0.5});
  }
  return outcome;
}

ImageOutcome Failure() {
  ImageOutcome outcome;
  outcome.status = Status::InvalidArgument("x.png: damaged");
  outcome.load_seconds = 0.25;
  return outcome;
}

TEST(SummaryTest, HasEveryKeyOfTheContract) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  Summary summary(*network);
  summary.Add(Outcome(*network, {1, 2, 3, 4, 5, 6}), 5);
  summary.Finish(2.0, 3);
  const Json json = Json::parse(summary.ToJson(true));
  EXPECT_EQ(Keys(json), (std::vector<std::string>{"images",
                                                  "failed",
                                                  "warned",
                                                  "left_out",
                                                  "top1",
                                                  "top5",
                                                  "seconds",
                                                  "images_per_second",
                                                  "load_seconds",
                                                  "run_seconds",
                                                  "latency_ms",
                                                  "timesteps",
                                                  "latency_steps",
                                                  "steps_per_image",
                                                  "spikes_per_image",
                                                  "synops_per_image",
                                                  "direct_macs_per_image",
                                                  "macs_per_image",
                                                  "energy_mj",
                                                  "peak_rss_bytes",
                                                  "threads",
                                                  "simd_target",
                                                  "layers"}));
  EXPECT_EQ(Keys(json["latency_ms"]), (std::vector<std::string>{"p50", "p90", "p95", "p99"}));
  EXPECT_EQ(Keys(json["energy_mj"]), (std::vector<std::string>{"snn", "ann"}));
  ASSERT_EQ(json["layers"].size(), 4U);
  for (const Json& layer : json["layers"]) {
    EXPECT_EQ(Keys(layer), (std::vector<std::string>{"name", "kind", "neurons", "spikes", "synops",
                                                     "macs", "rate", "seconds"}));
  }
}

TEST(SummaryTest, NumbersAreMeansPerImage) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  Summary summary(*network);
  summary.Add(Outcome(*network, {1, 2, 3, 4, 5, 6}), -1);
  summary.Add(Outcome(*network, {1, 2, 3, 4, 5, 6}), -1);
  summary.Add(Failure(), -1);
  summary.Finish(4.0, 2);
  EXPECT_EQ(summary.images(), 2U);
  EXPECT_EQ(summary.failed(), 1U);
  const Json json = Json::parse(summary.ToJson(true));
  EXPECT_EQ(json["images"], 2);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["seconds"], 4.0);
  EXPECT_EQ(json["images_per_second"], 0.5);
  EXPECT_EQ(json["load_seconds"], 0.75);
  EXPECT_EQ(json["timesteps"], 6);
  EXPECT_EQ(json["latency_steps"], 8);
  EXPECT_EQ(json["spikes_per_image"], 10.0 + 20 + 30);
  EXPECT_EQ(json["synops_per_image"], 6000.0);
  EXPECT_EQ(json["macs_per_image"], 1'000'000);
  EXPECT_EQ(json["direct_macs_per_image"], 500.0);
  EXPECT_DOUBLE_EQ(json["energy_mj"]["snn"].get<double>(), 6000 * 0.9e-9 + 500 * 4.6e-9);
  EXPECT_DOUBLE_EQ(json["energy_mj"]["ann"].get<double>(), 1e6 * 4.6e-9);
  EXPECT_EQ(json["threads"], 2);
  EXPECT_GT(json["peak_rss_bytes"].get<uint64_t>(), 1U << 20);
  const Json& layer = json["layers"][2];
  EXPECT_EQ(layer["name"], "layer1");
  EXPECT_EQ(layer["kind"], "neurons");
  EXPECT_EQ(layer["neurons"], 48);
  EXPECT_EQ(layer["spikes"], 20.0);
  EXPECT_EQ(layer["synops"], 2000.0);
  EXPECT_DOUBLE_EQ(layer["rate"].get<double>(), 20.0 / (48 * 6));
  EXPECT_EQ(layer["seconds"], 0.5);
}

TEST(SummaryTest, SecondsOfLayersAreNullWithoutProfile) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  Summary summary(*network);
  summary.Finish(1, 1);
  const Json json = Json::parse(summary.ToJson(false));
  for (const Json& layer : json["layers"]) EXPECT_TRUE(layer["seconds"].is_null());
}

TEST(SummaryTest, AccuracyCountsOnlyImagesWithATruth) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  Summary summary(*network);
  const std::vector<float> rising = {1, 2, 3, 4, 5, 6};
  summary.Add(Outcome(*network, rising), 5);   // right
  summary.Add(Outcome(*network, rising), 1);   // fifth
  summary.Add(Outcome(*network, rising), 0);   // sixth
  summary.Add(Outcome(*network, rising), 4);   // second
  summary.Add(Outcome(*network, rising), -1);  // unknown
  summary.Add(Failure(), 5);
  summary.Finish(1, 1);
  const Json json = Json::parse(summary.ToJson(false));
  EXPECT_EQ(json["top1"], 0.25);
  EXPECT_EQ(json["top5"], 0.75);
  const std::string text = summary.ToText();
  EXPECT_NE(text.find("top-1 25.00 %, top-5 75.00 % of 4 images"), std::string::npos) << text;
  EXPECT_NE(text.find("5 images, 1 failed in"), std::string::npos) << text;
}

TEST(SummaryTest, EqualLogitsAndNoNumbersAreGradedAsTheyArePrinted) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  const auto top1 = [&](const std::vector<float>& logits, int truth) {
    Summary summary(*network);
    summary.Add(Outcome(*network, logits), truth);
    summary.Finish(1, 1);
    return Json::parse(summary.ToJson(false))["top1"].get<double>();
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(top1({7, 7, 7, 7, 7, 7}, 0), 1);
  EXPECT_EQ(top1({7, 7, 7, 7, 7, 7}, 1), 0);
  // NaN logits must not count every class as right.
  EXPECT_EQ(top1({nan, nan, nan, nan, nan, nan}, 3), 0);
  EXPECT_EQ(top1({1, nan, 2, 3, 4, 5}, 1), 0);
}

TEST(SummaryTest, NoTruthNoAccuracy) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  Summary summary(*network);
  summary.Add(Outcome(*network, {1, 2, 3, 4, 5, 6}), -1);
  summary.Finish(1, 1);
  const Json json = Json::parse(summary.ToJson(false));
  EXPECT_TRUE(json["top1"].is_null());
  EXPECT_TRUE(json["top5"].is_null());
  EXPECT_EQ(summary.ToText().find("top-1"), std::string::npos);
}

TEST(SummaryTest, FiveGuessesAmongFewerClassesAreNoFigure) {
  const auto network = Loaded(SmallNetwork({"a", "b", "c", "d"}));
  Summary summary(*network);
  summary.Add(Outcome(*network, {1, 2, 3, 4}), 3);
  summary.Finish(1, 1);
  const Json json = Json::parse(summary.ToJson(false));
  EXPECT_EQ(json["top1"], 1.0);
  EXPECT_TRUE(json["top5"].is_null());
  EXPECT_NE(summary.ToText().find("top-1 100.00 % of 1 image with"), std::string::npos);
}

TEST(SummaryTest, PercentilesAreTimesThatOccurred) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  Summary summary(*network);
  for (int i = 100; i > 0; --i) {
    summary.Add(Outcome(*network, {1, 2, 3, 4, 5, 6}, i / 1000.0), -1);
  }
  summary.Finish(1, 1);
  const Json latency = Json::parse(summary.ToJson(false))["latency_ms"];
  EXPECT_DOUBLE_EQ(latency["p50"].get<double>(), 50);
  EXPECT_DOUBLE_EQ(latency["p90"].get<double>(), 90);
  EXPECT_DOUBLE_EQ(latency["p95"].get<double>(), 95);
  EXPECT_DOUBLE_EQ(latency["p99"].get<double>(), 99);
  EXPECT_NE(summary.ToText().find("latency p50 50.00 ms, p90 90.00 ms, p95 95.00 ms, p99 99.00 ms"),
            std::string::npos)
      << summary.ToText();
}

TEST(SummaryTest, NothingRunIsNoDivisionByZero) {
  const auto network = Loaded(SmallNetwork(kSixLabels));
  Summary summary(*network);
  summary.Add(Failure(), 2);
  summary.Finish(0, 1);
  const Json json = Json::parse(summary.ToJson(true));
  EXPECT_EQ(json["images_per_second"], 0);
  EXPECT_EQ(json["latency_ms"]["p99"], 0);
  EXPECT_EQ(json["spikes_per_image"], 0);
  EXPECT_TRUE(json["top1"].is_null());
  for (const std::string& text : {summary.ToText(), summary.ProfileText()}) {
    EXPECT_EQ(text.find("nan"), std::string::npos) << text;
    EXPECT_EQ(text.find("inf"), std::string::npos) << text;
  }
}

TEST(SummaryTest, LayerNamesCannotSteerATerminal) {
  format::NetworkT evil = SmallNetwork(kSixLabels);
  evil.nodes[1]->name = "\x1b[2J\xff\nlayer";
  const auto network = Loaded(evil);
  Summary summary(*network);
  summary.Finish(1, 1);
  const std::string table = summary.ProfileText();
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_NE(table.find("\\x1b[2J\\xff\\x0alayer"), std::string::npos) << table;
  EXPECT_FALSE(Json::parse(summary.ToJson(false), nullptr, false).is_discarded());
}

}  // namespace
}  // namespace cssrun::tools
