// Checks what streams promise beside equal answers: options, errors, holds, lists of changes.
#include "cssrun/stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "cssrun/cssrun.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/residual_network.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

using integer_tests::Load;
using integer_tests::LoadInIntegers;

std::vector<float> LogitsOf(const std::shared_ptr<const Network>& network,
                            const std::vector<uint8_t>& pixels) {
  Session session(network);
  Answer answer;
  EXPECT_TRUE(session.Run(pixels, answer).ok());
  return answer.logits;
}

class StreamTest : public testing::Test {
 protected:
  void SetUp() override {
    description_ = oracle::ResidualNetwork(1);
    network_ = LoadInIntegers(description_);
    ASSERT_NE(network_, nullptr);
    pixels_ = oracle::RandomPixels(description_, 5);
  }

  Stream Make(const StreamOptions& options = {}) {
    Result<Stream> stream = Stream::Create(network_, options);
    EXPECT_TRUE(stream.ok()) << stream.status().message();
    return std::move(stream).value();
  }

  format::NetworkT description_;
  std::shared_ptr<const Network> network_;
  std::vector<uint8_t> pixels_;
};

TEST_F(StreamTest, AnswersAsASessionDoes) {
  Stream stream = Make();
  StreamAnswer answer;
  for (uint64_t frame = 0; frame < 4; ++frame) {
    ASSERT_TRUE(stream.Next(pixels_, answer).ok());
    EXPECT_EQ(answer.frame, frame);
    EXPECT_EQ(answer.logits, LogitsOf(network_, pixels_));
    pixels_[17 + frame] ^= 0x55;
  }
}

// A first layer may sum pixels that are bytes, and take all others as floats.
TEST_F(StreamTest, TakesFloatsThatAreBytesAndOthers) {
  Stream stream = Make();
  Session session(network_);
  StreamAnswer answer;
  Answer expected;
  std::vector<float> floats;
  for (const uint8_t pixel : pixels_) floats.push_back(static_cast<float>(pixel) / 255.0F);
  for (const float first : {floats[0], 0.3333F, 0.5F, 1.0F, 0.0F}) {
    floats[0] = first;
    ASSERT_TRUE(stream.Next(floats, answer).ok());
    ASSERT_TRUE(session.Run(floats, expected).ok());
    EXPECT_EQ(answer.logits, expected.logits) << first;
  }
  EXPECT_EQ(answer.frame, 4U);
  ASSERT_TRUE(stream.Next(pixels_, answer).ok());
  EXPECT_EQ(answer.frame, 0U);  // of another kind
  EXPECT_EQ(answer.logits, LogitsOf(network_, pixels_));
}

// Frames of which every pixel changes: the second one is compared, which shows that those to come
// had better not be. A still frame is compared again.
TEST_F(StreamTest, RunsNoisyFramesWhole) {
  Session session(network_);
  for (const bool floats : {false, true}) {
    Stream stream = Make();
    StreamAnswer answer;
    Answer expected;
    std::vector<float> values(pixels_.size());
    for (uint32_t frame = 0; frame < 8; ++frame) {
      SCOPED_TRACE(testing::Message() << "floats " << floats << ", frame " << frame);
      const bool still = frame % 4 == 3;
      if (!still) {
        for (size_t i = 0; i < pixels_.size(); ++i) pixels_[i] += static_cast<uint8_t>(1 + i % 97);
      }
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(pixels_[i]) / 300;
      const Status status = floats ? stream.Next(values, answer) : stream.Next(pixels_, answer);
      ASSERT_TRUE(status.ok());
      ASSERT_TRUE((floats ? session.Run(values, expected) : session.Run(pixels_, expected)).ok());
      EXPECT_EQ(answer.logits, expected.logits);
      EXPECT_EQ(answer.whole, frame != 1 && !still);
      EXPECT_EQ(answer.changed == answer.neurons, answer.whole);
    }
  }
}

TEST_F(StreamTest, HoldsPixels) {
  Stream stream = Make({.hold = 10});
  StreamAnswer answer;
  pixels_[0] = 100;
  ASSERT_TRUE(stream.Next(pixels_, answer).ok());
  const std::vector<float> held = answer.logits;
  std::vector<uint8_t> next = pixels_;
  next[0] = 110;
  ASSERT_TRUE(stream.Next(next, answer).ok());
  EXPECT_EQ(answer.changed_pixels, 0U);
  EXPECT_EQ(answer.logits, held);
  next[0] = 111;
  ASSERT_TRUE(stream.Next(next, answer).ok());
  EXPECT_EQ(answer.changed_pixels, 1U);
  EXPECT_EQ(answer.logits, LogitsOf(network_, next));
}

TEST_F(StreamTest, TakesListsOfChanges) {
  Stream stream = Make();
  StreamAnswer answer;
  const ChangedPixel change{3, 200};
  EXPECT_EQ(stream.Next(std::span(&change, 1), answer).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(stream.Next(pixels_, answer).ok());
  ASSERT_TRUE(stream.Next(std::span(&change, 1), answer).ok());
  EXPECT_EQ(answer.frame, 1U);
  pixels_[size_t{3} * network_->input().channels] = 200;  // channel 0 of position 3
  EXPECT_EQ(answer.logits, LogitsOf(network_, pixels_));
  const ChangedPixel beyond{static_cast<uint32_t>(pixels_.size()), 0};
  EXPECT_EQ(stream.Next(std::span(&beyond, 1), answer).code(), StatusCode::kInvalidArgument);
  // An error resets.
  EXPECT_EQ(stream.Next(std::span(&change, 1), answer).code(), StatusCode::kInvalidArgument);
}

TEST_F(StreamTest, AnErrorOrACancelledFrameResets) {
  std::atomic<bool> cancel = false;
  Stream stream = Make({.cancel = &cancel});
  StreamAnswer answer;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(stream.Next(pixels_, answer).ok());
  EXPECT_EQ(answer.frame, 1U);
  EXPECT_EQ(stream.Next(std::span(pixels_).first(3), answer).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(stream.Next(pixels_, answer).ok());
  EXPECT_EQ(answer.frame, 0U);
  cancel = true;
  EXPECT_EQ(stream.Next(pixels_, answer).code(), StatusCode::kCancelled);
  cancel = false;
  ASSERT_TRUE(stream.Next(pixels_, answer).ok());
  EXPECT_EQ(answer.frame, 0U);
  stream.Reset();
  ASSERT_TRUE(stream.Next(pixels_, answer).ok());
  EXPECT_EQ(answer.frame, 0U);
}

TEST_F(StreamTest, RefusesWrongOptions) {
  EXPECT_EQ(Stream::Create(network_, {.hold = 256}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Stream::Create(network_, {.dead_zone = -1}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(StreamErrorsTest, SayWhichNetworksCannotAndWhatToConvertWith) {
  const auto expect_refused = [](const std::shared_ptr<const Network>& network) {
    ASSERT_NE(network, nullptr);
    const Status status = Stream::Create(network).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("--timesteps 5 --beta 2 --silent 4 --threshold 0.75"),
              std::string::npos)
        << status.message();
  };
  expect_refused(LoadInIntegers(oracle::ChainNetwork(3, 12, 1.5F, 2)));
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(oracle::ResidualNetwork(1));
  expect_refused(
      Network::FromBytes({bytes.data(), bytes.size()}, "floats", EngineKind::kFloat).value());
}

}  // namespace
}  // namespace cssrun
