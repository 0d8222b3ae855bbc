// Where the neurons of a source row go through an identity, such as the shortcut of a residual
// block: runs of neighbouring neurons of one word that go to neighbouring lanes of one block.
//
//     word 0   . . 2 3 4 5 . .     run {word 0, first 2, mask 0b1111, block 0, lane 6}
//                  | | | |
//     lanes    . . 6 7 8 9 . .
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_SHORTCUT_RUNS_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_SHORTCUT_RUNS_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "runtime/geometry/scatter_axis.h"
#include "runtime/geometry/source_view.h"
#include "runtime/integer/layout/lane_layout.h"

namespace cssrun::internal {

struct Connection;
struct TargetLayer;

struct ShortcutRun {
  uint32_t word = 0;
  uint32_t first = 0;  // neuron of the word
  uint32_t mask = 0;   // which of `first` and its followers exist; their bits are consecutive
  uint32_t lane = 0;   // of `first`, from the first column of the target row
};

struct ShortcutRuns {
  std::vector<ShortcutRun> runs;  // by block of targets
  std::vector<uint32_t> bounds;   // those of block b: [bounds[b], bounds[b + 1])
  std::vector<int32_t> targets;   // by source neuron of a row: its target channel, or -1
};

// What runs are made for.
struct ShortcutShape {
  format::Extent source;
  LaneLayout source_lanes;
  SourceView view;
  ScatterAxis x;
  uint32_t target_channels = 0;
  LaneLayout target_lanes;
  uint32_t target_columns = 0;
  int32_t channel_offset = 0;  // target channel less source channel
};

ShortcutShape ShortcutShapeOf(const Connection& connection, const TargetLayer& target);

ShortcutRuns PlanShortcutRuns(const ShortcutShape& shape);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_SHORTCUT_RUNS_H_
