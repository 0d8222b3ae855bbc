// The C interface of streams, beside a session of the same network.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cssrun/c.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/residual_network.h"

namespace cssrun {
namespace {

class CStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    description_ = oracle::ResidualNetwork(1);
    network_ = Load(description_);
    ASSERT_NE(network_, nullptr);
    pixels_ = oracle::RandomPixels(description_, 3);
  }
  void TearDown() override { cssrun_network_free(network_); }

  static cssrun_network* Load(const format::NetworkT& description) {
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
    cssrun_network* network = nullptr;
    cssrun_network_from_memory(bytes.data(), bytes.size(), "network", nullptr, &network, nullptr);
    return network;
  }

  std::vector<float> SessionLogits() {
    cssrun_session* session = nullptr;
    EXPECT_EQ(cssrun_session_create(network_, nullptr, &session, nullptr), CSSRUN_OK);
    EXPECT_EQ(cssrun_session_run_bytes(session, pixels_.data(), pixels_.size(), CSSRUN_INTERLEAVED,
                                       nullptr),
              CSSRUN_OK);
    cssrun_answer answer = {};
    answer.struct_size = sizeof answer;
    EXPECT_EQ(cssrun_session_get_answer(session, &answer, nullptr), CSSRUN_OK);
    std::vector<float> logits(answer.logits, answer.logits + answer.logit_count);
    cssrun_session_free(session);
    return logits;
  }

  format::NetworkT description_;
  cssrun_network* network_ = nullptr;
  std::vector<uint8_t> pixels_;
};

TEST_F(CStreamTest, AnswersAsASessionDoes) {
  cssrun_status status;
  cssrun_stream* stream = nullptr;
  cssrun_stream_options options = CSSRUN_STREAM_OPTIONS_INIT;
  options.profile = 1;
  ASSERT_EQ(cssrun_stream_create(network_, &options, &stream, &status), CSSRUN_OK);
  cssrun_stream_answer answer = {};
  answer.struct_size = sizeof answer;
  EXPECT_EQ(cssrun_stream_get_answer(stream, &answer, &status), CSSRUN_INVALID_ARGUMENT);
  const auto expect_answer = [&](uint64_t frame) {
    ASSERT_EQ(cssrun_stream_get_answer(stream, &answer, &status), CSSRUN_OK) << status.message;
    const std::vector<float> logits(answer.logits, answer.logits + answer.logit_count);
    EXPECT_EQ(logits, SessionLogits());
    EXPECT_EQ(answer.frame, frame);
    EXPECT_EQ(answer.whole, frame == 0 ? 1 : 0);
    EXPECT_LE(answer.changed, answer.neurons);
  };
  ASSERT_EQ(
      cssrun_stream_next_bytes(stream, pixels_.data(), pixels_.size(), CSSRUN_INTERLEAVED, &status),
      CSSRUN_OK);
  expect_answer(0);
  const cssrun_changed_pixel change = {0, static_cast<uint8_t>(pixels_[0] ^ 0x80)};
  pixels_[0] = change.value;
  ASSERT_EQ(cssrun_stream_next_changes(stream, &change, 1, &status), CSSRUN_OK);
  expect_answer(1);
  EXPECT_EQ(answer.changed_pixels, 1U);
  cssrun_stream_statistics statistics = {};
  statistics.struct_size = sizeof statistics;
  ASSERT_EQ(cssrun_stream_get_statistics(stream, 1, &statistics, &status), CSSRUN_OK);
  EXPECT_GE(statistics.touched, statistics.changed);
  EXPECT_LT(statistics.touched, statistics.neurons);
  EXPECT_EQ(cssrun_stream_get_statistics(stream, 1000, &statistics, &status),
            CSSRUN_INVALID_ARGUMENT);
  cssrun_stream_free(stream);
}

TEST_F(CStreamTest, CountsSynopsWhereTheyAreAskedFor) {
  cssrun_status status;
  for (const int statistics : {0, 1}) {
    cssrun_stream* stream = nullptr;
    cssrun_stream_options options = CSSRUN_STREAM_OPTIONS_INIT;
    options.statistics = statistics;
    ASSERT_EQ(cssrun_stream_create(network_, &options, &stream, &status), CSSRUN_OK);
    ASSERT_EQ(cssrun_stream_next_bytes(stream, pixels_.data(), pixels_.size(), CSSRUN_INTERLEAVED,
                                       &status),
              CSSRUN_OK);
    cssrun_stream_answer answer = {};
    answer.struct_size = sizeof answer;
    ASSERT_EQ(cssrun_stream_get_answer(stream, &answer, &status), CSSRUN_OK);
    EXPECT_GT(answer.changed, 0U);
    EXPECT_EQ(answer.synops > 0 && answer.updates > 0, statistics == 1);
    cssrun_stream_free(stream);
  }
}

TEST_F(CStreamTest, CancelsAndResets) {
  cssrun_status status;
  cssrun_stream* stream = nullptr;
  ASSERT_EQ(cssrun_stream_create(network_, nullptr, &stream, &status), CSSRUN_OK);
  const auto next = [&] {
    return cssrun_stream_next_bytes(stream, pixels_.data(), pixels_.size(), CSSRUN_INTERLEAVED,
                                    &status);
  };
  cssrun_stream_cancel(stream, 1);
  EXPECT_EQ(next(), CSSRUN_CANCELLED);
  cssrun_stream_cancel(stream, 0);
  EXPECT_EQ(next(), CSSRUN_OK);
  cssrun_stream_reset(stream);
  const cssrun_changed_pixel change = {0, 1};
  EXPECT_EQ(cssrun_stream_next_changes(stream, &change, 1, &status), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(cssrun_stream_next_bytes(stream, pixels_.data(), 1, CSSRUN_INTERLEAVED, &status),
            CSSRUN_INVALID_ARGUMENT);
  cssrun_stream_free(stream);
  cssrun_stream_free(nullptr);
}

TEST_F(CStreamTest, RefusesWhatItCannotRun) {
  cssrun_status status;
  cssrun_network* events = Load(oracle::ChainNetwork(3, 12, 1.5F, 2));
  ASSERT_NE(events, nullptr);
  cssrun_stream* stream = nullptr;
  EXPECT_EQ(cssrun_stream_create(events, nullptr, &stream, &status), CSSRUN_INVALID_ARGUMENT);
  EXPECT_NE(std::string(status.message).find("--beta 2"), std::string::npos) << status.message;
  EXPECT_EQ(stream, nullptr);
  cssrun_network_free(events);
}

}  // namespace
}  // namespace cssrun
