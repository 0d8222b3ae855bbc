// The C interface of sessions on events.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "cssrun/c.h"
#include "format/network_file.h"
#include "tests/oracle/event_parts.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

class EventsInC : public testing::Test {
 protected:
  void SetUp() override {
    network_ = Load(oracle::SmallEventNetwork());
    ASSERT_EQ(cssrun_event_session_create(network_, nullptr, &session_, &status_), CSSRUN_OK)
        << status_.message;
  }
  void TearDown() override {
    cssrun_event_session_free(session_);
    cssrun_network_free(network_);
  }

  cssrun_network* Load(const format::NetworkT& network) {
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
    cssrun_network* loaded = nullptr;
    EXPECT_EQ(
        cssrun_network_from_memory(bytes.data(), bytes.size(), "net", nullptr, &loaded, &status_),
        CSSRUN_OK)
        << status_.message;
    return loaded;
  }

  cssrun_code Feed(uint64_t first, uint64_t until) {
    std::vector<cssrun_timed_event> events;
    for (uint64_t step = first; step < until; ++step) {
      events.push_back({step, static_cast<uint32_t>(step * 7 % 32), 1});
    }
    return cssrun_event_session_feed(session_, events.data(), events.size(), until, &status_);
  }

  std::vector<float> Logits() {
    std::vector<float> logits(5);
    EXPECT_EQ(cssrun_event_session_read_logits(session_, logits.data(), 5, &status_), CSSRUN_OK);
    return logits;
  }

  cssrun_status status_ = {};
  cssrun_network* network_ = nullptr;
  cssrun_event_session* session_ = nullptr;
};

TEST_F(EventsInC, TheNetworkSaysHowItIsRead) {
  cssrun_event_info info = {};
  info.struct_size = sizeof(info);
  ASSERT_EQ(cssrun_network_get_events(network_, &info, &status_), CSSRUN_OK);
  EXPECT_EQ(info.step_seconds, 0.001);
  EXPECT_EQ(info.readout, CSSRUN_COUNTS);
  EXPECT_EQ(info.assumptions, 1U);
  EXPECT_EQ(info.stepped, 0U);
  EXPECT_EQ(std::string(cssrun_network_event_assumption(network_, 0)).rfind("time", 0), 0U);
  EXPECT_EQ(cssrun_network_event_assumption(network_, 1), nullptr);
  cssrun_network* images = Load(oracle::SmallNetwork());
  EXPECT_EQ(cssrun_network_get_events(images, &info, &status_), CSSRUN_INVALID_ARGUMENT);
  cssrun_event_session* none = nullptr;
  EXPECT_EQ(cssrun_event_session_create(images, nullptr, &none, &status_), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(none, nullptr);
  cssrun_network_free(images);
}

TEST_F(EventsInC, FeedsReadsSavesAndContinues) {
  ASSERT_EQ(Feed(0, 60), CSSRUN_OK) << status_.message;
  EXPECT_EQ(cssrun_event_session_now(session_), 60U);
  const void* bytes = nullptr;
  size_t size = 0;
  ASSERT_EQ(cssrun_event_session_save(session_, &bytes, &size, &status_), CSSRUN_OK);
  const std::vector<uint8_t> saved(static_cast<const uint8_t*>(bytes),
                                   static_cast<const uint8_t*>(bytes) + size);
  ASSERT_EQ(Feed(60, 120), CSSRUN_OK);
  const std::vector<float> whole = Logits();
  EXPECT_GT(whole[0], 0);

  cssrun_event_session_reset(session_);
  EXPECT_EQ(Logits(), std::vector<float>(5, 0));
  ASSERT_EQ(cssrun_event_session_restore(session_, saved.data(), saved.size(), &status_), CSSRUN_OK)
      << status_.message;
  ASSERT_EQ(Feed(60, 120), CSSRUN_OK);
  EXPECT_EQ(Logits(), whole);
  EXPECT_EQ(cssrun_event_session_restore(session_, saved.data(), saved.size() - 1, &status_),
            CSSRUN_INVALID_ARGUMENT);

  std::vector<uint64_t> counts(5);
  std::vector<double> potentials(5);
  EXPECT_EQ(cssrun_event_session_read_counts(session_, 2, counts.data(), 5, &status_), CSSRUN_OK);
  EXPECT_EQ(static_cast<float>(counts[0]), whole[0]);
  EXPECT_EQ(cssrun_event_session_read_potentials(session_, 2, potentials.data(), 5, &status_),
            CSSRUN_OK);
  cssrun_event_statistics statistics = {};
  statistics.struct_size = sizeof(statistics);
  EXPECT_EQ(cssrun_event_session_get_statistics(session_, 0, &statistics, &status_), CSSRUN_OK);
  EXPECT_EQ(statistics.spikes, 120U);
}

TEST_F(EventsInC, WrongUsesAreErrors) {
  EXPECT_EQ(Feed(5, 10), CSSRUN_OK);
  EXPECT_EQ(Feed(3, 20), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(cssrun_event_session_feed(session_, nullptr, 3, 20, &status_), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(cssrun_event_session_feed(nullptr, nullptr, 0, 20, &status_), CSSRUN_INVALID_ARGUMENT);
  float logits[5];
  EXPECT_EQ(cssrun_event_session_read_logits(session_, logits, 4, &status_),
            CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(cssrun_event_session_read_logits(session_, nullptr, 5, &status_),
            CSSRUN_INVALID_ARGUMENT);
  uint64_t counts[5];
  EXPECT_EQ(cssrun_event_session_read_counts(session_, 9, counts, 5, &status_),
            CSSRUN_INVALID_ARGUMENT);
  cssrun_event_statistics statistics = {};
  statistics.struct_size = sizeof(statistics);
  EXPECT_EQ(cssrun_event_session_get_statistics(session_, 3, &statistics, &status_),
            CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(cssrun_event_session_restore(session_, nullptr, 0, &status_), CSSRUN_INVALID_ARGUMENT);
  cssrun_event_session_cancel(session_, 1);
  EXPECT_EQ(Feed(10, 20), CSSRUN_CANCELLED);
  cssrun_event_session_cancel(session_, 0);
  EXPECT_EQ(cssrun_event_session_now(nullptr), 0U);
  cssrun_event_session_reset(nullptr);
  cssrun_event_session_cancel(nullptr, 1);
}

}  // namespace
}  // namespace cssrun
