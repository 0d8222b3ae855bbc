// The plain twin of LevelShortcut. It takes the shape, the window and the one weight in place of
// the kernel that is laid out from them.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_REFERENCE_H_

#include <cstddef>

#include "network_generated.h"
#include "runtime/integer/kernels/shortcut_runs.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"

namespace cssrun::internal {

// Adds what the shortcut brings to target row `row` to `floats`, [block][row][map lanes], in the
// order of source rows and neurons. `window` has one tap; it reads positions of the shape's view.
void AddLevelShortcutReference(const ShortcutShape& shape, const format::Window& window,
                               float weight, const LevelFrame& levels, const MembraneLayout& layout,
                               size_t row, float* floats);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_SHORTCUT_REFERENCE_H_
