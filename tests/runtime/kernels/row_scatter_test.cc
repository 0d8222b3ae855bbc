// RowScatter against its plain twin.
#include "runtime/integer/kernels/row_scatter/row_scatter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "runtime/integer/kernels/row_scatter/reference.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/event_comparison.h"
#include "tests/runtime/kernels/order_of_additions.h"

namespace cssrun::internal {
namespace {

TEST(RowScatterTest, IsItsPlainTwin) {
  Tally tally;
  std::map<std::string, int> reached;
  for (const ConvolutionShape& shape : RowScatterShapes()) {
    ForEachDrive(shape, [&](const EventDrive& drive, uint32_t seed) {
      std::mt19937 generator(seed);
      const ConvolutionCase made(shape, drive.weights, seed);
      const RowScatterShape scatter = RowScatterShapeOf(made);
      ASSERT_TRUE(SumsFit(scatter, made.scaled()));
      const RowScatter kernel = MakeRowScatter(made);
      ++reached["lines of a run: " + std::to_string(std::min(kernel.slide.run, 5U))];
      ++reached["rows of taps: " + std::to_string(kernel.slide.tap_rows)];
      if (kernel.slide.ends_outside) ++reached["ends outside"];
      const uint32_t neurons = kernel.slide.step_neurons;
      ++reached[neurons < kLineLanes ? "part of a word" : neurons == kLineLanes ? "word" : "words"];
      const SpikeFrame spikes =
          RandomSpikes(shape.source, made.source_lanes, drive.permille, drive.signs, generator);
      EventComparison<RowScatter> c;
      c.kernel = &kernel;
      c.layout = &made.membranes;
      c.spikes = &spikes;
      c.start = RandomMembranes(made.membranes, drive.lowest, drive.highest, generator);
      c.writes_guards = true;
      RunReference(
          [&](const EventInput& input, const EventTarget& target, size_t row) {
            ScatterRowReference(scatter, made.scaled(), input, target, row);
          },
          c);
      // Runs of more lines than are kept in registers join the membranes in several additions.
      if (kernel.slide.run > 3) MarkAmbiguous(TileGatherShapeOf(made), made.scaled(), 0, c);
      ExpectSame(c, tally);
    });
    if (HasFailure()) return;
  }
  for (const char* kind :
       {"lines of a run: 2", "lines of a run: 3", "lines of a run: 4", "lines of a run: 5",
        "rows of taps: 1", "rows of taps: 2", "rows of taps: 3", "rows of taps: 4",
        "rows of taps: 5", "ends outside", "part of a word", "word", "words"}) {
    EXPECT_GE(reached[kind], 20) << kind;
  }
  EXPECT_GT(tally.compared, 10'000'000U);
  EXPECT_LT(tally.ambiguous * 50, tally.compared);
}

// The sum of a kernel row at its largest fits, one unit more does not.
TEST(RowScatterTest, SumsFitUpToTheLargestNumberOf16Bits) {
  ConvolutionShape shape;
  shape.source = format::Extent(31, 5, 5);
  shape.targets = 3;
  shape.window = Square(3, 1, 1);
  const RowScatterShape scatter =
      RowScatterShapeOf(ConvolutionCase(shape, WeightDraw::kOneSign, 1));
  std::vector<float> weights(size_t{3} * 31 * 9, 0.0F);
  const std::vector<double> scales(3, 1.0);
  // Channel 1, kernel row 2: 32 x 1023 + 31 = 32767.
  float* channel = weights.data() + size_t{31} * 9;
  for (size_t c = 0; c < 31; ++c) channel[c * 9 + 6] = c % 2 == 0 ? 1023.0F : -1023.0F;
  channel[7] = 1023;
  channel[8] = 31;
  EXPECT_TRUE(SumsFit(scatter, {weights.data(), scales}));
  channel[8] = 32;
  EXPECT_FALSE(SumsFit(scatter, {weights.data(), scales}));
}

}  // namespace
}  // namespace cssrun::internal
