// Tests sessions and batches with both engines.
#include "cssrun/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"
#include "tests/runtime/random_run.h"

namespace cssrun {
namespace {

std::shared_ptr<const Network> Load(const format::NetworkT& description, EngineKind engine) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes({bytes.data(), bytes.size()}, "random", engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

Answer RunOnce(const std::shared_ptr<const Network>& network, const std::vector<uint8_t>& pixels,
               const SessionOptions& options) {
  Session session(network, options);
  Answer answer;
  EXPECT_TRUE(session.Run(pixels, answer).ok());
  return answer;
}

class SessionTest : public RandomRunTest {};

TEST_P(SessionTest, ASessionGivesTheSameAnswerAfterOtherImages) {
  const format::NetworkT description = oracle::RandomNetwork(7);
  const std::shared_ptr<const Network> network = Load(description, GetParam());
  ASSERT_NE(network, nullptr);
  Session session(network);
  Answer first, again;
  ASSERT_TRUE(session.Run(oracle::RandomPixels(description, 1), first).ok());
  for (uint32_t seed = 2; seed < 6; ++seed) {
    ASSERT_TRUE(session.Run(oracle::RandomPixels(description, seed), again).ok());
  }
  ASSERT_TRUE(session.Run(oracle::RandomPixels(description, 1), again).ok());
  EXPECT_EQ(first.logits, again.logits);
}

TEST_P(SessionTest, RefusesAnImageOfTheWrongSize) {
  const std::shared_ptr<const Network> network = Load(oracle::ChainNetwork(1, 4, 2, 1), GetParam());
  ASSERT_NE(network, nullptr);
  Session session(network);
  Answer answer;
  const Status status = session.Run(std::vector<uint8_t>(5), answer);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("48"), std::string::npos) << status.message();
}

TEST_P(SessionTest, SessionsOfSeveralThreadsShareANetwork) {
  const format::NetworkT description = oracle::ChainNetwork(3, 8, 2, 1);
  const std::shared_ptr<const Network> network = Load(description, GetParam());
  ASSERT_NE(network, nullptr);
  ASSERT_EQ(network->engine(), GetParam());
  constexpr uint32_t kThreads = 4;
  std::vector<std::vector<Answer>> answers(kThreads, std::vector<Answer>(20));
  std::vector<std::thread> threads;
  for (std::vector<Answer>& own : answers) {
    threads.emplace_back([&] {
      Session session(network);
      for (uint32_t i = 0; i < own.size(); ++i) {
        EXPECT_TRUE(session.Run(oracle::RandomPixels(description, i), own[i]).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint32_t i = 0; i < answers[0].size(); ++i) {
    for (const std::vector<Answer>& own : answers) EXPECT_EQ(own[i].logits, answers[0][i].logits);
  }
}

TEST_P(SessionTest, TheAnswerIsTheSameWhetherOrNotItIsCounted) {
  uint64_t synops = 0;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    ASSERT_NE(network_, nullptr);
    const Answer plain = RunOnce(network_, pixels_, {});
    EXPECT_TRUE(plain.layers.empty());
    for (const SessionOptions& counting :
         {SessionOptions{.statistics = true}, SessionOptions{.profile = true},
          SessionOptions{.keep_readings = true},
          SessionOptions{.on_reading = [](const Reading&) { return true; }}}) {
      const Answer counted = RunOnce(network_, pixels_, counting);
      EXPECT_EQ(counted.logits, plain.logits);
      EXPECT_EQ(counted.steps, plain.steps);
      ASSERT_EQ(counted.layers.size(), network_->layers().size());
      for (const LayerStatistics& layer : counted.layers) synops += layer.synops;
    }
  }
  EXPECT_GT(synops, 0U);
}

// Computes from its recursion what the readout would say if no spike came after `index`.
TEST_P(SessionTest, ReadingsAreTheLogitsWithoutLaterSpikes) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    ASSERT_NE(network_, nullptr);
    const Answer& whole = plain_;
    EXPECT_TRUE(whole.readings.empty());
    SessionOptions options;
    options.keep_readings = true;
    const Answer answer = RunOnce(network_, pixels_, options);
    EXPECT_EQ(answer.logits, whole.logits);
    ASSERT_EQ(answer.readings.size(), network_->timesteps());
    EXPECT_EQ(answer.readings.back().logits, whole.logits);
    EXPECT_EQ(answer.readings.back().step, network_->latency_steps());
    uint64_t synops = 0;
    for (const LayerStatistics& layer : whole.layers) synops += layer.synops;
    EXPECT_EQ(answer.readings.back().synops, synops);

    const auto beta = static_cast<double>(description_.code->beta);
    for (uint32_t i = 0; i + 1 < network_->timesteps(); ++i) {
      const Reading& now = answer.readings[i];
      EXPECT_EQ(now.step + 1, answer.readings[i + 1].step);
      EXPECT_LE(now.synops, answer.readings[i + 1].synops);
      double coming = 0;
      for (uint32_t k = i + 1; k < network_->timesteps(); ++k) {
        coming += std::pow(beta, network_->timesteps() - 1 - k);
      }
      std::vector<float> sorted = now.logits;
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      if (sorted.size() < 2) continue;
      const double lead = static_cast<double>(sorted[0]) - static_cast<double>(sorted[1]);
      EXPECT_NEAR(now.margin, lead / coming, 1e-4 * (1 + std::abs(lead)));
    }
  }
}

TEST_P(SessionTest, WithoutSpikesEveryReadingIsTheAnswer) {
  format::NetworkT description = oracle::ChainNetwork(2, 6, 1.5F, 1);
  for (auto& weight : description.nodes.back()->synapses[0]->weights) weight = 0;
  description.nodes.back()->bias = {0.1F, -0.2F, 0.3F, 0.0F};
  const std::shared_ptr<const Network> network = Load(description, GetParam());
  ASSERT_NE(network, nullptr);
  SessionOptions options;
  options.keep_readings = true;
  const Answer answer = RunOnce(network, oracle::RandomPixels(description, 1), options);
  for (const Reading& reading : answer.readings) {
    for (size_t k = 0; k < answer.logits.size(); ++k) {
      EXPECT_NEAR(reading.logits[k], answer.logits[k], 1e-5);
    }
  }
}

TEST_P(SessionTest, AnEarlyExitIsTheFirstReadingThatLeadsByTheMargin) {
  int early = 0;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    ASSERT_NE(network_, nullptr);
    SessionOptions reading;
    reading.keep_readings = true;
    const Answer whole = RunOnce(network_, pixels_, reading);
    for (const double margin : {0.0, 0.05, 0.5, 1e9}) {
      SessionOptions options = {.statistics = true};
      options.early_exit_margin = margin;
      const Answer answer = RunOnce(network_, pixels_, options);
      const Reading* expected = &whole.readings.back();
      for (const Reading& candidate : whole.readings) {
        if (candidate.margin > margin) {
          expected = &candidate;
          break;
        }
      }
      EXPECT_EQ(answer.logits, expected->logits);
      EXPECT_EQ(answer.steps, expected->step);
      uint64_t synops = 0;
      for (const LayerStatistics& layer : answer.layers) synops += layer.synops;
      EXPECT_EQ(synops, expected->synops);
      early += answer.steps < network_->latency_steps();
    }
  }
  EXPECT_GT(early, 20);
}

INSTANTIATE_TEST_SUITE_P(Engines, SessionTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

TEST(AnswerTest, TheBestClassIsTheFirstOfTheLargest) {
  Answer answer;
  EXPECT_EQ(answer.best(), 0U);
  answer.logits = {-3, -1, -2, -1};
  EXPECT_EQ(answer.best(), 1U);
  EXPECT_EQ(BestClass({}), 0U);
}

TEST(ResultTest, TheValueOfAnErrorEndsTheProcess) {
  Result<int> result = Status::Io("no such file");
  EXPECT_FALSE(result.ok());
  EXPECT_DEATH(result.value(), "");
}

TEST(LayerKindTest, EveryKindHasItsName) {
  format::NetworkT description = oracle::SmallNetwork();
  const std::shared_ptr<const Network> network = Load(description, EngineKind::kInteger);
  ASSERT_NE(network, nullptr);
  std::vector<std::string> names;
  for (const LayerInfo& layer : network->layers()) names.emplace_back(LayerKindName(layer.kind));
  EXPECT_EQ(names, (std::vector<std::string>{"encoder", "neurons", "pooled neurons", "readout"}));
  EXPECT_STREQ(LayerKindName(LayerKind::kPixels), "pixels");
}

}  // namespace
}  // namespace cssrun
