// Checks that a session allocates nothing after its first image. This is a program of its own,
// since it counts every call of malloc.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/geometry.h"
#include "format/network_file.h"
#include "tests/allocation/malloc_hooks.h"
#include "tests/oracle/event_parts.h"
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

// Spikes of all kinds of steps: silent ones, single events, and more events than there are inputs.
TEST(EventAllocationTest, NoneAfterTheFirstFeed) {
  if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot be counted here";
  format::NetworkT stepped = oracle::SmallEventNetwork();
  stepped.events->nodes[2]->drive = {0.25};
  format::NetworkT delayed = oracle::SmallEventNetwork();
  auto back = std::make_unique<format::EventSynapsesT>(*delayed.events->nodes[2]->synapses[0]);
  back->source = 2;
  back->delay = 1;
  back->pool = nullptr;
  back->window = std::make_unique<format::Window>(format::UnitWindow());
  back->weights.assign(25, 0.25F);
  delayed.events->nodes[2]->synapses.push_back(std::move(back));
  for (const format::NetworkT& description : {oracle::SmallEventNetwork(), stepped, delayed}) {
    const std::shared_ptr<const Network> network = Load(description, EngineKind::kInteger);
    ASSERT_NE(network, nullptr);
    Result<EventSession> session = EventSession::Create(network);
    ASSERT_TRUE(session.ok()) << session.status().message();
    std::vector<TimedEvent> events;
    for (uint32_t i = 0; i < 100; ++i) events.push_back({i / 80 + i / 90 * 1000, i % 32, 1});
    std::vector<float> logits;
    std::vector<double> potentials;
    std::vector<uint64_t> counts;
    std::vector<uint8_t> state;
    const auto feed = [&] {
      const uint64_t from = session.value().now();
      const uint64_t step = events.front().step;
      for (TimedEvent& event : events) event.step += from - step;
      EXPECT_TRUE(session.value().Feed(events, from + 2000).ok());
      EXPECT_TRUE(session.value().Feed({}, from + 4000).ok());
      session.value().ReadLogits(logits);
      EXPECT_TRUE(session.value().ReadPotentials(1, potentials).ok());
      EXPECT_TRUE(session.value().ReadCounts(2, counts).ok());
    };
    feed();
    const uint64_t before = allocations;
    for (int i = 0; i < 5; ++i) feed();
    session.value().Reset();
    feed();
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_GT(session.value().layers()[2].spikes, 0U);
    session.value().Save(state);
    EXPECT_TRUE(session.value().Restore(state).ok());
    const int64_t held_before = held;
    for (int i = 0; i < 5; ++i) {
      session.value().Save(state);
      EXPECT_TRUE(session.value().Restore(state).ok());
    }
    EXPECT_EQ(held, held_before);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, AllocationTest,
                         testing::Values(EngineKind::kInteger, EngineKind::kFloat));

}  // namespace
}  // namespace cssrun
