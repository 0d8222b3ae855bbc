// LevelConv by Winograd's products against its plain twin.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
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

constexpr uint32_t kShapes = 400;
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
  // Half of them for stacks.
  const bool small = Between(0, 1, generator) == 0;
  shape.source = format::Extent(count(32, 70) * shape.groups, count(1, small ? 9 : 6),
                                small ? count(3, 6) : count(9, 27));
  shape.targets = count(1, 40) * shape.groups;
  const int kernel_y = Between(1, 3, generator);
  const auto pad = [&](int kernel) { return Between(-1, kernel - 1, generator); };
  const int rows = static_cast<int>(shape.source.height());
  const int top = std::max(pad(kernel_y), kernel_y - rows);
  const int left = small ? 1 : pad(kTaps);
  const int right = small ? 1 : pad(kTaps);
  shape.window =
      format::Window(kernel_y, kTaps, 1, 1, top, left,
                     std::max(Between(0, 1, generator), kernel_y - rows - top), right, 1, 1);
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

// The columns of each row, some of them in one part and the rest in the other: ranges of pairs.
using Parts = std::array<std::vector<std::vector<ColumnRange>>, 2>;

Parts DrawParts(const MembraneLayout& layout, uint32_t seed) {
  std::mt19937 generator(seed);
  Parts parts;
  for (std::vector<std::vector<ColumnRange>>& rows : parts) rows.resize(layout.rows);
  for (uint32_t row = 0; row < layout.rows; ++row) {
    auto part = static_cast<size_t>(Between(0, 1, generator));
    for (uint32_t first = 0; first < layout.columns;) {
      // Some rows are whole.
      const auto pairs =
          static_cast<uint32_t>(Between(1, Between(0, 2, generator) == 0 ? 20 : 4, generator));
      const uint32_t last = std::min(layout.columns, first + 2 * pairs);
      parts[part][row].push_back({first, last});
      first = last;
      part = 1 - part;
    }
  }
  return parts;
}

// Calls run(targets, first row) for both parts of the rows, each time with neighbouring rows of
// which a part has columns.
template <class Run>
void RunParts(const Parts& parts, std::span<LevelTarget> targets, size_t first, const Run& run) {
  for (const std::vector<std::vector<ColumnRange>>& rows : parts) {
    for (size_t begin = 0; begin < targets.size();) {
      size_t end = begin;
      for (; end < targets.size() && !rows[first + end].empty(); ++end) {
        targets[end].columns = rows[first + end];
      }
      if (end > begin) run(targets.subspan(begin, end - begin), first + begin);
      begin = end + 1;
    }
  }
}

// What IsItsPlainTwin reached. Rows are computed `together`, in as few and as equal stacks as there
// are.
struct Reached {
  void Count(const LevelConv& kernel, const LevelConvShape& shape, bool is_narrow,
             uint32_t together, const Parts& parts) {
    odd += static_cast<int>(shape.target_columns % 2);
    narrow += is_narrow ? 1 : 0;
    if (kernel.winograd.stacked == 1) {
      for (const std::vector<ColumnRange>& ranges : parts[0]) {
        ++ranges_of_row[std::min<size_t>(ranges.size(), 2)];
      }
      return;
    }
    const uint32_t rows = std::min(together, shape.target_rows);
    const uint32_t count = (rows + kernel.winograd.stacked - 1) / kernel.winograd.stacked;
    ++stacks[{kernel.winograd.pairs, (rows + count - 1) / count}];
    halves += kernel.winograd.targets < kernel.targets ? 1 : 0;
  }

  int odd = 0;
  int narrow = 0;                         // fewer than 16 lanes a position
  int halves = 0;                         // tiles of which stacks sum a half at a time
  std::array<int, 3> ranges_of_row = {};  // rows of which none, one, several were summed at a time
  std::map<std::pair<uint32_t, uint32_t>, int> stacks;  // by pairs of columns and rows
};

