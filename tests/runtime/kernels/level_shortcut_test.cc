// LevelShortcut against its plain twin.
#include "runtime/integer/kernels/level_shortcut/level_shortcut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "runtime/integer/kernels/level_shortcut/reference.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"

namespace cssrun::internal {
namespace {

TEST(LevelShortcutTest, IsItsPlainTwin) {
  uint32_t seed = 0;
  uint64_t changed = 0;
  for (const ConvolutionShape& shape : LevelShortcutShapes()) {
    SCOPED_TRACE(Describe(shape));
    const ConvolutionCase made = IdentityCase(shape);
    const MembraneLayout& layout = made.membranes;
    const LevelShortcut kernel = MakeLevelShortcut(made);
    for (const uint32_t permille : {0, 300, 1000}) {
      std::mt19937 generator(++seed);
      LevelLayout layout_of_levels = LevelLayoutOf(made);
      layout_of_levels.zero = seed % 2 == 0 ? 64 : 128;
      const LevelFrame levels = RandomLevels(shape.source, made.source_lanes, layout_of_levels,
                                             permille, -63, 63, generator);
      const std::vector<float> start = RandomFloats(layout.map_size(), -9000, 9000, generator);
      std::vector<float> expected = start;
      for (size_t row = 0; row < layout.rows; ++row) {
        AddLevelShortcutReference(ShortcutShapeOf(made), shape.window, kernel.weight, levels,
                                  layout, row, expected.data());
      }
      for (size_t i = 0; i < start.size(); ++i) changed += start[i] != expected[i];
      ForEveryInstructionSet([&] {
        Guarded<float> actual{std::span<const float>(start)};
        for (size_t row = 0; row < layout.rows; ++row) {
          AddLevelShortcut(kernel, levels, layout, row, actual.data());
        }
        // What is beside the map, too.
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), actual.data()));
        EXPECT_TRUE(actual.intact());
      });
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(changed, 150'000U);
}

// Levels that are copied bring what is added, at every column, and level 0 where no source is.
TEST(LevelShortcutTest, CopiesWhatItAdds) {
  uint32_t seed = 0;
  uint64_t copied = 0;
  for (const ConvolutionShape& shape : LevelShortcutShapes()) {
    SCOPED_TRACE(Describe(shape));
    const ConvolutionCase made = IdentityCase(shape);
    const MembraneLayout& layout = made.membranes;
    const LevelShortcut kernel = MakeLevelShortcut(made);
    if (!CanCopy(kernel, layout.lanes)) continue;
    std::mt19937 generator(++seed);
    LevelLayout layout_of_levels = LevelLayoutOf(made);
    layout_of_levels.zero = seed % 2 == 0 ? 64 : 128;
    const LevelFrame levels =
        RandomLevels(shape.source, made.source_lanes, layout_of_levels, 600, -63, 63, generator);
    const size_t stride = layout.lanes.stride();
    for (size_t row = 0; row < layout.rows; ++row) {
      std::vector<float> expected(layout.map_size());
      AddLevelShortcutReference(ShortcutShapeOf(made), shape.window, 1, levels, layout, row,
                                expected.data());
      // Some columns, and others stay as they are.
      const uint32_t first = layout.columns / 3;
      const std::vector<uint8_t> untouched(layout.columns * stride, uint8_t{99});
      Guarded<uint8_t> row_levels{std::span<const uint8_t>(untouched)};
      CopyLevelShortcut(kernel, levels, layout, row, {first, layout.columns}, row_levels.data());
      for (size_t i = 0; i < untouched.size(); ++i) {
        const size_t column = i / stride;
        const size_t block = i % stride / layout.lanes.lanes;
        const size_t lane = column * layout.lanes.lanes + i % layout.lanes.lanes;
        const float level = expected[layout.MapRowAt(block, row) + lane];
        const float byte = column < first ? 99 : level + static_cast<float>(layout_of_levels.zero);
        ASSERT_EQ(static_cast<float>(row_levels.data()[i]), byte)
            << "row " << row << ", byte " << i;
        copied += level != 0;
      }
      EXPECT_TRUE(row_levels.intact());
    }
  }
  EXPECT_GT(copied, 10'000U);
}

}  // namespace
}  // namespace cssrun::internal
