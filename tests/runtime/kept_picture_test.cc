// The picture that a stream works with, against the hold in plain code: pixels of all widths,
// orders and instruction sets, and lists of changes.
#include "runtime/stream/kept_picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "format/geometry.h"
#include "tests/oracle/network_parts.h"
#include "tests/runtime/hold.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/stream_frames.h"

namespace cssrun::internal {
namespace {

// Pixels near those of `frame`, so that some leave the hold and some do not.
void MoveSome(oracle::Draw& draw, std::vector<uint8_t>& frame) {
  for (uint8_t& value : frame) {
    if (draw.Integer(0, 2) != 0) continue;
    value = static_cast<uint8_t>(std::clamp(int{value} + draw.Integer(-30, 30), 0, 255));
  }
}

struct Expected {
  std::vector<uint8_t> held;
  std::vector<bool> changed;  // by position
  uint64_t numbers = 0;
};

Expected After(const std::vector<uint8_t>& before, const std::vector<uint8_t>& frame, unsigned hold,
               size_t channels) {
  Expected expected;
  expected.held = before;
  Hold(hold, channels, frame, expected.held);
  expected.changed.resize(before.size() / channels);
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == expected.held[i]) continue;
    expected.changed[i / channels] = true;
    ++expected.numbers;
  }
  return expected;
}

void ExpectSame(const KeptPicture& picture, const Expected& expected, size_t width) {
  EXPECT_TRUE(std::ranges::equal(picture.input().bytes, expected.held));
  EXPECT_EQ(picture.changed_numbers(), expected.numbers);
  for (size_t i = 0; i < expected.changed.size(); ++i) {
    ASSERT_EQ(picture.changed().Get(i / width, i % width), expected.changed[i]) << "position " << i;
  }
}

TEST(KeptPictureTest, TakesWhatLeavesTheHold) {
  uint64_t taken = 0;
  uint64_t kept = 0;
  ForEveryInstructionSet([&] {
    oracle::Draw draw(7);
    for (int run = 0; run < 120; ++run) {
      const auto channels = static_cast<uint32_t>(draw.Integer(1, 4));
      const auto width = static_cast<uint32_t>(draw.Integer(1, 300));
      const auto hold = static_cast<unsigned>(run % 4 == 0 ? 0 : draw.Integer(1, 40));
      SCOPED_TRACE(std::to_string(width) + " columns of " + std::to_string(channels) + ", hold " +
                   std::to_string(hold));
      const format::Extent extent(channels, 2, width);
      KeptPicture picture(extent, hold);
      std::vector<uint8_t> frame = RandomFrame(draw, Neurons(extent));
      EXPECT_TRUE(picture.Take({.kind = InputKind::kBytes, .bytes = frame}));
      std::vector<uint8_t> held = frame;
      for (int i = 0; i < 4; ++i) {
        if (i < 3) MoveSome(draw, frame);
        const Expected expected = After(held, frame, hold, channels);
        EXPECT_FALSE(picture.Take({.kind = InputKind::kBytes, .bytes = frame}));
        ExpectSame(picture, expected, width);
        taken += expected.numbers;
        kept += held.size() - expected.numbers;
        held = expected.held;
      }
      if (testing::Test::HasFailure()) return;
    }
  });
  EXPECT_GT(taken, 100'000U);
  EXPECT_GT(kept, 100'000U);
}

TEST(KeptPictureTest, TakesListsAsFrames) {
  oracle::Draw draw(8);
  for (int run = 0; run < 200; ++run) {
    const auto channels = static_cast<uint32_t>(draw.Integer(1, 4));
    const format::Extent extent(channels, 3, 9);
    const auto hold = static_cast<unsigned>(draw.Integer(0, 20));
    KeptPicture picture(extent, hold);
    std::vector<uint8_t> frame = RandomFrame(draw, Neurons(extent));
    picture.Take({.kind = InputKind::kBytes, .bytes = frame});
    const std::vector<uint8_t> before = frame;
    MoveSome(draw, frame);
    std::vector<ChangedPixel> changes;
    const size_t positions = Positions(extent);
    for (size_t i = 0; i < frame.size(); ++i) {
      if (frame[i] == before[i]) continue;
      changes.push_back({static_cast<uint32_t>(i % channels * positions + i / channels), frame[i]});
    }
    picture.Take(changes);
    ExpectSame(picture, After(before, frame, hold, channels), extent.width());
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace cssrun::internal
