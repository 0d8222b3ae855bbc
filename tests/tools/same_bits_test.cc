// Tests that one image has one answer: threads, order of the work, instruction set and repetition
// do not change a bit of logits, spikes or output.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cssrun/session.h"
#include "hwy/targets.h"
#include "tests/oracle/random_network.h"
#include "tests/tools/test_network.h"
#include "tools/output.h"

namespace cssrun::tools {
namespace {

constexpr int kRepetitions = 20;

struct Outcome {
  std::vector<float> logits;
  std::vector<std::vector<int8_t>> spikes;  // of each layer that sends spikes
  std::string csv;

  bool operator==(const Outcome& other) const {
    return logits.size() == other.logits.size() &&
           std::memcmp(logits.data(), other.logits.data(), logits.size() * sizeof(float)) == 0 &&
           spikes == other.spikes && csv == other.csv;
  }
};

Outcome RunOnce(Session& session, const Network& network, const std::vector<uint8_t>& pixels,
                Answer& answer) {
  EXPECT_TRUE(session.Run(pixels, answer).ok());
  Outcome outcome;
  outcome.logits = answer.logits;
  for (const Recording& recording : answer.recordings) outcome.spikes.push_back(recording.spikes);
  ImageResult result;
  result.path = "image.png";
  result.guesses = BestGuesses(answer.logits, network.labels(), answer.logits.size());
  result.margin = result.guesses[0].logit - result.guesses.back().logit;
  result.steps = answer.steps;
  outcome.csv = FormatResult(OutputFormat::kCsv, result, answer.logits.size());
  return outcome;
}

SessionOptions Options(const Network& network, unsigned threads, uint32_t chunk) {
  SessionOptions options;
  options.threads = threads;
  options.chunk = chunk;
  for (size_t layer = 0; layer + 1 < network.layers().size(); ++layer) {
    options.record.push_back({layer, true, false});
  }
  return options;
}

class SameBitsTest : public testing::TestWithParam<EngineKind> {
 protected:
  void TearDown() override { Allow(0); }
  // Allows one instruction set only; 0 allows all.
  static void Allow(int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

TEST_P(SameBitsTest, WhateverTheThreadsChunkAndInstructionSet) {
  const int64_t supported = hwy::SupportedTargets();
  for (const uint32_t seed : {1U, 9U, 23U}) {
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const auto loaded = Network::FromBytes(Serialized(description), "net", GetParam());
    ASSERT_TRUE(loaded.ok());
    const Network& network = *loaded.value();
    ASSERT_EQ(network.engine(), GetParam());
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    Answer answer;
    Session first(loaded.value(), Options(network, 1, 0));
    const Outcome expected = RunOnce(first, network, pixels, answer);
    size_t runs = 0;
    for (int64_t rest = supported; rest != 0; rest &= rest - 1) {
      Allow(rest & -rest);
      for (const unsigned threads : {1U, 2U, 4U, 8U}) {
        for (const uint32_t chunk : {1U, 2U, network.timesteps()}) {
          Session session(loaded.value(), Options(network, threads, chunk));
          for (int i = 0; i < kRepetitions; ++i) {
            ASSERT_TRUE(RunOnce(session, network, pixels, answer) == expected)
                << "seed " << seed << ", target " << (rest & -rest) << ", threads " << threads
                << ", chunk " << chunk << ", repetition " << i;
            ++runs;
          }
        }
      }
    }
    Allow(0);
    EXPECT_GE(runs, size_t{4 * 3 * kRepetitions});
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, SameBitsTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun::tools
