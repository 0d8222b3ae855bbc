// Checks that a session allocates nothing after its first image. This is a program of its own,
// since it counts every call of malloc.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/allocation/malloc_hooks.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

class AllocationTest : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot be counted here";
  }
};

std::shared_ptr<const Network> Load(const format::NetworkT& description, EngineKind engine) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  auto network = Network::FromBytes({bytes.data(), bytes.size()}, "random", engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

// `run` is called with a session, the number of an image, and an answer.
template <class Run>
uint64_t AllocationsAfterTheFirst(const std::shared_ptr<const Network>& network,
                                  const SessionOptions& options, Run run) {
  Session session(network, options);
  Answer answer;
  EXPECT_TRUE(run(session, 0, answer).ok());
  const uint64_t before = allocations;
  for (uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(run(session, i, answer).ok());
  return allocations - before;
}

TEST_P(AllocationTest, TheCounterCounts) {
  const uint64_t before = allocations;
  const std::unique_ptr<std::vector<int>> vector = std::make_unique<std::vector<int>>(1000);
  EXPECT_GE(allocations - before, 2U);
}

TEST_P(AllocationTest, NoneAfterTheFirstImage) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const std::shared_ptr<const Network> network = Load(description, GetParam());
    ASSERT_NE(network, nullptr);
    std::vector<std::vector<uint8_t>> images;
    std::vector<std::vector<float>> floats(4);
    for (uint32_t i = 0; i < 4; ++i) {
      images.push_back(oracle::RandomPixels(description, i));
      for (const uint8_t pixel : images[i]) {
        floats[i].push_back(static_cast<float>(pixel) / 255.0F);
      }
    }
    std::vector<InputEvent> events;
    for (uint32_t i = 0; i < images[0].size(); ++i)
      events.push_back({i % 2 % network->timesteps(), i, 1});

    std::vector<SessionOptions> settings(4);
    settings[1].early_exit_margin = 0.1;
    settings[2].keep_readings = true;
    settings[3].on_reading = [](const Reading& reading) { return !reading.logits.empty(); };
    settings[3].time_limit = std::chrono::hours(1);
    settings[3].record = {{0, true, false}, {1, true, true}};
    for (const SessionOptions& options : settings) {
      EXPECT_EQ(AllocationsAfterTheFirst(network, options,
                                         [&](Session& session, uint32_t i, Answer& answer) {
                                           return session.Run(images[i], answer);
                                         }),
                0U);
      EXPECT_EQ(AllocationsAfterTheFirst(network, options,
                                         [&](Session& session, uint32_t i, Answer& answer) {
                                           return session.Run(floats[i], answer);
                                         }),
                0U);
      EXPECT_EQ(AllocationsAfterTheFirst(network, options,
                                         [&](Session& session, uint32_t, Answer& answer) {
                                           return session.Run(events, answer);
                                         }),
                0U);
    }
  }
}

// Frames of all kinds: whole ones, in which little, much or nothing changed, and lists of changes.
TEST(StreamAllocationTest, NoneAfterTheFirstFrame) {
  if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot be counted here";
  for (uint32_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    oracle::RandomOptions random;
    random.settled = true;
    random.direct = seed % 2 == 0;
    const format::NetworkT description = oracle::RandomNetwork(seed, random);
    const std::shared_ptr<const Network> network = Load(description, EngineKind::kInteger);
    ASSERT_NE(network, nullptr);
    StreamOptions options;
    options.hold = seed % 3;
    options.dead_zone = seed % 5 == 0 ? 0.5 : 0;
    Result<Stream> stream = Stream::Create(network, options);
    ASSERT_TRUE(stream.ok()) << stream.status().message();
    std::vector<std::vector<uint8_t>> frames(3, oracle::RandomPixels(description, seed));
    frames[1][0] ^= 0x80;
    frames[2] = oracle::RandomPixels(description, seed + 1);
    const std::vector<ChangedPixel> changes = {{0, 3}, {1, 200}};
    StreamAnswer answer;
    ASSERT_TRUE(stream.value().Next(frames[0], answer).ok());
    const uint64_t before = allocations;
    for (int round = 0; round < 2; ++round) {
      for (const std::vector<uint8_t>& frame : frames) {
        EXPECT_TRUE(stream.value().Next(frame, answer).ok());
      }
      EXPECT_TRUE(stream.value().Next(changes, answer).ok());
      stream.value().Reset();
    }
    EXPECT_EQ(allocations - before, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, AllocationTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
