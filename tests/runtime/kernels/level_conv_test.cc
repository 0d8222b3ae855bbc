// LevelConv against its plain twin.
#include "runtime/integer/kernels/level_conv/level_conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "runtime/aligned.h"
#include "runtime/integer/kernels/level_conv/reference.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/settled_case.h"
#include "tests/runtime/kernels/event_comparison.h"
#include "tests/runtime/kernels/long_trains.h"

namespace cssrun::internal {
namespace {

struct Work {
  const LevelConv& kernel;
  const LevelFrame& levels;
  const SettledCase& settled;
  SumMode mode;
};

LevelTarget TargetOf(const Work& work, const SettledRow& row, const PotentialInputs& inputs) {
  return {&row, work.mode, &inputs};
}

void ExpectRows(const Work& work, const std::vector<int16_t>& expected) {
  const MembraneLayout& layout = work.settled.layout;
  const std::vector<int16_t>& start = work.settled.membranes;
  Guarded<int16_t> actual{std::span<const int16_t>(start)};
  const SumLevelsFunction sum = Resolve(work.kernel);
  for (size_t row = 0; row < layout.rows; ++row) {
    const SettledRow settled = work.settled.row(actual.data());
    const PotentialInputs inputs = work.settled.inputs(row);
    sum(work.kernel, work.levels, TargetOf(work, settled, inputs), row);
  }
  for (size_t i = 0; i < start.size(); ++i) {
    const size_t lane = i % layout.row_lanes;
    // Columns are written one by one: nothing beside the map changes.
    const size_t end = layout.guard_lanes + size_t{layout.columns} * layout.lanes.lanes;
    const bool on_map = i < layout.size() && lane >= layout.guard_lanes && lane < end;
    ASSERT_EQ(actual.data()[i], on_map ? expected[i] : start[i])
        << (on_map ? "on the map" : "beside the map") << ", block " << i / layout.block_lanes()
        << ", row " << i % layout.block_lanes() / layout.row_lanes << ", lane "
        << lane - layout.guard_lanes << ", before " << start[i];
  }
  EXPECT_TRUE(actual.intact());
}

TEST(LevelConvTest, IsItsPlainTwin) {
  constexpr const char* kModes[] = {"store", "join", "potential"};
  std::map<std::string, int> reached;
  uint32_t seed = 0;
  for (const ConvolutionShape& shape : LevelConvShapes()) {
    SCOPED_TRACE(Describe(shape));
    const bool large = shape.network != nullptr;
    for (uint32_t variant = 0; variant < (large ? 1 : 4); ++variant) {
      const auto draw = static_cast<WeightDraw>(variant % 3);
      std::mt19937 generator(++seed);
      const ConvolutionCase made(shape, draw, seed);
      const uint8_t largest = variant == 2 ? 3 : 63;
      LevelConvShape conv = LevelConvShapeOf(made);
      conv.largest_byte = largest;
      ASSERT_TRUE(LevelSumsFit(conv, largest));
      const LevelConv kernel = MakeLevelConv(conv, made.scaled());
      const LevelFrame levels =
          RandomLevels(shape.source, made.source_lanes, LevelLayoutOf(made, kernel),
                       variant == 1 ? 1000 : 300, 0, largest, generator);
      for (const SumMode mode : {SumMode::kStore, SumMode::kJoin, SumMode::kPotential}) {
        const char* name = kModes[static_cast<size_t>(mode)];
        SCOPED_TRACE(std::string(name) + ", variant " + std::to_string(variant));
        const SettledExtras extras{variant, variant % 2 == 1, variant != 3};
        const SettledCase settled(made.membranes, made.pools, extras, seed);
        const Work work{kernel, levels, settled, mode};
        ++reached[name];
        if (mode == SumMode::kPotential) {
          ++reached[name + std::string(" with shortcuts ") + std::to_string(extras.shortcuts)];
        }
        std::vector<int16_t> expected = settled.membranes;
        for (size_t row = 0; row < made.membranes.rows; ++row) {
          const SettledRow of_layer = settled.row(expected.data());
          const PotentialInputs inputs = settled.inputs(row);
          SumLevelsReference(conv, made.scaled(), levels, TargetOf(work, of_layer, inputs), row);
        }
        ForEveryInstructionSet([&] {
          if (!HasFailure()) ExpectRows(work, expected);
        });
        if (HasFailure()) return;
      }
    }
  }
  for (const char* kind :
       {"store", "join", "potential", "potential with shortcuts 0", "potential with shortcuts 1",
        "potential with shortcuts 2", "potential with shortcuts 3"}) {
    EXPECT_GE(reached[kind], 100) << kind;
  }
}

// The largest sums that a run may have in 16 bits: all levels are the largest, and weights are as
// large as they can be, of one sign or of any.
TEST(LevelConvTest, IsItsPlainTwinWhereSixteenBitsAreFull) {
  ConvolutionShape shape;
  shape.source = format::Extent(136, 1, 7);
  shape.targets = 32;
  shape.window = Square(1, 1, 0);
  size_t longest = 0;
  size_t wide = 0;
  for (const int largest : {1, 3, 31, 63, 127, 128, 129, 130, 255}) {
    for (const WeightDraw draw :
         {WeightDraw::kOneSign, WeightDraw::kExtreme, WeightDraw::kNormal}) {
      SCOPED_TRACE(std::to_string(largest) + ", weights " + std::to_string(static_cast<int>(draw)));
      std::mt19937 generator(1);
      const ConvolutionCase made(shape, draw, 1);
      LevelConvShape conv = LevelConvShapeOf(made);
      conv.largest_byte = static_cast<uint32_t>(largest);
      // Units of both signs fill a byte.
      std::vector<float> weights(made.synapses().weights()->begin(),
                                 made.synapses().weights()->end());
      if (draw == WeightDraw::kOneSign) {
        for (size_t i = weights.size() / 2; i < weights.size(); ++i) weights[i] = -1;
      }
      const ScaledWeights scaled{weights.data(), made.scales};
      const LevelConv kernel = MakeLevelConv(conv, scaled);
      for (const uint16_t run : kernel.runs) {
        longest = std::max<size_t>(longest, run & kRunQuads);
        wide += (run & kWideRun) != 0 ? 1 : 0;
      }
      const LevelFrame levels =
          RandomLevels(shape.source, made.source_lanes, LevelLayoutOf(made, kernel), 1000, largest,
                       largest, generator);
      const SettledCase settled(made.membranes, made.pools, {0, false, true}, 1);
      const Work work{kernel, levels, settled, SumMode::kPotential};
      std::vector<int16_t> expected = settled.membranes;
      const SettledRow of_layer = settled.row(expected.data());
      const PotentialInputs inputs = settled.inputs(0);
      SumLevelsReference(conv, scaled, levels, TargetOf(work, of_layer, inputs), 0);
      ForEveryInstructionSet([&] {
        if (!HasFailure()) ExpectRows(work, expected);
      });
      if (HasFailure()) return;
    }
  }
  EXPECT_EQ(longest, 34U) << "no run has all quads";
  EXPECT_GT(wide, 0U);
}

// Groups, levels of sources that don't rectify, weights of an 8-bit model with a zero point, sums
// that join in float, maps of few channels.
TEST(LevelConvTest, IsItsPlainTwinOnLongTrains) {
  uint32_t seed = 0;
  int with_offsets = 0;
  // Whose sums become bytes before they leave registers; by shortcuts and whether neurons rectify.
  int stores_bytes[2][2] = {};
  int one_tap = 0;  // of those
  int joined = 0;   // floats in memory by sums in registers
  for (const ConvolutionShape& shape : GroupedLevelShapes()) {
    SCOPED_TRACE(Describe(shape));
    for (uint32_t variant = 0; variant < 2; ++variant) {
      std::mt19937 generator(++seed);
      const ConvolutionCase made(shape, WeightDraw::kRandom, seed);
      const LevelConvShape conv = LevelConvShapeOf(made);
      const WholeWeights weights(made, variant == 0 ? 120 : kLargestWeightSpread, generator);
      LevelConv kernel = MakeLevelConv(conv, weights.scaled());
      with_offsets += kernel.weight_offsets.empty() ? 0 : 1;
      const SettledExtras extras = seed % 4 == 3
                                       ? SettledExtras{seed / 8 % 2, false, seed % 8 == 3}
                                       : SettledExtras{seed % 3, seed % 4 < 2, seed % 5 != 0};
      const SettledCase settled(made.membranes, made.pools, extras, seed);
      kernel.float_scale = AllocateAligned<float>(made.membranes.parameter_lanes());
      for (size_t i = 0; i < made.membranes.parameter_lanes(); ++i) {
        kernel.float_scale[i] = settled.neurons.scale[i] * 0.75F;
      }
      const bool joins_floats = !settled.floats.empty() && settled.shortcuts.empty();
      const LevelFrame levels =
          RandomLongLevels(made, LevelLayoutOf(made, kernel), kZeros[seed % 3], generator);
      if (settled.shortcuts.size() <= 1 && settled.floats.empty() &&
          made.membranes.lanes.lanes >= kTileTargets && RuleOf(settled).fills_byte()) {
        ++stores_bytes[settled.shortcuts.size()][settled.rectify ? 1 : 0];
        one_tap += shape.window.kernel_y() * shape.window.kernel_x() == 1 ? 1 : 0;
      }
      for (const SumMode mode : {SumMode::kStore, SumMode::kJoin, SumMode::kPotential,
                                 SumMode::kLevels, SumMode::kSetFloats, SumMode::kAddFloats}) {
        SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)));
        joined += joins_floats && mode == SumMode::kLevels ? 1 : 0;
        const auto twin = [&](LevelTarget target, size_t row) {
          target.joins_floats = joins_floats;
          SumLevelsReference(conv, weights.scaled(), levels, target, row, kernel.float_scale.get());
        };
        const TwinRows expected(settled, mode, twin);
        ForEveryInstructionSet([&] {
          if (HasFailure()) return;
          const SumLevelsFunction sum = Resolve(kernel);
          const auto run = [&](const LevelTarget& given, size_t row) {
            LevelTarget tile = given;
            tile.joins_floats = joins_floats;
            if (variant == 0) return sum(kernel, levels, tile, row);
            tile.ahead = {row % 3, row % 2 * 3};
            for (uint32_t t = 0; t < kernel.tiles; ++t) {
              tile.tiles = {t, t + 1};
              sum(kernel, levels, tile, row);
            }
          };
          ExpectTwins(settled, mode, run, expected);
        });
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GE(with_offsets, 100);
  for (const auto& by_rectify : stores_bytes) {
    EXPECT_GE(by_rectify[0], 5);
    EXPECT_GE(by_rectify[1], 5);
  }
  EXPECT_GE(one_tap, 3);
  EXPECT_GE(joined, 5);
}

// Bytes of pixels, weights of one or two planes, zeros that are no whole numbers.
TEST(LevelConvTest, SumsOfPixelsAreTheirPlainTwin) {
  uint32_t seed = 0;
  std::map<uint32_t, int> reached;
  for (const ConvolutionShape& shape : GroupedLevelShapes()) {
    SCOPED_TRACE(Describe(shape));
    std::mt19937 generator(++seed);
    const ConvolutionCase made(shape, WeightDraw::kRandom, seed);
    PixelConvShape pixels;
    pixels.conv = LevelConvShapeOf(made);
    pixels.planes = seed % 3 == 0 ? 1 : 2;
    const int largest = pixels.planes == 1 ? kLargestNarrowWeight : kLargestPlanesWeight;
    std::uniform_int_distribution<int> units(-largest, largest);
    std::uniform_real_distribution<double> zero(-200, 20);
    WholeWeights weights(made, 1, generator);
    for (float& weight : weights.weights) weight = static_cast<float>(units(generator));
    weights.weights.front() = static_cast<float>(largest);
    weights.weights.back() = static_cast<float>(-largest);
    std::vector<double> zeros;
    for (uint32_t c = 0; c < shape.source.channels(); ++c) zeros.push_back(zero(generator));
    pixels.zeros = zeros;
    if (static_cast<double>(weights.weights.size()) / shape.targets * largest * 455 > 2e9) continue;
    const LevelConv kernel = MakePixelConv(pixels, weights.scaled());
    ++reached[kernel.planes];
    const SettledCase settled(made.membranes, made.pools, {seed % 3, seed % 4 < 2, seed % 5 != 0},
                              seed);
    const LevelFrame levels = RandomLongLevels(made, LevelLayoutOf(made, kernel), 0, generator);
    for (const SumMode mode : {SumMode::kPotential, SumMode::kLevels}) {
      SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)));
      const TwinRows expected(settled, mode, [&](const LevelTarget& target, size_t row) {
        SumLevelsReference(pixels.conv, weights.scaled(), levels, target, row, nullptr, zeros);
      });
      ForEveryInstructionSet([&] {
        if (HasFailure()) return;
        const SumLevelsFunction sum = Resolve(kernel);
        const auto run = [&](const LevelTarget& target, size_t row) {
          sum(kernel, levels, target, row);
        };
        ExpectTwins(settled, mode, run, expected);
      });
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(reached[1], 30);
  EXPECT_GE(reached[2], 60);
}

}  // namespace
}  // namespace cssrun::internal
