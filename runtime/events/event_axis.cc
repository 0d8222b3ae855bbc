#include "runtime/events/event_axis.h"

#include <algorithm>
#include <numeric>

namespace cssrun::internal {
namespace {

struct Tap {
  int64_t target = 0;
  int64_t stored = 0;
};

// By kernel index: where it is stored.
std::vector<int64_t> StoreTaps(const WindowAxis& window, std::vector<int64_t>& kernel_index) {
  // From one target to the next, the kernel index of a source falls by this much.
  const int64_t step = window.stride / std::gcd(window.stride, window.dilation);
  std::vector<int64_t> stored(static_cast<size_t>(window.kernel));
  for (int64_t phase = 0; phase < std::min(step, window.kernel); ++phase) {
    int64_t k = phase + (window.kernel - 1 - phase) / step * step;
    for (; k >= 0; k -= step) {
      stored[static_cast<size_t>(k)] = static_cast<int64_t>(kernel_index.size());
      kernel_index.push_back(k);
    }
  }
  return stored;
}

// Adds the taps of each position to `taps`, by source position.
void CollectTaps(const WindowAxis& window, int64_t sources, int64_t targets,
                 const std::vector<int64_t>& stored, std::vector<std::vector<Tap>>& taps) {
  for (int64_t target = 0; target < targets; ++target) {
    for (int64_t k = 0; k < window.kernel; ++k) {
      const int64_t source = window.SourceOf(target, k);
      if (source < 0 || source >= sources) continue;
      taps[static_cast<size_t>(source)].push_back({target, stored[static_cast<size_t>(k)]});
    }
  }
}

void AppendRuns(const std::vector<Tap>& taps, EventAxis& axis) {
  const size_t first = axis.runs.size();
  for (const Tap& tap : taps) {
    if (axis.runs.size() > first) {
      AxisRun& run = axis.runs.back();
      if (run.target + run.count == tap.target && run.tap + run.count == tap.stored) {
        ++run.count;
        continue;
      }
    }
    axis.runs.push_back(
        {static_cast<uint32_t>(tap.target), 1, static_cast<uint32_t>(tap.stored), 0, 0});
  }
}

}  // namespace

EventAxis MakeEventAxis(int64_t sources, const WindowAxis& pool, int64_t pooled,
                        const WindowAxis& window, int64_t targets) {
  EventAxis axis;
  const std::vector<int64_t> stored = StoreTaps(window, axis.kernel_index);
  std::vector<std::vector<Tap>> taps(static_cast<size_t>(pooled));
  CollectTaps(window, pooled, targets, stored, taps);
  const std::vector<int64_t> unit(static_cast<size_t>(pool.kernel), 0);
  std::vector<std::vector<Tap>> members(static_cast<size_t>(sources));
  CollectTaps(pool, sources, pooled, unit, members);
  for (const std::vector<Tap>& places : members) {
    axis.begin.push_back(static_cast<uint32_t>(axis.runs.size()));
    for (const Tap& place : places) AppendRuns(taps[static_cast<size_t>(place.target)], axis);
    axis.one_run &= axis.runs.size() == axis.begin.back() + 1;
  }
  axis.begin.push_back(static_cast<uint32_t>(axis.runs.size()));
  return axis;
}

}  // namespace cssrun::internal