TEST(LevelWinogradTest, IsItsPlainTwin) {
  std::mt19937 generator(1);
  Reached reached;
  for (uint32_t seed = 0; seed < kShapes; ++seed) {
    const ConvolutionShape shape = DrawShape(generator);
    SCOPED_TRACE(Describe(shape));
    const ConvolutionCase made(shape, WeightDraw::kRandom, seed);
    const std::vector<float> weights = DrawWeights(made.weights().size(), generator);
    const std::vector<double> scales(shape.targets, 1.0);
    const ScaledWeights scaled{weights.data(), scales};
    LevelConvShape conv = LevelConvShapeOf(made);
    if (!SuitsWinograd(conv.window, conv.source.channels() / conv.groups, conv.target_rows,
                       conv.target_columns)) {
      continue;
    }
    conv.largest_byte = seed % 3 == 0 ? 1 : 127;
    LevelConv kernel = MakeLevelConv(conv, scaled);
    PlanWinograd(conv, kernel);
    ASSERT_EQ(kernel.winograd.empty(), ResolveWinograd().sum == nullptr);
    if (kernel.winograd.empty()) continue;  // this machine has no kernel for them
    const uint32_t together = 1 + seed % 9;
    const Parts parts = DrawParts(made.membranes, seed);
    reached.Count(kernel, conv, made.membranes.lanes.lanes < kTileTargets, together, parts);
    const LevelFrame levels =
        RandomLevels(shape.source, made.source_lanes, LevelLayoutOf(made, kernel), 800, 0,
                     static_cast<int>(conv.largest_byte), generator);
    const SettledCase settled(made.membranes, made.pools, {seed % 3, seed % 4 == 1, seed % 5 != 0},
                              seed);
    kernel.float_scale = AllocateAligned<float>(made.membranes.parameter_lanes());
    std::fill_n(kernel.float_scale.get(), made.membranes.parameter_lanes(), 0.75F);
    const std::vector<uint8_t> empty(WinogradRoom(kernel, together), kUntouched);
    for (const SumMode mode : {SumMode::kStore, SumMode::kJoin, SumMode::kPotential,
                               SumMode::kLevels, SumMode::kSetFloats, SumMode::kAddFloats}) {
      SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)));
      const TwinRows expected(settled, mode, [&](const LevelTarget& target, size_t row) {
        SumLevelsReference(conv, scaled, levels, target, row, kernel.float_scale.get());
      });
      int sets = 0;
      ForEveryInstructionSet([&] {
        const WinogradKernel winograd = ResolveWinograd();
        if (HasFailure() || winograd.sum == nullptr) return;
        ++sets;
        Guarded<uint8_t> room{std::span<const uint8_t>(empty)};
        const auto run = [&](std::span<LevelTarget> targets, size_t first) {
          const WinogradRows factors =
              winograd.fill(kernel, levels, targets, first, {room.data(), empty.size()});
          if (seed % 2 == 0) return winograd.sum(kernel, levels, factors, targets, first);
          const size_t ahead = seed % 4 == 1 ? 0 : targets.size();
          for (uint32_t t = 0; t < kernel.tiles; ++t) {
            for (size_t i = 0; i < targets.size(); ++i) {
              targets[i].ahead = {i, ahead};
              targets[i].tiles = {t, t + 1};
            }
            winograd.sum(kernel, levels, factors, targets, first);
          }
        };
        ExpectTwinsTogether(settled, mode, together, run, expected);
        if (kernel.winograd.stacked == 1) {
          SCOPED_TRACE("in parts");
          const auto run_parts = [&](std::span<LevelTarget> targets, size_t first) {
            RunParts(parts, targets, first, [&](std::span<LevelTarget> rows, size_t first_row) {
              std::ranges::fill(std::span(room.data(), empty.size()), kUntouched);
              run(rows, first_row);
            });
          };
          ExpectTwinsTogether(settled, mode, together, run_parts, expected);
        }
        EXPECT_TRUE(room.intact());
      });
      EXPECT_GE(sets, 1);
      if (HasFailure()) return;
    }
  }
  if (ResolveWinograd().sum == nullptr) return;
  EXPECT_GE(reached.odd, 20);
  EXPECT_GE(reached.narrow, 10);
  EXPECT_GE(reached.halves, 10);
  for (const int rows : reached.ranges_of_row) EXPECT_GE(rows, 50);
  for (const auto& [pairs, rows] :
       {std::pair<uint32_t, uint32_t>{2, 1}, {2, 2}, {2, 3}, {2, 4}, {3, 1}, {3, 2}}) {
    EXPECT_GE((reached.stacks[{pairs, rows}]), 5) << pairs << " pairs, " << rows << " rows";
  }
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
  EXPECT_EQ(Suitable().IsTaken(), ResolveWinograd().sum != nullptr);
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
        format::Window(3, 1, 1, 1, 1, 0, 1, 0, 1, 1),
        format::Window(3, 5, 1, 1, 1, 2, 1, 2, 1, 1)}) {
    Suitable shapes;
    shapes.shape.window = window;
    EXPECT_FALSE(shapes.IsTaken()) << Describe(shapes.shape);
  }
  Suitable few;
  few.shape.source = format::Extent(31, 4, 9);
  EXPECT_FALSE(few.IsTaken());
  for (const format::Extent& small :
       {format::Extent(32, 2, 4), format::Extent(32, 9, 2), format::Extent(32, 1, 6)}) {
    Suitable pairs;
    pairs.shape.source = small;
    EXPECT_FALSE(pairs.IsTaken()) << Describe(pairs.shape);
  }
  for (const int pad : {1, 2}) {
    Suitable stack;
    stack.shape.source = format::Extent(32, 4, 4);
    stack.shape.window = format::Window(3, 3, 1, 1, pad, 1, 1, 1, 1, 1);
    EXPECT_EQ(stack.IsTaken(), pad == 1 && ResolveWinograd().sum != nullptr);
  }
}

}  // namespace
}  // namespace cssrun::internal
