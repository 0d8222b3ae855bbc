// Level kernel of identities into settled layers: the potential gets weight times level, in float.
//
// Potentials read levels directly where a row holds each neuron in the place that it has in a row
// of the target (AlignedShortcut). How a shortcut gets there, see ShortcutAccess.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_LEVEL_SHORTCUT_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_LEVEL_SHORTCUT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/shortcut_runs.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"

namespace cssrun::internal {

enum class ShortcutAccess : uint8_t {
  kAligned,  // rows of the source are such rows
  kCopied,   // the levels of a row are copied into one
  kAdded,  // what it brings is added to an array of floats beside the membranes: means, several of
           // them
};

struct LevelShortcut {
  static constexpr KernelTraits kTraits = {
      .name = "level_shortcut", .role = KernelRole::kAddsLevels, .nanoseconds = 0.1};
  static bool Takes(const Connection& connection, const TargetLayer& target);
  static std::optional<LevelShortcut> Build(const KernelRequest& request, std::string& reason);
  StoredWeights Stored(const LaneLayout& target) const;

  float weight = 0;  // settled units per level
  ShortcutAccess access = ShortcutAccess::kAdded;
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

// Whether one source neuron at most reaches each target, and each run lies in one column or in a
// row without gaps, so that CopyLevelShortcut() may be called.
bool CanCopy(const LevelShortcut& kernel, const LaneLayout& lanes);

// Writes what target row `row` gets to some columns of `to`, [column][lane of all blocks]: levels,
// and level 0 where no source is.
void CopyLevelShortcut(const LevelShortcut& kernel, const LevelFrame& levels,
                       const MembraneLayout& layout, size_t row, const ColumnRange& columns,
                       uint8_t* to);

// Adds what the shortcut brings to target row `row` to `floats`, [block][row][map lanes], in
// settled units.
void AddLevelShortcut(const LevelShortcut& kernel, const LevelFrame& levels,
                      const MembraneLayout& layout, size_t row, float* floats);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_LEVEL_SHORTCUT_H_
