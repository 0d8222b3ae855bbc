// Depthwise against its plain twin.
#include "runtime/integer/kernels/depthwise/depthwise.h"

#include <gtest/gtest.h>

#include <random>

#include "runtime/integer/kernels/depthwise/reference.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/event_comparison.h"

namespace cssrun::internal {
namespace {

TEST(DepthwiseTest, IsItsPlainTwin) {
  Tally tally;
  for (const ConvolutionShape& shape : DepthwiseShapes()) {
    ForEachDrive(shape, [&](const EventDrive& drive, uint32_t seed) {
      std::mt19937 generator(seed);
      const ConvolutionCase made(shape, drive.weights, seed);
      const Depthwise kernel = MakeDepthwise(made);
      const SpikeFrame spikes =
          RandomSpikes(shape.source, made.source_lanes, drive.permille, drive.signs, generator);
      EventComparison<Depthwise> c;
      c.kernel = &kernel;
      c.layout = &made.membranes;
      c.spikes = &spikes;
      c.start = RandomMembranes(made.membranes, drive.lowest, drive.highest, generator);
      c.smallest_part = made.membranes.lanes.blocks;
      RunReference(
          [&](const EventInput& input, const EventTarget& target, size_t row) {
            DepthwiseRowReference(kernel, made.scaled(), shape.targets, input, target, row);
          },
          c);
      ExpectSame(c, tally);
    });
    if (HasFailure()) return;
  }
  EXPECT_GT(tally.compared, 10'000'000U);
}

}  // namespace
}  // namespace cssrun::internal
