// Checks which frames a stream runs whole.
#include "runtime/stream/whole_frames.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace cssrun::internal {
namespace {

constexpr double kMuch = 0.95;
constexpr double kLittle = 0.5;

// Changes at every `distance`th position of a picture.
PositionBits Spread(size_t distance) {
  PositionBits bits(30, 100);
  for (size_t i = 0; i < bits.rows() * bits.columns(); i += distance) {
    bits.Set(i / bits.columns(), i % bits.columns());
  }
  return bits;
}
// As many changes as Spread(2) has, side by side.
PositionBits HalfOfThePicture() {
  PositionBits bits(30, 100);
  for (size_t row = 0; row < bits.rows() / 2; ++row) bits.SetRow(row);
  return bits;
}

TEST(WholeFramesTest, ComparesAFrameAndThenRunsItsLikeWhole) {
  WholeFrames frames;
  EXPECT_FALSE(frames.Takes(Spread(2)));
  frames.Compared(kMuch);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < WholeFrames::kCompareAgain; ++i) EXPECT_TRUE(frames.Takes(Spread(2)));
    EXPECT_FALSE(frames.Takes(Spread(2)));  // whether it has become calm
    frames.Compared(kMuch);
  }
  EXPECT_TRUE(frames.Takes(Spread(2)));
  frames.Reset();
  EXPECT_FALSE(frames.Takes(Spread(2)));
}

TEST(WholeFramesTest, ComparesWhatTakesLittle) {
  WholeFrames frames;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(frames.Takes(Spread(2)));
    frames.Compared(kLittle);
  }
  EXPECT_FALSE(frames.Takes(Spread(2)));
  frames.Compared(WholeFrames::kBreakEven);
  EXPECT_TRUE(frames.Takes(Spread(2)));
}

TEST(WholeFramesTest, TellsNoiseFromAnObject) {
  WholeFrames frames;
  EXPECT_FALSE(frames.Takes(Spread(2)));
  frames.Compared(kMuch);
  EXPECT_FALSE(frames.Takes(HalfOfThePicture()));
  frames.Compared(kLittle);
  EXPECT_FALSE(frames.Takes(PositionBits(30, 100)));
  frames.Compared(0);
  EXPECT_TRUE(frames.Takes(Spread(2)));
  EXPECT_TRUE(frames.Takes(Spread(3)));  // its groups of 8 have a change each, too
  EXPECT_FALSE(frames.Takes(Spread(40)));
}

// In a small map, one pixel may touch nearly everything, but no pixel touches nothing.
TEST(WholeFramesTest, NeverTakesAStillFrame) {
  WholeFrames frames;
  EXPECT_FALSE(frames.Takes(Spread(3000)));
  frames.Compared(kMuch);
  EXPECT_TRUE(frames.Takes(Spread(3000)));
  EXPECT_FALSE(frames.Takes(PositionBits(30, 100)));
}

}  // namespace
}  // namespace cssrun::internal
