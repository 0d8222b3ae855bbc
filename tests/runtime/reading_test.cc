// Tests readings before the last step: what the callback receives, that it can stop a run, and what
// an answer keeps.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "cssrun/cssrun.h"
#include "tests/runtime/random_run.h"

namespace cssrun {
namespace {

using ReadingTest = RandomRunTest;

TEST_P(ReadingTest, OnReadingSeesEveryReadingAndMayStop) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    SessionOptions keep;
    keep.keep_readings = true;
    Answer kept;
    ASSERT_TRUE(Session(network_, keep).Run(pixels_, kept).ok());

    std::vector<Reading> seen;
    uint32_t stop_after = network_->timesteps();
    SessionOptions options;
    options.on_reading = [&](const Reading& reading) {
      seen.push_back(reading);
      return seen.size() != stop_after;
    };
    Session session(network_, options);
    Answer answer;
    for (; stop_after > 0; --stop_after) {
      seen.clear();
      ASSERT_TRUE(session.Run(pixels_, answer).ok());
      ASSERT_EQ(seen.size(), stop_after);
      for (size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i].step, kept.readings[i].step);
        EXPECT_EQ(seen[i].logits, kept.readings[i].logits);
        EXPECT_EQ(seen[i].margin, kept.readings[i].margin);
        EXPECT_EQ(seen[i].synops, kept.readings[i].synops);
      }
      EXPECT_EQ(answer.logits, seen.back().logits);
      EXPECT_EQ(answer.steps, seen.back().step);
      EXPECT_TRUE(answer.readings.empty());
      // A stop at the last step has no effect.
      EXPECT_EQ(answer.ending,
                stop_after == network_->timesteps() ? Ending::kComplete : Ending::kStopped);
    }
  }
}

TEST_P(ReadingTest, AnAnswerKeepsNoReadingsOfTheRunBefore) {
  Draw(7);
  bool stop = false;
  SessionOptions options;
  options.keep_readings = true;
  options.on_reading = [&](const Reading&) { return !stop; };
  Session session(network_, options);
  Answer answer;
  ASSERT_TRUE(session.Run(pixels_, answer).ok());
  ASSERT_EQ(answer.readings.size(), network_->timesteps());
  const Reading first = answer.readings[0];
  stop = true;
  ASSERT_TRUE(session.Run(pixels_, answer).ok());
  ASSERT_EQ(answer.readings.size(), network_->timesteps());
  EXPECT_EQ(answer.readings[0].logits, first.logits);
  EXPECT_EQ(answer.readings[0].synops, first.synops);
  for (size_t i = 1; i < answer.readings.size(); ++i) {
    EXPECT_TRUE(answer.readings[i].logits.empty());
    EXPECT_EQ(answer.readings[i].step, 0U);
  }
  ASSERT_TRUE(Session(network_).Run(pixels_, answer).ok());
  EXPECT_TRUE(answer.readings.empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, ReadingTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
