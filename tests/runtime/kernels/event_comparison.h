// Compares an event kernel with its plain twin: every instruction set, the whole layer and parts of
// it, each row as soon as it is complete, and whatever lies beside.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_EVENT_COMPARISON_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_EVENT_COMPARISON_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/tile_gather/tile_gather.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/shapes.h"

namespace cssrun::internal {

// How a kernel is driven: spikes, weights, and where membranes start.
struct EventDrive {
  uint32_t permille;
  Signs signs;
  WeightDraw weights;
  int lowest;
  int highest;
};

inline constexpr EventDrive kDrives[] = {
    {0, Signs::kBoth, WeightDraw::kRandom, -32768, 32767},
    {20, Signs::kBoth, WeightDraw::kRandom, -3000, 3000},
    {20, Signs::kBoth, WeightDraw::kExtreme, -32768, 32767},
    {150, Signs::kBoth, WeightDraw::kRandom, -3000, 3000},
    {400, Signs::kNegative, WeightDraw::kOneSign, -32768, 32767},
    {1000, Signs::kBoth, WeightDraw::kRandom, -3000, 3000},
    {1000, Signs::kPositive, WeightDraw::kOneSign, 20000, 32767},
};
// Shapes of real networks are large: one drive will do.
inline constexpr EventDrive kUsualDrive = {120, Signs::kBoth, WeightDraw::kRandom, -3000, 3000};

// Calls run(drive, seed) for each drive of a shape.
template <class Run>
void ForEachDrive(const ConvolutionShape& shape, const Run& run) {
  SCOPED_TRACE(Describe(shape));
  if (shape.network != nullptr) {
    run(kUsualDrive, 1);
    return;
  }
  uint32_t seed = 0;
  for (const EventDrive& drive : kDrives) {
    if (testing::Test::HasFailure()) return;
    SCOPED_TRACE(std::to_string(drive.permille) + " permille, drive " + std::to_string(seed));
    run(drive, ++seed);
  }
}

// How many membranes were compared, and how many were not.
struct Tally {
  uint64_t compared = 0;
  uint64_t ambiguous = 0;
};

template <class Kernel>
struct EventComparison {
  const Kernel* kernel = nullptr;
  const MembraneLayout* layout = nullptr;
  const SpikeFrame* spikes = nullptr;
  std::vector<int16_t> start;
  std::vector<int16_t> expected;
  // By lane: 1 where the order of saturating additions shows, which twin and kernel do not share.
  // Empty: nowhere.
  std::vector<uint8_t> ambiguous;
  uint32_t smallest_part = 1;  // blocks
  bool writes_guards = false;  // those before the first column, too
};

// Parts that make up the layer. The second list goes from the last band of rows to the first.
inline std::vector<std::vector<LayerPart>> Partitions(const MembraneLayout& layout,
                                                      uint32_t smallest_part) {
  const uint32_t blocks = layout.lanes.blocks;
  std::vector<std::vector<LayerPart>> partitions = {{{0, layout.rows, 0, blocks}}};
  const uint32_t band = (layout.rows + 2) / 3;
  if (band == layout.rows && smallest_part == blocks) return partitions;
  partitions.emplace_back();
  for (uint32_t block = 0; block < blocks; block += smallest_part) {
    for (uint32_t last = layout.rows; last > 0; last = last > band ? last - band : 0) {
      const uint32_t first = last > band ? last - band : 0;
      partitions.back().push_back({first, last, block, block + smallest_part});
    }
  }
  return partitions;
}

template <class Kernel>
void ExpectRow(const EventComparison<Kernel>& c, const LayerPart& part, size_t row,
               const int16_t* membranes, Tally& tally) {
  const MembraneLayout& layout = *c.layout;
  const size_t lanes = size_t{layout.columns} * layout.lanes.lanes;
  for (size_t block = part.first_block; block < part.last_block; ++block) {
    const size_t first = layout.RowAt(block, row);
    for (size_t i = first; i < first + lanes; ++i) {
      if (!c.ambiguous.empty() && c.ambiguous[i] != 0) {
        ++tally.ambiguous;
        continue;
      }
      ++tally.compared;
      ASSERT_EQ(membranes[i], c.expected[i])
          << "block " << block << ", row " << row << ", column " << (i - first) / layout.lanes.lanes
          << ", lane " << (i - first) % layout.lanes.lanes << ", before " << c.start[i];
    }
  }
}

// Nothing but rows of the part has changed, and of those neither what lies before the first column
// unless the kernel says so.
template <class Kernel>
void ExpectRestUnchanged(const EventComparison<Kernel>& c, const LayerPart& part,
                         const std::vector<int16_t>& before, const int16_t* after) {
  const MembraneLayout& layout = *c.layout;
  for (size_t block = 0; block < layout.lanes.blocks; ++block) {
    for (size_t row = 0; row < layout.rows; ++row) {
      const bool inside = block >= part.first_block && block < part.last_block &&
                          row >= part.first_row && row < part.last_row;
      const size_t first = layout.RowAt(block, row) - layout.guard_lanes;
      size_t size = inside ? layout.guard_lanes : layout.row_lanes;
      if (inside && c.writes_guards) size = 0;
      ASSERT_EQ(std::memcmp(&before[first], after + first, size * sizeof(int16_t)), 0)
          << "block " << block << ", row " << row << (inside ? ", before the first column" : "");
    }
  }
  ASSERT_EQ(std::memcmp(&before[layout.size()], after + layout.size(),
                        (before.size() - layout.size()) * sizeof(int16_t)),
            0);
}

template <class Kernel>
void ExpectParts(const EventComparison<Kernel>& c, const std::vector<LayerPart>& parts,
                 Tally& tally) {
  Guarded<int16_t> membranes(std::span<const int16_t>(c.start));
  SpikeLists lists;
  if constexpr (std::is_same_v<Kernel, TileGather>) Reserve(*c.kernel, lists);
  for (const LayerPart& part : parts) {
    const std::vector<int16_t> before(membranes.values().begin(), membranes.values().end());
    const EventTarget target{c.layout, part, membranes.data()};
    EventInput input{.spikes = c.spikes, .lists = &lists};
    const EventFunctions<Kernel> functions = Resolve(*c.kernel);
    functions.prepare(*c.kernel, input, target);
    for (size_t row = part.first_row; row < part.last_row; ++row) {
      functions.add_row(*c.kernel, input, target, row);
      // It may fire now.
      ASSERT_NO_FATAL_FAILURE(ExpectRow(c, part, row, membranes.data(), tally));
    }
    for (size_t row = part.first_row; row < part.last_row; ++row) {
      ASSERT_NO_FATAL_FAILURE(ExpectRow(c, part, row, membranes.data(), tally));
    }
    ASSERT_NO_FATAL_FAILURE(ExpectRestUnchanged(c, part, before, membranes.data()));
  }
  EXPECT_TRUE(membranes.intact());
}

template <class Kernel>
void ExpectSame(const EventComparison<Kernel>& c, Tally& tally) {
  for (const auto& parts : Partitions(*c.layout, c.smallest_part)) {
    SCOPED_TRACE(std::to_string(parts.size()) + " parts");
    ForEveryInstructionSet([&] {
      if (!testing::Test::HasFailure()) ExpectParts(c, parts, tally);
    });
  }
}

// Fills in `expected`: add_row(input, target, row) is the twin's.
template <class Kernel, class AddRow>
void RunReference(const AddRow& add_row, EventComparison<Kernel>& c) {
  c.expected = c.start;
  const LayerPart all{0, c.layout->rows, 0, c.layout->lanes.blocks};
  const EventTarget target{c.layout, all, c.expected.data()};
  const EventInput input{.spikes = c.spikes};
  for (size_t row = 0; row < c.layout->rows; ++row) add_row(input, target, row);
}

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_EVENT_COMPARISON_H_
