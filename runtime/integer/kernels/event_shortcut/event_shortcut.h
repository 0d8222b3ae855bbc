// Event kernel of identities (shortcuts of residual blocks): one weight for all spikes.
//
// A spike has one target, so a word of spikes becomes a mask under which the weight is added to up
// to 32 neighbouring lanes at a time.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_SHORTCUT_EVENT_SHORTCUT_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_SHORTCUT_EVENT_SHORTCUT_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/scatter_rows.h"
#include "runtime/integer/kernels/shortcut_runs.h"
#include "runtime/integer/kernels/weights.h"

namespace cssrun::internal {

// The largest weight of an identity: 16 bits hold four of them.
constexpr double kLargestIdentity = 8191;

struct EventShortcut {
  static constexpr KernelTraits kTraits = {
      .name = "event_shortcut", .width = WeightWidth::kWide, .nanoseconds = 0.3};
  static bool Takes(const Connection& connection, const TargetLayer& target);
  static std::optional<EventShortcut> Build(const KernelRequest& request, std::string& reason);
  StoredWeights Stored(const LaneLayout& target) const;

  std::vector<ScatterRow> rows;  // by source row
  ShortcutRuns runs;
  WideWeights weights;  // by source neuron of a row, in units of its target; a line to spare
};

// `rows`: by source row; `scales`: units per amplitude, by target channel. Throws std::bad_alloc.
EventShortcut MakeEventShortcut(std::vector<ScatterRow> rows, ShortcutRuns runs, double weight,
                                std::span<const double> scales);

EventFunctions<EventShortcut> Resolve(const EventShortcut& kernel);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_EVENT_SHORTCUT_EVENT_SHORTCUT_H_
