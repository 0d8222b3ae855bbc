// The plain twin of EventShortcut. It takes the shape, the window and the one weight in place of
// the kernel that is laid out from them.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_SHORTCUT_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_SHORTCUT_REFERENCE_H_

#include <cstddef>
#include <span>

#include "network_generated.h"
#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/shortcut_runs.h"

namespace cssrun::internal {

// All spikes that reach target row `row` of the part's blocks, one after another in the order of
// source rows and neurons: each is one saturating addition, as it is in the kernel. `window` has
// one tap; it reads positions of the shape's view.
void EventShortcutRowReference(const ShortcutShape& shape, const format::Window& window,
                               double weight, std::span<const double> scales,
                               const EventInput& input, const EventTarget& target, size_t row);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_SHORTCUT_REFERENCE_H_
