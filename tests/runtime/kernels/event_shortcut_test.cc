// EventShortcut against its plain twin.
#include "runtime/integer/kernels/event_shortcut/event_shortcut.h"

#include <gtest/gtest.h>

#include <random>

#include "runtime/integer/kernels/event_shortcut/reference.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/event_comparison.h"

namespace cssrun::internal {
namespace {

TEST(EventShortcutTest, IsItsPlainTwin) {
  Tally tally;
  for (const ConvolutionShape& shape : EventShortcutShapes()) {
    ForEachDrive(shape, [&](const EventDrive& drive, uint32_t seed) {
      std::mt19937 generator(seed);
      const ConvolutionCase made = IdentityCase(shape);
      const EventShortcut kernel = MakeEventShortcut(made);
      const SpikeFrame spikes =
          RandomSpikes(shape.source, made.source_lanes, drive.permille, drive.signs, generator);
      EventComparison<EventShortcut> c;
      c.kernel = &kernel;
      c.layout = &made.membranes;
      c.spikes = &spikes;
      c.start = RandomMembranes(made.membranes, drive.lowest, drive.highest, generator);
      RunReference(
          [&](const EventInput& input, const EventTarget& target, size_t row) {
            EventShortcutRowReference(ShortcutShapeOf(made), shape.window, kIdentityWeight,
                                      made.scales, input, target, row);
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
