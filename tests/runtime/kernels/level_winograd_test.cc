// LevelConv by Winograd's products against its plain twin.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <vector>

#include "runtime/aligned.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/reference.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/settled_case.h"
#include "tests/runtime/kernels/event_comparison.h"
#include "tests/runtime/kernels/long_trains.h"

namespace cssrun::internal {
namespace {

constexpr uint32_t kShapes = 150;
constexpr int kTaps = 3;

int Between(int low, int high, std::mt19937& generator) {
  return std::uniform_int_distribution<int>(low, high)(generator);
}

ConvolutionShape DrawShape(std::mt19937& generator) {
  const auto count = [&](int low, int high) {
    return static_cast<uint32_t>(Between(low, high, generator));
  };
  ConvolutionShape shape;
  shape.groups = Between(0, 3, generator) == 0 ? 2 : 1;
  shape.source = format::Extent(count(32, 70) * shape.groups, count(1, 6), count(9, 27));
  shape.targets = count(1, 40) * shape.groups;
  const int kernel_y = Between(1, 3, generator);
  const auto pad = [&](int kernel) { return Between(-1, kernel - 1, generator); };
  const int rows = static_cast<int>(shape.source.height());
  const int top = std::max(pad(kernel_y), kernel_y - rows);
  const int left = pad(kTaps);
  const int right = pad(kTaps);
  shape.window = format::Window(kernel_y, kTaps, 1, 1, top, left,
                                std::max(0, kernel_y - rows - top), right, 1, 1);
  return shape;
}

// Whole numbers for which all factors are bytes, often the largest ones.
std::vector<float> DrawWeights(size_t count, std::mt19937& generator) {
  constexpr std::array<std::array<int, kTaps>, 6> kExtremes = {
      {{127, 0, 0}, {0, -127, 0}, {0, 0, 127}, {-63, -1, -63}, {64, 0, -64}, {42, 43, 42}}};
  std::vector<float> weights;
  while (weights.size() < count) {
    std::array<int, kTaps> row = kExtremes[static_cast<size_t>(Between(0, 5, generator))];
    while (Between(0, 3, generator) > 0) {
      for (int& weight : row) weight = Between(-127, 127, generator);
      if (std::abs(row[0] + row[2]) + std::abs(row[1]) <= kLargestNarrowWeight) break;
    }
    if (std::abs(row[0] + row[2]) + std::abs(row[1]) > kLargestNarrowWeight) continue;
    weights.insert(weights.end(), row.begin(), row.end());
  }
  return weights;
}

TEST(LevelWinogradTest, IsItsPlainTwin) {
  std::mt19937 generator(1);
  int odd = 0;
  int narrow = 0;  // fewer than 16 lanes a position
  for (uint32_t seed = 0; seed < kShapes; ++seed) {
    const ConvolutionShape shape = DrawShape(generator);
    SCOPED_TRACE(Describe(shape));
    const ConvolutionCase made(shape, WeightDraw::kRandom, seed);
    if (made.map.width() < 7) continue;
    const std::vector<float> weights = DrawWeights(made.weights().size(), generator);
    const std::vector<double> scales(shape.targets, 1.0);
    const ScaledWeights scaled{weights.data(), scales};
    LevelConvShape conv = LevelConvShapeOf(made);
    conv.largest_byte = seed % 3 == 0 ? 1 : 127;
    LevelConv kernel = MakeLevelConv(conv, scaled);
    PlanWinograd(conv, kernel);
    ASSERT_EQ(kernel.winograd.empty(), ResolveWinograd() == nullptr);
    if (kernel.winograd.empty()) continue;  // this machine has no kernel for them
    odd += static_cast<int>(conv.target_columns % 2);
    narrow += made.membranes.lanes.lanes < kTileTargets ? 1 : 0;
    const LevelFrame levels =
        RandomLevels(shape.source, made.source_lanes, LevelLayoutOf(made, kernel), 800, 0,
                     static_cast<int>(conv.largest_byte), generator);
    const SettledCase settled(made.membranes, made.pools, {seed % 3, seed % 4 == 1, seed % 5 != 0},
                              seed);
    kernel.float_scale = AllocateAligned<float>(made.membranes.parameter_lanes());
    std::fill_n(kernel.float_scale.get(), made.membranes.parameter_lanes(), 0.75F);
    const size_t together = 1 + seed % 3;
    const std::vector<uint8_t> empty(WinogradRoom(kernel, together));
    for (const SumMode mode : {SumMode::kStore, SumMode::kJoin, SumMode::kPotential,
                               SumMode::kLevels, SumMode::kSetFloats, SumMode::kAddFloats}) {
      SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)));
      const TwinRows expected(settled, mode, [&](const LevelTarget& target, size_t row) {
        SumLevelsReference(conv, scaled, levels, target, row, kernel.float_scale.get());
      });
      int sets = 0;
      ForEveryInstructionSet([&] {
        const FillWinogradRows fill = ResolveWinograd();
        if (HasFailure() || fill == nullptr) return;
        ++sets;
        Guarded<uint8_t> room{std::span<const uint8_t>(empty)};
        const SumLevelsFunction sum = Resolve(kernel);
        const auto run = [&](const LevelTarget& given, size_t row) {
          const size_t first = row / together * together;
          const size_t rows = std::min<size_t>(together, made.membranes.rows - first);
          const WinogradRows factors =
              fill(kernel, levels, first, rows, {room.data(), empty.size()});
          LevelTarget target = given;
          target.winograd = &factors;
          if (seed % 2 == 0) return sum(kernel, levels, target, row);
          target.ahead = {row % 3, row % 2 * 3};
          for (uint32_t t = 0; t < kernel.tiles; ++t) {
            target.tiles = {t, t + 1};
            sum(kernel, levels, target, row);
          }
        };
        ExpectTwins(settled, mode, run, expected);
        EXPECT_TRUE(room.intact());
      });
      EXPECT_GE(sets, 1);
      if (HasFailure()) return;
    }
  }
  if (ResolveWinograd() == nullptr) return;
  EXPECT_GE(odd, 20);
  EXPECT_GE(narrow, 10);
}

