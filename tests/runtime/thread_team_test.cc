#include "runtime/engine/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tbb/global_control.h"
#include "tbb/info.h"
#include "tbb/task_arena.h"

namespace cssrun::internal {
namespace {

// Loops of different length, each of which reads what the one before wrote.
void RunLoops(ThreadTeam& team, int loops) {
  constexpr uint32_t kMostParts = 17;
  std::vector<uint64_t> before(kMostParts, 1);
  std::vector<uint64_t> after(kMostParts);
  uint64_t expected = 1;
  for (int loop = 0; loop < loops; ++loop) {
    const uint32_t parts = static_cast<uint32_t>(loop * 7) % kMostParts + 1;
    after = before;
    team.ForEach(parts, [&](uint32_t part) {
      ASSERT_LT(team.thread(), team.threads());
      after[part] = before[part] + 1;
    });
    // Each part was called once, and all had returned.
    for (uint32_t p = 0; p < kMostParts; ++p) {
      ASSERT_EQ(after[p], expected + (p < parts ? 1 : 0)) << "loop " << loop << " part " << p;
    }
    ++expected;
    before.assign(kMostParts, expected);
  }
}

class ThreadTeamSizesTest : public testing::TestWithParam<unsigned> {};

TEST_P(ThreadTeamSizesTest, CallsEveryPartOnceBeforeTheLoopReturns) {
  ThreadTeam team(GetParam());
  for (int image = 0; image < 50; ++image) team.Run([&] { RunLoops(team, 40); });
}

// More than the 16 bits of a share count.
TEST_P(ThreadTeamSizesTest, CallsManyPartsOnce) {
  for (const uint32_t parts : {65'535U, 65'536U, 200'003U}) {
    ThreadTeam team(GetParam());
    std::vector<std::atomic<uint8_t>> calls(parts);
    team.Run([&] { team.ForEach(parts, [&](uint32_t part) { ++calls[part]; }); });
    for (const auto& called : calls) ASSERT_EQ(called, 1);
  }
}

TEST_P(ThreadTeamSizesTest, ReturnsWhatItRan) {
  ThreadTeam team(GetParam());
  EXPECT_EQ(team.Run([] { return 7; }), 7);
}

// More threads than cores are allowed.
INSTANTIATE_TEST_SUITE_P(Threads, ThreadTeamSizesTest, testing::Values(1, 2, 3, 16));

TEST(ThreadTeamTest, OtherThreadsTakeParts) {
  ThreadTeam team(2);
  std::atomic<int> inside = 0;
  bool met = false;
  team.Run([&] {
    // Each part waits for the other: one thread alone would take them one after the other.
    team.ForEach(2, [&](uint32_t part) {
      ++inside;
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
      while (inside < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      if (part == 0) met = inside == 2;
    });
  });
  EXPECT_TRUE(met);
}

TEST(ThreadTeamTest, HelpersSleepThroughLongSerialWork) {
  ThreadTeam team(2);
  std::atomic<int> calls = 0;
  team.Run([&] {
    for (int loop = 0; loop < 4; ++loop) {
      team.ForEach(2, [&](uint32_t) { ++calls; });
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(calls, 8);
}

TEST(ThreadTeamTest, AnExceptionBetweenLoopsEndsTheHelpers) {
  ThreadTeam team(3);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THROW(team.Run([&] {
      RunLoops(team, 3);
      if (team.threads() == 3) throw std::runtime_error("stop");
      return 0;
    }),
                 std::runtime_error);
    team.Run([&] { RunLoops(team, 3); });
  }
}

// oneTBB obeys the smallest of its controls.
TEST(ThreadTeamTest, TheLargestTeamDecidesHowManyThreadsThereMayBe) {
  const auto allowed = [] {
    return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  };
  const auto cores = static_cast<unsigned>(tbb::info::default_concurrency());
  const size_t before = allowed();
  {
    const ThreadTeam few(cores + 1);
    EXPECT_EQ(allowed(), cores + 1);
    {
      ThreadTeam many(cores + 3);
      EXPECT_EQ(allowed(), cores + 3);
      const ThreadTeam two(2);
      EXPECT_EQ(allowed(), cores + 3);
      many.Run([&] { RunLoops(many, 40); });
    }
    EXPECT_EQ(allowed(), cores + 1);
  }
  EXPECT_EQ(allowed(), before);
}

TEST(ThreadTeamTest, UsesTheArenaItIsIn) {
  ThreadTeam team(2);
  tbb::task_arena arena(2);
  arena.execute([&] { team.Run([&] { RunLoops(team, 40); }); });
  const AllowedThreads allowed(5);  // or oneTBB warns, on fewer cores
  tbb::task_arena larger(5);
  larger.execute([&] { team.Run([&] { RunLoops(team, 40); }); });
}

}  // namespace
}  // namespace cssrun::internal
