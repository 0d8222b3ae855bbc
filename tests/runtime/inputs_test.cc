// Tests the inputs of a run: pixels as bytes, as floats and in planes, and events instead of the
// encoder's.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "tests/oracle/reference.h"
#include "tests/runtime/random_run.h"

namespace cssrun {
namespace {

class InputsTest : public RandomRunTest {
 protected:
  template <class T>
  std::vector<T> Planes(const std::vector<T>& interleaved) const {
    const InputFormat& input = network_->input();
    std::vector<T> planes;
    for (size_t c = 0; c < input.channels; ++c) {
      for (size_t i = c; i < interleaved.size(); i += input.channels) {
        planes.push_back(interleaved[i]);
      }
    }
    return planes;
  }

  std::vector<float> Floats() const {
    std::vector<float> floats;
    for (const uint8_t pixel : pixels_) floats.push_back(static_cast<float>(pixel) / 255.0F);
    return floats;
  }
};

TEST_P(InputsTest, FloatsAndPlanesAreTheSameImage) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    Session session(network_, {.statistics = true});
    Answer answer;
    ASSERT_TRUE(session.Run(Floats(), answer).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(Planes(pixels_), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(Planes(Floats()), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(pixels_, answer).ok());
    ExpectSame(answer, plain_);
  }
}

// Tests the same with direct input, where a run cannot take events.
TEST_P(InputsTest, DirectInputTakesTheSameImagesAndNoEvents) {
  for (uint32_t seed = 100; seed < 100 + kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    oracle::RandomOptions options;
    options.direct = true;
    options.settled = seed % 4 < 2;  // every second seed multiplies bytes of pixels where it may
    Draw(seed, options);
    SessionOptions record = {.statistics = true};
    record.record = {{0, true, true}, {1, true, false}};
    Session session(network_, record);
    Answer answer;
    ASSERT_TRUE(session.Run(Floats(), answer).ok());
    ExpectSame(answer, plain_);
    EXPECT_TRUE(answer.recordings[0].spikes.empty());
    EXPECT_FALSE(answer.recordings[1].spikes.empty());
    ASSERT_TRUE(session.Run(Planes(pixels_), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    ASSERT_TRUE(session.Run(Planes(Floats()), answer, PixelOrder::kPlanar).ok());
    ExpectSame(answer, plain_);
    const std::vector<InputEvent> events = {{0, 0, 1}};
    const Status status = session.Run(events, answer);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("--input css"), std::string::npos) << status.message();
  }
}

TEST_P(InputsTest, FloatsAreNotRoundedToEightBits) {
  Draw(3);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  std::vector<float> floats(pixels_.size());
  for (float& value : floats) value = uniform(random);
  SessionOptions options;
  options.record = {{0, true, false}};
  Session session(network_, options);
  Answer answer;
  ASSERT_TRUE(session.Run(floats, answer).ok());

  std::vector<double> normalized;
  const InputFormat& input = network_->input();
  for (size_t c = 0; c < input.channels; ++c) {
    for (size_t i = c; i < floats.size(); i += input.channels) {
      normalized.push_back((static_cast<double>(floats[i]) - static_cast<double>(input.mean[c])) /
                           static_cast<double>(input.stddev[c]));
    }
  }
  const oracle::NodeRun expected = oracle::RunEncoder(description_, normalized);
  size_t compared = 0;
  std::vector<bool> tied(normalized.size(), false);  // from a tie on, there may be two trains
  for (size_t i = 0; i < expected.train.size(); ++i) {
    for (size_t j = 0; j < normalized.size(); ++j) {
      tied[j] = tied[j] || expected.margin[i][j] < 1e-5;
      if (tied[j]) continue;
      ++compared;
      EXPECT_EQ(answer.recordings[0].spikes[i * normalized.size() + j], expected.train[i][j]);
    }
  }
  EXPECT_GT(compared, normalized.size());
}

TEST_P(InputsTest, RefusesFloatsThatAreNoPixels) {
  Draw(3);
  Session session(network_);
  Answer answer;
  for (const float wrong : {-0.01F, 1.01F, 255.0F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> floats = Floats();
    floats[2] = wrong;
    const Status status = session.Run(floats, answer);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("pixel number 2"), std::string::npos) << status.message();
  }
  EXPECT_EQ(session.Run(std::vector<float>(5), answer).code(), StatusCode::kInvalidArgument);
}

TEST_P(InputsTest, EventsTakeThePlaceOfTheEncoder) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Draw(seed);
    SessionOptions options = {.statistics = true};
    options.record = {{0, true, false}};
    Session session(network_, options);
    Answer recorded;
    ASSERT_TRUE(session.Run(pixels_, recorded).ok());
    const std::vector<int8_t>& spikes = recorded.recordings[0].spikes;
    ASSERT_EQ(spikes.size(), pixels_.size() * network_->timesteps());
    std::vector<InputEvent> events;
    for (size_t i = 0; i < spikes.size(); ++i) {
      if (spikes[i] == 0) continue;
      events.push_back({static_cast<uint32_t>(i / pixels_.size()),
                        static_cast<uint32_t>(i % pixels_.size()), spikes[i]});
    }
    std::shuffle(events.begin(), events.end(), std::mt19937(seed));
    Answer answer;
    ASSERT_TRUE(session.Run(events, answer).ok());
    ExpectSame(answer, plain_);
    EXPECT_EQ(answer.layers[0].spikes, events.size());
    EXPECT_EQ(answer.recordings[0].spikes, spikes);
    // The events must not affect later runs.
    ASSERT_TRUE(session.Run(pixels_, answer).ok());
    ExpectSame(answer, plain_);
  }
}

TEST_P(InputsTest, WithoutEventsTheLayersRunOnTheirBiases) {
  Draw(5);
  Session session(network_, {.statistics = true});
  Answer answer;
  ASSERT_TRUE(session.Run(std::span<const InputEvent>(), answer).ok());
  EXPECT_EQ(answer.layers[0].spikes, 0U);
  EXPECT_EQ(answer.layers[1].synops, 0U);
}

TEST_P(InputsTest, RefusesEventsThatCannotBe) {
  Draw(5);
  Session session(network_);
  Answer answer;
  const auto inputs = static_cast<uint32_t>(pixels_.size());
  const auto message = [&](const std::vector<InputEvent>& events) {
    const Status status = session.Run(events, answer);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    return status.message();
  };
  EXPECT_NE(message({{0, 0, 1}, {network_->timesteps(), 0, 1}}).find("event 1: step"),
            std::string::npos);
  EXPECT_NE(message({{0, inputs, 1}}).find("event 0: address"), std::string::npos);
  EXPECT_NE(message({{0, 0, 0}}).find("event 0: sign 0"), std::string::npos);
  EXPECT_NE(message({{0, 0, 2}}).find("event 0: sign 2"), std::string::npos);
  EXPECT_NE(message({{1, inputs - 1, 1}, {0, 0, 1}, {1, inputs - 1, -1}})
                .find("two events at step 1 of address " + std::to_string(inputs - 1)),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Engines, InputsTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
