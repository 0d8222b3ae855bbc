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
    // Weights that reach the largest one whose sums are exact in float.
    const WholeWeights weights(made, LargestDepthwiseWeight(shape.window), generator);
    LevelDepthwise kernel = MakeLevelDepthwise(depthwise, weights.scaled());
    const SettledCase settled(made.membranes, made.pools, {seed % 3, seed % 2 == 0, seed % 5 != 0},
                              seed);
    kernel.float_scale = AllocateAligned<float>(made.membranes.parameter_lanes());
    std::copy_n(settled.neurons.scale.get(), made.membranes.parameter_lanes(),
                kernel.float_scale.get());
    const LevelFrame levels = RandomLongLevels(made, LevelLayoutOf(made, kernel.left, kernel.right),
                                               kZeros[seed % 3], generator);
    for (const SumMode mode : {SumMode::kPotential, SumMode::kLevels, SumMode::kAddFloats}) {
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
          sum(kernel, levels, target, row);
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
