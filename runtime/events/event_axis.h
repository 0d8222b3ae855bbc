// One axis of the synapses of an event network as a scatter: where the spikes of each source
// position go, pools included.
#ifndef CSSRUN_RUNTIME_EVENTS_EVENT_AXIS_H_
#define CSSRUN_RUNTIME_EVENTS_EVENT_AXIS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"

namespace cssrun::internal {

// `count` targets from `target` on, which use as many stored taps from `tap` on.
struct AxisRun {
  uint32_t target = 0;
  uint32_t count = 0;
  uint32_t tap = 0;
  // The same in numbers, see EventAxis::Scale().
  size_t first_target = 0;
  size_t first_weight = 0;
};

struct EventAxis {
  std::span<const AxisRun> RunsOf(uint32_t source) const {
    CSSRUN_ASSERT(source + 1 < begin.size());
    return std::span(runs).subspan(begin[source], begin[source + 1] - begin[source]);
  }

  // Sets the runs' indices for `target_size` numbers per target and `tap_size` numbers per tap.
  void Scale(size_t target_size, size_t tap_size) {
    for (AxisRun& run : runs) {
      run.first_target = run.target * target_size;
      run.first_weight = run.tap * tap_size;
    }
  }

  std::vector<uint32_t> begin;  // by source position: its first run; one more at the end
  std::vector<AxisRun> runs;
  bool one_run = true;  // of each source position
  // The kernel index of each stored tap. Taps are stored in the order in which consecutive targets
  // use them, by falling indices, stride apart, so that runs are as long as possible.
  std::vector<int64_t> kernel_index;
};

// `sources` positions, of which `pooled` sums over `pool` are read; `targets` positions.
EventAxis MakeEventAxis(int64_t sources, const WindowAxis& pool, int64_t pooled,
                        const WindowAxis& window, int64_t targets);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_EVENTS_EVENT_AXIS_H_