// A kernel that Winograd's products suit, of which a test changes one thing.
struct Suitable {
  Suitable() {
    shape.source = format::Extent(32, 4, 9);
    shape.targets = 16;
    shape.window = format::Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
  }
  bool IsTaken() const {
    const ConvolutionCase made(shape, WeightDraw::kRandom, 1);
    std::vector<float> weights(made.weights().size(), 1.0F);
    std::copy(first_row.begin(), first_row.end(), weights.begin());
    const std::vector<double> scales(shape.targets, 1.0);
    LevelConvShape conv = LevelConvShapeOf(made);
    conv.largest_byte = largest_byte;
    LevelConv kernel = MakeLevelConv(conv, {weights.data(), scales});
    PlanWinograd(conv, kernel);
    return !kernel.winograd.empty();
  }
  ConvolutionShape shape;
  uint32_t largest_byte = 127;
  std::array<float, kTaps> first_row = {42, 43, 42};
};

TEST(LevelWinogradTest, OtherShapesAndFactorsAreRefused) {
  EXPECT_EQ(Suitable().IsTaken(), ResolveWinograd() != nullptr);
  Suitable levels;
  levels.largest_byte = 128;
  EXPECT_FALSE(levels.IsTaken());
  for (const std::array<float, kTaps>& row :
       {std::array<float, kTaps>{43, 43, 42}, {-64, 0, -64}, {64, -64, 0}, {0, 0, -128}}) {
    Suitable weights;
    weights.first_row = row;
    EXPECT_FALSE(weights.IsTaken()) << row[0] << " " << row[1] << " " << row[2];
  }
  for (const format::Window& window :
       {format::Window(3, 3, 1, 2, 1, 1, 1, 1, 1, 1), format::Window(3, 3, 2, 1, 1, 1, 1, 1, 1, 1),
        format::Window(3, 3, 1, 1, 1, 2, 1, 2, 1, 2), format::Window(3, 3, 1, 1, 2, 1, 2, 1, 2, 1),
        format::Window(3, 1, 1, 1, 1, 0, 1, 0, 1, 1), format::Window(3, 5, 1, 1, 1, 2, 1, 2, 1, 1),
        format::Window(3, 3, 1, 1, 1, 0, 1, -1, 1, 1)}) {
    Suitable shapes;
    shapes.shape.window = window;
    EXPECT_FALSE(shapes.IsTaken()) << Describe(shapes.shape);
  }
  Suitable few;
  few.shape.source = format::Extent(31, 4, 9);
  EXPECT_FALSE(few.IsTaken());
}

}  // namespace
}  // namespace cssrun::internal
