// TileGather against its plain twin.
#include "runtime/integer/kernels/tile_gather/tile_gather.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "runtime/integer/kernels/tile_gather/reference.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/event_comparison.h"
#include "tests/runtime/kernels/order_of_additions.h"

namespace cssrun::internal {
namespace {

TEST(TileGatherTest, IsItsPlainTwin) {
  Tally tally;
  std::map<std::string, int> reached;
  for (const ConvolutionShape& shape : TileGatherShapes()) {
    ForEachDrive(shape, [&](const EventDrive& drive, uint32_t seed) {
      std::mt19937 generator(seed);
      const ConvolutionCase made(shape, drive.weights, seed);
      const TileGatherShape gather = TileGatherShapeOf(made);
      ASSERT_TRUE(TableRowsFit(gather));
      const TileGather kernel = MakeTileGather(made);
      ++reached[kernel.has_negated_rows ? "rows of both signs" : "rows of one sign"];
      ++reached["blocks of a set: " + std::to_string(kernel.set_blocks)];
      const SpikeFrame spikes =
          RandomSpikes(shape.source, made.source_lanes, drive.permille, drive.signs, generator);
      EventComparison<TileGather> c;
      c.kernel = &kernel;
      c.layout = &made.membranes;
      c.spikes = &spikes;
      c.start = RandomMembranes(made.membranes, drive.lowest, drive.highest, generator);
      c.smallest_part = kernel.set_blocks;
      RunReference(
          [&](const EventInput& input, const EventTarget& target, size_t row) {
            GatherRowReference(gather, made.scaled(), input, target, row);
          },
          c);
      // With more spikes than a tile adds at once, the order of its additions is its own.
      MarkAmbiguous(gather, made.scaled(), kernel.most_spikes, c);
      ExpectSame(c, tally);
    });
    if (HasFailure()) return;
  }
  for (const char* kind : {"rows of both signs", "rows of one sign", "blocks of a set: 1",
                           "blocks of a set: 2", "blocks of a set: 4"}) {
    EXPECT_GE(reached[kind], 20) << kind;
  }
  EXPECT_GT(tally.compared, 10'000'000U);
  EXPECT_LT(tally.ambiguous * 50, tally.compared);
}

}  // namespace
}  // namespace cssrun::internal
