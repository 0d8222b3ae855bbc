// Adds the spikes of identities, for every instruction set: see event_shortcut.h.
#include "runtime/integer/kernels/event_shortcut/event_shortcut.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "runtime/assert.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/event_shortcut/event_shortcut.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The spikes of one source row into one row of membranes.
void AddRuns(const EventShortcut& kernel, const uint64_t* words, const EventTarget& target,
             size_t row) {
  const Lanes16 d;
  CSSRUN_ASSERT(target.part.last_block < kernel.runs.bounds.size());
  for (size_t block = target.part.first_block; block < target.part.last_block; ++block) {
    int16_t* membranes = target.membranes + target.layout->RowAt(block, row);
    for (size_t r = kernel.runs.bounds[block]; r < kernel.runs.bounds[block + 1]; ++r) {
      const ShortcutRun run = kernel.runs.runs[r];
      const uint64_t word = words[run.word] >> run.first;
      const auto ups = static_cast<uint32_t>(word) & run.mask;
      const auto downs = static_cast<uint32_t>(word >> kLineLanes) & run.mask;
      const int16_t* weights = kernel.weights.get() + size_t{run.word} * kLineLanes + run.first;
      for (size_t i = 0; i < kLineLanes; i += hn::Lanes(d)) {
        int16_t* at = membranes + run.lane + i;
        const auto weight = hn::LoadU(d, weights + i);
        const auto up = hn::IfThenElseZero(MaskOf(ups, i), weight);
        const auto down = hn::IfThenElseZero(MaskOf(downs, i), weight);
        hn::StoreU(hn::SaturatedSub(hn::SaturatedAdd(hn::LoadU(d, at), up), down), d, at);
      }
    }
  }
}

// The spikes that target row `row` waits for. An identity has one row of taps.
void AddDueShortcuts(const EventShortcut& kernel, EventInput& input, const EventTarget& target,
                     size_t row) {
  ForEachDueRow(kernel.rows, input, target.part, row,
                [&](size_t source, const ScatterRow&, size_t first, size_t)
                    HWY_ATTR { AddRuns(kernel, input.spikes->Row(source), target, first); });
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(AddDueShortcuts);

EventShortcut MakeEventShortcut(std::vector<ScatterRow> rows, ShortcutRuns runs, double weight,
                                std::span<const double> scales) {
  EventShortcut kernel;
  kernel.rows = std::move(rows);
  kernel.runs = std::move(runs);
  const size_t neurons = kernel.runs.targets.size();
  kernel.weights = AllocateAligned<int16_t>(neurons + kLineLanes);
  std::fill_n(kernel.weights.get(), neurons + kLineLanes, int16_t{0});
  for (size_t i = 0; i < neurons; ++i) {
    const int32_t target = kernel.runs.targets[i];
    if (target < 0) continue;
    const double units = std::nearbyint(weight * scales[static_cast<size_t>(target)]);
    kernel.weights[i] = static_cast<int16_t>(std::clamp(units, -32767.0, 32767.0));
  }
  return kernel;
}

EventFunctions<EventShortcut> Resolve(const EventShortcut&) {
  return {&PrepareNothing<EventShortcut>, &HWY_DYNAMIC_DISPATCH(AddDueShortcuts)};
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
