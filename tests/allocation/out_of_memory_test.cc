// Lets memory run out at every allocation of loading and running. Both must report it, leak
// nothing, and work again once there is memory.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "cssrun/c.h"
#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/allocation/malloc_hooks.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

struct Attempt {
  cssrun_code code = CSSRUN_INTERNAL;
  cssrun_status status = {};
  float first_logit = 0;
};

// Does everything from the file to the answer, through the C interface.
Attempt Try(const flatbuffers::DetachedBuffer& bytes, cssrun_engine engine,
            const std::vector<uint8_t>& pixels, const std::vector<float>& floats,
            const std::vector<cssrun_event>& events, uint64_t successes) {
  Attempt attempt;
  cssrun_network* network = nullptr;
  cssrun_session* session = nullptr;
  cssrun_load_options load = CSSRUN_LOAD_OPTIONS_INIT;
  load.engine = engine;
  const cssrun_record_request record = {1, 1, 1};
  cssrun_session_options options = CSSRUN_SESSION_OPTIONS_INIT;
  options.record = &record;
  options.record_count = 1;
  fail_from = successes;
  attempt.code = cssrun_network_from_memory(bytes.data(), bytes.size(), "network", &load, &network,
                                            &attempt.status);
  if (attempt.code == CSSRUN_OK) {
    attempt.code = cssrun_session_create(network, &options, &session, &attempt.status);
  }
  if (attempt.code == CSSRUN_OK) {
    attempt.code = cssrun_session_run_floats(session, floats.data(), floats.size(),
                                             CSSRUN_INTERLEAVED, &attempt.status);
  }
  if (attempt.code == CSSRUN_OK) {
    attempt.code =
        cssrun_session_run_events(session, events.data(), events.size(), &attempt.status);
  }
  if (attempt.code == CSSRUN_OK) {
    attempt.code = cssrun_session_run_bytes(session, pixels.data(), pixels.size(),
                                            CSSRUN_INTERLEAVED, &attempt.status);
  }
  fail_from = kNever;
  cssrun_answer answer = {};
  answer.struct_size = sizeof answer;
  if (attempt.code == CSSRUN_OK &&
      cssrun_session_get_answer(session, &answer, nullptr) == CSSRUN_OK) {
    attempt.first_logit = answer.logits[0];
  }
  cssrun_session_free(session);
  cssrun_network_free(network);
  return attempt;
}

class OutOfMemoryTest : public testing::TestWithParam<cssrun_engine> {};

TEST_P(OutOfMemoryTest, WhereverItRunsOut) {
  if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot fail here";
  for (const uint32_t seed : {2U, 7U, 11U}) {
    SCOPED_TRACE(seed);
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, 1);
    const std::vector<float> floats(pixels.size(), 0.5F);
    std::vector<cssrun_event> events;
    for (uint32_t i = 0; i < pixels.size(); ++i) events.push_back({0, i, 1});
    const Attempt whole = Try(bytes, GetParam(), pixels, floats, events, kNever);
    ASSERT_EQ(whole.code, CSSRUN_OK) << whole.status.message;
    const int64_t before = held;
    uint64_t successes = 0;
    for (;; ++successes) {
      const Attempt attempt = Try(bytes, GetParam(), pixels, floats, events, successes);
      ASSERT_EQ(held, before) << "a leak after " << successes << " allocations";
      if (attempt.code == CSSRUN_OK) {
        EXPECT_EQ(attempt.first_logit, whole.first_logit);
        break;
      }
      ASSERT_EQ(attempt.code, CSSRUN_OUT_OF_MEMORY) << attempt.status.message;
      ASSERT_NE(std::strstr(attempt.status.message, "memory"), nullptr) << attempt.status.message;
    }
    EXPECT_GT(successes, 50U);
  }
}

TEST(BatchOutOfMemoryTest, NoRoomForTheSessionsIsAStatus) {
  if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot fail here";
  const format::NetworkT description = oracle::RandomNetwork(7);
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "network");
  ASSERT_TRUE(network.ok());
  const std::vector<uint8_t> image = oracle::RandomPixels(description, 1);
  // Allows one session and half of the other's allocations, so that the second one cannot be made.
  const uint64_t before = allocations;
  { const Session session(network.value()); }
  const uint64_t of_a_session = allocations - before;
  ASSERT_GT(of_a_session, 10U);
  for (uint64_t successes = 0; successes < 2 * of_a_session; ++successes) {
    bool loaded = false;
    fail_from = successes;
    const Status status = RunImages(
        network.value(), {}, 4, 2,
        [&](size_t, std::vector<uint8_t>& pixels) {
          fail_from = kNever;
          loaded = true;
          pixels = image;
          return Status::Ok();
        },
        [](size_t, const ImageOutcome&) { return true; });
    fail_from = kNever;
    ASSERT_EQ(status.code(), StatusCode::kOutOfMemory) << successes;
    ASSERT_FALSE(loaded);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, OutOfMemoryTest,
                         testing::Values(CSSRUN_ENGINE_INTEGER, CSSRUN_ENGINE_FLOAT));

}  // namespace
}  // namespace cssrun
