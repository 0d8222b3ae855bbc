// LevelDepthwise against its plain twin.
#include "runtime/integer/kernels/level_depthwise/level_depthwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "runtime/aligned.h"
#include "runtime/integer/kernels/level_depthwise/reference.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/long_trains.h"

namespace cssrun::internal {
namespace {

TEST(LevelDepthwiseTest, IsItsPlainTwin) {
  uint32_t seed = 0;
  int cases = 0;
  for (const ConvolutionShape& shape : LevelDepthwiseShapes()) {
    SCOPED_TRACE(Describe(shape));
    std::mt19937 generator(++seed);
    const ConvolutionCase made(shape, WeightDraw::kRandom, seed);
    const LevelDepthwiseShape depthwise = LevelDepthwiseShapeOf(made);
    // Weights that fit bytes, those of an 8-bit model with a zero point, and weights that reach the
    // largest one whose sums are exact in float.
    const int spreads[] = {127, 255, LargestDepthwiseWeight(shape.window)};
    const WholeWeights weights(made, spreads[seed / 2 % 3], generator);
    LevelDepthwise kernel = MakeLevelDepthwise(depthwise, weights.scaled());
    const SettledCase settled(made.membranes, made.pools, {seed % 3, seed % 2 == 0, seed % 5 != 0},
                              seed);
    kernel.float_scale = AllocateAligned<float>(made.membranes.parameter_lanes());
    std::copy_n(settled.neurons.scale.get(), made.membranes.parameter_lanes(),
                kernel.float_scale.get());
    const LevelFrame levels = RandomLongLevels(made, LevelLayoutOf(made, kernel.left, kernel.right),
                                               kZeros[seed % 3], generator);
    for (const SumMode mode :
         {SumMode::kPotential, SumMode::kLevels, SumMode::kSetFloats, SumMode::kAddFloats}) {
      SCOPED_TRACE("mode " + std::to_string(static_cast<int>(mode)));
      ++cases;
      const TwinRows expected(settled, mode, [&](const LevelTarget& target, size_t row) {
        SumDepthwiseReference(depthwise, weights.scaled(), levels, target, row,
                              kernel.float_scale.get());
      });
      ForEveryInstructionSet([&] {
        if (HasFailure()) return;
        const SumDepthwiseFunction sum = Resolve(kernel);
        const auto run = [&](const LevelTarget& target, size_t row) {
          LevelTarget in_parts = target;
          const uint32_t columns = made.membranes.columns;
          const uint32_t middle = static_cast<uint32_t>(row + 1) % columns;
          const ColumnRange parts[] = {{0, middle}, {middle, columns}};
          if (seed % 4 == 0 && middle > 0) in_parts.columns = parts;
          sum(kernel, levels, in_parts, row);
        };
        ExpectTwins(settled, mode, run, expected);
      });
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(cases, 100);
}

}  // namespace
}  // namespace cssrun::internal
