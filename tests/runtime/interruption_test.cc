// Tests runs that are cancelled or reach their time limit.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "cssrun/cssrun.h"
#include "tests/runtime/random_run.h"

namespace cssrun {
namespace {

using InterruptionTest = RandomRunTest;

TEST_P(InterruptionTest, ACancelledRunFailsAndTheNextIsWhole) {
  Draw(7);
  std::atomic<bool> cancel = true;
  SessionOptions options = {.statistics = true};
  options.cancel = &cancel;
  Session session(network_, options);
  Answer answer;
  const Status status = session.Run(pixels_, answer);
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_NE(status.message().find("cancelled at step 0"), std::string::npos) << status.message();
  cancel = false;
  ASSERT_TRUE(session.Run(pixels_, answer).ok());
  ExpectSame(answer, plain_);
}

TEST_P(InterruptionTest, AnotherThreadCancelsARun) {
  Draw(7);
  std::atomic<bool> cancel = false;
  SessionOptions options = {.statistics = true};
  options.cancel = &cancel;
  Session session(network_, options);
  std::thread other([&] { cancel = true; });
  Answer answer;
  Status status;
  while (status.ok()) status = session.Run(pixels_, answer);
  other.join();
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

TEST_P(InterruptionTest, WhatIsReadBeforeTheTimeLimitIsTheAnswer) {
  int late = 0;
  for (uint32_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    SessionOptions keep;
    keep.keep_readings = true;
    Answer kept;
    ASSERT_TRUE(Session(network_, keep).Run(pixels_, kept).ok());
    // The callback uses up the remaining time at the chosen reading.
    for (uint32_t reading = 0; reading + 1 < network_->timesteps(); ++reading) {
      uint32_t count = 0;
      SessionOptions options = {.statistics = true};
      options.time_limit = std::chrono::seconds(5);
      // The limit is long enough for a busy machine, and only this one callback waits for its end.
      options.on_reading = [&](const Reading&) {
        ++count;
        return true;
      };
      Answer answer;
      ASSERT_TRUE(Session(network_, options).Run(pixels_, answer).ok());
      EXPECT_EQ(answer.ending, Ending::kComplete);
      EXPECT_EQ(answer.logits, plain_.logits);
      options.time_limit = std::chrono::milliseconds(40);
      count = 0;
      options.on_reading = [&](const Reading&) {
        if (count++ == reading) std::this_thread::sleep_for(std::chrono::milliseconds(41));
        return true;
      };
      const Status status = Session(network_, options).Run(pixels_, answer);
      if (!status.ok()) continue;  // the machine was busy before the first reading
      ASSERT_EQ(answer.ending, Ending::kLate);
      ASSERT_LE(count, reading + 1);
      EXPECT_EQ(answer.logits, kept.readings[count - 1].logits);
      EXPECT_EQ(answer.steps, kept.readings[count - 1].step);
      ++late;
      break;
    }
  }
  EXPECT_GT(late, 0);
}

TEST_P(InterruptionTest, ATimeLimitBeforeTheFirstReadingIsAnError) {
  Draw(7);
  SessionOptions options = {.statistics = true};
  options.time_limit = std::chrono::nanoseconds(1);
  Session session(network_, options);
  Answer answer;
  const Status status = session.Run(pixels_, answer);
  EXPECT_EQ(status.code(), StatusCode::kTimedOut);
  EXPECT_NE(status.message().find("before the first reading"), std::string::npos)
      << status.message();
}

INSTANTIATE_TEST_SUITE_P(Engines, InterruptionTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
