// Counts silence on maps that are small enough to count by hand.
#include "bench/networks/silence.h"

#include <gtest/gtest.h>

#include <numeric>

namespace cssrun::bench {
namespace {

using internal::LevelConv;
using internal::LevelFrame;
using internal::LevelLayout;

constexpr uint32_t kChannels = 8;

// All levels are silent.
LevelFrame Frame(uint32_t rows, uint32_t columns, uint8_t zero = 0) {
  return {rows, LevelLayout{.before = 0, .row_size = columns * kChannels, .zero = zero}};
}

LevelMap MapOf(const LevelFrame& frame) {
  const uint32_t columns = frame.layout.row_size / kChannels;
  const auto rows = static_cast<uint32_t>(frame.levels.size() / frame.layout.row_size);
  return {&frame, format::Extent(kChannels, rows, columns), kChannels};
}

LevelConv Kernel(int32_t kernel, int32_t stride, uint32_t targets) {
  LevelConv conv;
  const int32_t pad = kernel / 2;
  conv.window = format::Window(kernel, kernel, stride, stride, pad, pad, pad, pad, 1, 1);
  conv.targets = targets;
  return conv;
}

KernelSilence Count(const LevelConv& kernel, const LevelFrame& frame, uint32_t target_columns,
                    std::vector<uint32_t> order, size_t together = internal::kQuad) {
  KernelSilence silence;
  const LevelMap map = MapOf(frame);
  AddSilence(kernel, map, format::Extent(1, map.extent.height(), target_columns), order, together,
             silence);
  return silence;
}

std::vector<uint32_t> AsIs() {
  std::vector<uint32_t> order(kChannels);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

void ExpectShare(const Share& share, uint64_t silent, uint64_t all) {
  EXPECT_EQ(share.silent, silent);
  EXPECT_EQ(share.all, all);
}

TEST(SilenceTest, CountsLevelsPositionsAndRows) {
  for (const uint8_t zero : {uint8_t{0}, uint8_t{128}}) {
    LevelFrame frame = Frame(2, 3, zero);
    frame.Row(0)[kChannels + 5] = static_cast<uint8_t>(zero + 1);
    MapSilence silence;
    AddSilence(MapOf(frame), silence);
    ExpectShare(silence.levels, 47, 48);
    ExpectShare(silence.positions, 5, 6);
    ExpectShare(silence.rows, 1, 2);
  }
}

// 20 columns of 32 targets are tiles of 7, 7 and 6; with three taps the first two read column 7.
TEST(SilenceTest, AQuadIsSilentWhereAllColumnsOfTheTileAre) {
  LevelFrame frame = Frame(1, 20);
  frame.Row(0)[7 * kChannels + 5] = 1;
  const KernelSilence silence = Count(Kernel(3, 1, 32), frame, 20, AsIs());
  ExpectShare(silence.quads, 39, 40);
  ExpectShare(silence.tile_quads, 4, 6);
  // Tiles of 8 and 8 columns and 4 of 16 targets, one tap: only the first reads it.
  ExpectShare(Count(Kernel(1, 1, 16), frame, 20, AsIs()).tile_quads, 3, 4);
}

TEST(SilenceTest, EachRowOfTheKernelCounts) {
  LevelFrame frame = Frame(3, 4);
  frame.Row(0)[0] = 1;
  // 2, 3 and 2 rows of the kernel lie on the map; two target rows read the first row.
  ExpectShare(Count(Kernel(3, 1, 32), frame, 4, AsIs()).tile_quads, 12, 14);
}

TEST(SilenceTest, ColumnsThatAStrideLeavesOutDontMatter) {
  LevelFrame frame = Frame(1, 8);
  for (size_t column = 1; column < 8; column += 2) frame.Row(0)[column * kChannels] = 1;
  ExpectShare(Count(Kernel(1, 2, 32), frame, 4, AsIs()).tile_quads, 2, 2);
}

TEST(SilenceTest, AnOrderByRatePutsActiveChannelsTogether) {
  LevelFrame frame = Frame(1, 4);
  for (const size_t channel : {1, 6}) frame.Row(0)[channel] = 1;
  const std::vector<uint64_t> sent = {0, 1, 0, 0, 0, 0, 1, 0};
  const std::vector<uint32_t> order = OrderByRate(sent);
  EXPECT_EQ(order, (std::vector<uint32_t>{1, 6, 0, 2, 3, 4, 5, 7}));
  const LevelConv kernel = Kernel(1, 1, 32);
  ExpectShare(Count(kernel, frame, 4, AsIs()).tile_quads, 0, 2);
  ExpectShare(Count(kernel, frame, 4, order).tile_quads, 1, 2);
  ExpectShare(Count(kernel, frame, 4, AsIs(), 1).tile_quads, 6, 8);  // no order is better
}

}  // namespace
}  // namespace cssrun::bench
