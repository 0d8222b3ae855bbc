// What tests of level kernels share that read the levels of long trains: bytes of level + zero, and
// weights of an 8-bit model.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_LONG_TRAINS_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_LONG_TRAINS_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "runtime/integer/kernels/weights.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/settled_case.h"

namespace cssrun::internal {

// What bytes hold that no kernel wrote.
constexpr uint8_t kUntouched = 77;

// The byte of level 0, from which all others reach 0 and 255.
constexpr uint8_t kZeros[] = {0, 128, 100};

inline LevelFrame RandomLongLevels(const ConvolutionCase& made, LevelLayout layout, uint8_t zero,
                                   std::mt19937& generator) {
  layout.zero = zero;
  return RandomLevels(made.shape.source, made.source_lanes, layout, 700, -zero, 255 - zero,
                      generator);
}

// Whole numbers of each target within `spread`, somewhere around 0; scales are 1.
struct WholeWeights {
  WholeWeights(const ConvolutionCase& made, int spread, std::mt19937& generator)
      : scales(made.shape.targets, 1.0) {
    const size_t fan_in = made.synapses().weights()->size() / made.shape.targets;
    for (size_t target = 0; target < made.shape.targets; ++target) {
      const int lowest = std::uniform_int_distribution<int>(-spread, 0)(generator);
      std::uniform_int_distribution<int> units(lowest, lowest + spread);
      for (size_t i = 0; i < fan_in; ++i) weights.push_back(static_cast<float>(units(generator)));
    }
  }
  ScaledWeights scaled() const { return {weights.data(), scales}; }

  std::vector<float> weights;
  std::vector<double> scales;
};

// What a kernel writes, all modes taken together.
struct RowsTarget {
  int16_t* membranes = nullptr;
  float* floats = nullptr;
  uint8_t* levels = nullptr;  // [row][neuron]
};

inline size_t LevelsOfRow(const MembraneLayout& layout) {
  return size_t{layout.columns} * layout.lanes.stride();
}

// Any numbers will do for a twin. Levels of half of the layers fill a byte; those of other
// rectifiers have 5 bits, and byte 0 is the lowest of others no more.
inline LevelRule RuleOf(const SettledCase& settled) {
  const bool fills_byte = settled.layout.columns % 2 == 0;
  LevelRule rule;
  if (settled.rectify && !fills_byte) {
    rule.fraction = SettledFraction(5);
    rule.offset = 127;
    rule.most = 31;
    return rule;
  }
  rule.fraction = fills_byte ? SettledFraction(8) : SettledFraction(7);
  rule.offset = fills_byte ? 32 : 63;
  rule.least = static_cast<int16_t>(settled.rectify ? 0 : fills_byte ? -128 : -100);
  rule.most = static_cast<int16_t>(settled.rectify ? 255 : 127);
  rule.zero = settled.rectify ? 0 : 128;
  return rule;
}

// Runs all rows, `together` at a time: run(targets, first row).
template <class Run>
void RunRowsTogether(const SettledCase& settled, SumMode mode, size_t together, const Run& run,
                     const RowsTarget& to) {
  const MembraneLayout& layout = settled.layout;
  const LevelRule rule = RuleOf(settled);
  const SettledRow of_layer = settled.row(to.membranes);
  std::vector<int32_t> level_sums(layout.columns);
  for (size_t first = 0; first < layout.rows; first += together) {
    const size_t last = std::min<size_t>(layout.rows, first + together);
    std::vector<PotentialInputs> inputs;
    for (size_t row = first; row < last; ++row) inputs.push_back(settled.inputs(row));
    std::vector<LevelTarget> targets;
    for (size_t row = first; row < last; ++row) {
      LevelTarget& target = targets.emplace_back();
      target.settled = &of_layer;
      target.mode = mode;
      target.inputs = &inputs[row - first];
      target.floats = to.floats + layout.MapRowAt(0, row);
      target.levels = to.levels + row * LevelsOfRow(layout);
      target.rule = &rule;
      target.block_floats = size_t{layout.rows} * layout.map_lanes();
      target.level_sums = level_sums.data();
    }
    run(std::span(targets), first);
  }
}

// Runs all rows: run(target, row).
template <class Run>
void RunRows(const SettledCase& settled, SumMode mode, const Run& run, const RowsTarget& to) {
  RunRowsTogether(
      settled, mode, 1,
      [&](std::span<LevelTarget> targets, size_t row) { run(targets.front(), row); }, to);
}

// What a twin makes of a layer.
struct TwinRows {
  template <class Twin>
  TwinRows(const SettledCase& settled, SumMode mode, const Twin& twin)
      : membranes(settled.membranes) {
    std::mt19937 generator(7);
    start = RandomFloats(settled.layout.map_size(), -900, 900, generator);
    floats = start;
    levels.resize(settled.layout.rows * LevelsOfRow(settled.layout), kUntouched);
    RunRows(settled, mode, twin, {membranes.data(), floats.data(), levels.data()});
  }

  std::vector<float> start;  // what the floats were before
  std::vector<int16_t> membranes;
  std::vector<float> floats;
  std::vector<uint8_t> levels;
};

// Compares a kernel that computes `together` rows at a time with its twin on this instruction set.
template <class Kernel>
void ExpectTwinsTogether(const SettledCase& settled, SumMode mode, size_t together,
                         const Kernel& kernel, const TwinRows& expected) {
  const std::vector<float>& start = expected.start;
  Guarded<int16_t> actual{std::span<const int16_t>(settled.membranes)};
  Guarded<float> floats{std::span<const float>(start)};
  const std::vector<uint8_t> untouched(expected.levels.size(), kUntouched);
  Guarded<uint8_t> levels{std::span<const uint8_t>(untouched)};
  RunRowsTogether(settled, mode, together, kernel, {actual.data(), floats.data(), levels.data()});
  const MembraneLayout& layout = settled.layout;
  const size_t used = size_t{layout.columns} * layout.lanes.lanes;
  for (size_t i = 0; i < layout.size(); ++i) {
    const size_t lane = i % layout.row_lanes;
    const bool on_map = lane >= layout.guard_lanes && lane < layout.guard_lanes + used;
    ASSERT_EQ(actual.data()[i], on_map ? expected.membranes[i] : settled.membranes[i])
        << "lane " << i;
  }
  for (size_t i = 0; i < start.size(); ++i) {
    ASSERT_EQ(floats.data()[i], expected.floats[i]) << "float " << i;
  }
  for (size_t i = 0; i < expected.levels.size(); ++i) {
    ASSERT_EQ(levels.data()[i], expected.levels[i]) << "level " << i;
  }
  EXPECT_TRUE(actual.intact());
  EXPECT_TRUE(floats.intact());
  EXPECT_TRUE(levels.intact());
}

// The same for a kernel that computes one row at a time.
template <class Kernel>
void ExpectTwins(const SettledCase& settled, SumMode mode, const Kernel& kernel,
                 const TwinRows& expected) {
  const auto run = [&](std::span<LevelTarget> targets, size_t row) {
    kernel(targets.front(), row);
  };
  ExpectTwinsTogether(settled, mode, 1, run, expected);
}

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_LONG_TRAINS_H_
