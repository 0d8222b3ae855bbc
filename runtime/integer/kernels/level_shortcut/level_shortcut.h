// Level kernel of identities into settled layers: the potential gets weight times level, in float.
//
// Where a row of the source holds the same neurons in the same places as a row of the target, the
// shortcut is aligned: potentials read its levels directly (AlignedShortcut). Any other shortcut
// first adds what it brings to an array of floats beside the membranes.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_LEVEL_SHORTCUT_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_LEVEL_SHORTCUT_H_

#include <cstddef>
#include <cstdint>

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/shortcut_runs.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"

namespace cssrun::internal {

struct LevelShortcut {
  float weight = 0;  // settled units per level
  bool aligned = false;
  WindowAxis rows;          // kernel 1, over rows of the source's view
  int64_t row_divisor = 1;  // source rows of one row of the view, see SourceAxis
  uint32_t source_rows = 0;
  ShortcutRuns runs;
};

// Source rows [first, last) that a target row gets: none, or some neighbours.
struct SourceRows {
  size_t first = 0;
  size_t last = 0;
};
SourceRows SourceRowsOf(const LevelShortcut& kernel, size_t row);

// Adds what the shortcut brings to target row `row` to `floats`, [block][row][map lanes], in
// settled units.
void AddLevelShortcut(const LevelShortcut& kernel, const LevelFrame& levels,
                      const MembraneLayout& layout, size_t row, float* floats);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_LEVEL_SHORTCUT_H_
