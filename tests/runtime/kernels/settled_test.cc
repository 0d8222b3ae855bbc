// Settled neurons against their plain twins: potentials, pools, digits.
#include "runtime/integer/neurons/settled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "runtime/integer/kernels/fan_out.h"
#include "runtime/integer/kernels/fan_out_reference.h"
#include "runtime/integer/neurons/reference.h"
#include "runtime/neuron/settled.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/settled_case.h"

namespace cssrun::internal {
namespace {

// Lanes of the map equal, and those before the first column as they were.
void ExpectSameRow(const MembraneLayout& layout, size_t row, const std::vector<int16_t>& start,
                   const std::vector<int16_t>& expected, const int16_t* actual) {
  const size_t lanes = size_t{layout.columns} * layout.lanes.lanes;
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    const size_t first = layout.RowAt(block, row);
    for (size_t i = first; i < first + lanes; ++i) {
      ASSERT_EQ(actual[i], expected[i]) << "block " << block << ", row " << row << ", lane "
                                        << i - first << ", before " << start[i];
    }
    ASSERT_TRUE(std::equal(actual + first - layout.guard_lanes, actual + first,
                           &start[first - layout.guard_lanes]));
  }
}

TEST(SettledNeuronsTest, PotentialsAreTheirPlainTwin) {
  std::map<std::string, int> reached;
  uint32_t seed = 0;
  for (const NeuronShape& shape : NeuronShapes()) {
    ++seed;
    SCOPED_TRACE(Describe(shape) + ", seed " + std::to_string(seed));
    const SettledCase made(shape, seed);
    const MembraneLayout& layout = made.layout;
    ++reached[made.rectify ? "rectify" : "signed"];
    ++reached[made.inputs(0).floats != nullptr ? "floats" : "no floats"];
    ++reached["shortcuts " + std::to_string(made.inputs(0).shortcut_count)];
    std::vector<int16_t> expected = made.membranes;
    for (size_t row = 0; row < layout.rows; ++row) {
      RoundPotentialsReference(made.row(expected.data()), made.inputs(row), row);
    }
    ForEveryInstructionSet([&] {
      if (HasFailure()) return;
      Guarded<int16_t> actual{std::span<const int16_t>(made.membranes)};
      for (size_t row = 0; row < layout.rows; ++row) {
        RoundPotentials(made.row(actual.data()), made.inputs(row), row);
        ASSERT_NO_FATAL_FAILURE(
            ExpectSameRow(layout, row, made.membranes, expected, actual.data()));
      }
      EXPECT_TRUE(actual.intact());
    });
    if (HasFailure()) return;
  }
  for (const char* kind :
       {"rectify", "signed", "floats", "no floats", "shortcuts 0", "shortcuts 1", "shortcuts 4"}) {
    EXPECT_GE(reached[kind], 10) << kind;
  }
}

TEST(SettledNeuronsTest, PoolsAreTheirPlainTwin) {
  int pooled = 0;
  std::mt19937 generator(1);
  for (const NeuronShape& shape : NeuronShapes()) {
    SCOPED_TRACE(Describe(shape));
    const LayerPools pools = SettledPoolsOf(shape);
    if (!pools.pooled()) continue;
    ++pooled;
    const MembraneLayout layout = MembranesOf(shape, pools);
    const std::vector<int16_t> start = RandomMembranes(layout, -32768, 32767, generator);
    const std::vector<int16_t> room(PooledRowLayout(layout, pools).size(), int16_t{77});
    for (size_t row = 0; row < pools.rows; ++row) {
      std::vector<int16_t> expected = room;
      PoolPotentialsReference(layout, pools, start.data(), row, expected.data());
      ForEveryInstructionSet([&] {
        Guarded<int16_t> actual{std::span<const int16_t>(room)};
        PoolPotentials(layout, pools, start.data(), row, actual.data());
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), actual.data()));
        EXPECT_TRUE(actual.intact());
      });
    }
    if (HasFailure()) return;
  }
  EXPECT_GE(pooled, 30);
}

// Spikes of all T steps and levels, of rows in a frame that holds something else before.
struct Digits {
  Digits(const SettledCase& made, uint32_t timesteps, const LevelLayout& layout, bool has_levels)
      : levels(made.pools.rows, layout) {
    const size_t neurons = made.pools.columns * made.layout.lanes.stride();
    for (uint32_t k = 0; k < timesteps; ++k) steps.emplace_back(made.pools.rows, neurons);
    for (SpikeFrame& spikes : steps) {
      std::fill(spikes.words.begin(), spikes.words.end(), 0xA5A5A5A5A5A5A5A5U);
      pointers.push_back(&spikes);
    }
    std::fill(levels.levels.begin(), levels.levels.end(), uint8_t{77});
    target.spikes = pointers.data();
    target.levels = has_levels ? &levels : nullptr;
    target.timesteps = timesteps;
    target.columns = made.pools.columns;
  }

  std::vector<SpikeFrame> steps;
  std::vector<SpikeFrame*> pointers;
  LevelFrame levels;
  DigitsTarget target;
};

// Levels without digits are the same levels, and the rule knows how many digits each has.
void ExpectLevelsAlone(const SettledCase& made, const LevelRule& rule,
                       std::vector<int16_t>& membranes, const Digits& digits) {
  const LevelLayout& layout = digits.levels.layout;
  const auto write = [&](const auto& write_levels) {
    LevelFrame levels(made.pools.rows, layout);
    std::fill(levels.levels.begin(), levels.levels.end(), uint8_t{77});
    const LevelsTarget target{&rule, &levels, made.pools.columns};
    for (size_t row = 0; row < made.pools.rows; ++row) {
      write_levels(made.row(membranes.data()), target, row, row);
    }
    EXPECT_EQ(levels.levels, digits.levels.levels);
  };
  write(WriteLevelsReference);
  ForEveryInstructionSet([&] { write(WriteLevels); });
  const size_t neurons = made.pools.columns * made.layout.lanes.stride();
  std::vector<uint32_t> expected(made.pools.rows, 0);
  for (SpikeFrame spikes : digits.steps) {
    CountSpikesReference(spikes);
    for (size_t row = 0; row < expected.size(); ++row) expected[row] += spikes.counts[row];
  }
  ForEveryInstructionSet([&] {
    std::vector<uint32_t> counts(made.pools.rows, 99);
    CountLevelSpikes(digits.levels, rule, neurons, counts);
    EXPECT_EQ(counts, expected);
  });
}

TEST(SettledNeuronsTest, DigitsAreTheirPlainTwin) {
  std::map<std::string, int> reached;
  int rules = 0;
  uint32_t seed = 0;
  for (const NeuronShape& shape : NeuronShapes()) {
    for (int variant = 0; variant < 3; ++variant) {
      ++seed;
      SCOPED_TRACE(Describe(shape) + ", seed " + std::to_string(seed));
      const uint32_t timesteps = seed / 4 % kLongestSettledTrain + 1;
      NeuronShape unpooled = shape;
      unpooled.pool.reset();
      SettledCase made(unpooled, seed);
      made.SetTimesteps(timesteps, seed % 3 == 0 ? 0.667 : seed % 3 == 1 ? 0.75 : 0.5);
      // Levels of 8 steps fit bytes where neurons rectify or have limits.
      const bool limited = seed % 11 < 4 || (timesteps == 8 && !made.rectify);
      if (limited) made.SetLimits(-100, std::min(155, (1 << timesteps) - 1));
      if (limited) ++reached["limits"];
      std::vector<int16_t> membranes = made.membranes;
      ++reached[std::to_string(timesteps) + " steps" + (made.rectify ? ", rectify" : "")];
      LevelLayout layout;
      layout.before = seed % 3 * 16;
      layout.zero = made.rectify ? 0 : limited ? 100 : 128;
      layout.row_size = static_cast<uint32_t>(
          layout.before + RoundUpToLines(made.pools.columns * made.layout.lanes.stride()) + 8);
      const bool has_levels = seed % 4 != 0;
      Digits expected(made, timesteps, layout, has_levels);
      expected.target.negative_spikes = seed % 5 != 0;
      for (size_t row = 0; row < made.pools.rows; ++row) {
        WriteDigitsReference(made.row(membranes.data()), expected.target, row, row);
      }
      ForEveryInstructionSet([&] {
        if (HasFailure()) return;
        Digits actual(made, timesteps, layout, has_levels);
        actual.target.negative_spikes = expected.target.negative_spikes;
        for (size_t row = 0; row < made.pools.rows; ++row) {
          WriteDigits(made.row(membranes.data()), actual.target, row, row);
        }
        for (uint32_t k = 0; k < timesteps; ++k) {
          ASSERT_EQ(actual.steps[k].words, expected.steps[k].words) << "spike index " << k;
        }
        ASSERT_EQ(actual.levels.levels, expected.levels.levels);
      });
      if (HasFailure()) return;
      if (!has_levels) continue;
      const std::optional<LevelRule> rule = FindLevelRule(
          made.neurons, {timesteps, made.rectify, expected.target.negative_spikes, layout.zero});
      if (!rule.has_value()) continue;
      ++rules;
      ExpectLevelsAlone(made, *rule, membranes, expected);
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(rules, 100);
  EXPECT_GE(reached["limits"], 50);
  for (uint32_t timesteps = 1; timesteps <= kLongestSettledTrain; ++timesteps) {
    for (const char* rectify : {"", ", rectify"}) {
      EXPECT_GE(reached[std::to_string(timesteps) + " steps" + rectify], 10) << timesteps;
    }
  }
}

}  // namespace
}  // namespace cssrun::internal
