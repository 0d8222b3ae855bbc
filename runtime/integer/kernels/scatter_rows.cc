#include "runtime/integer/kernels/scatter_rows.h"

#include "runtime/assert.h"

namespace cssrun::internal {

std::vector<ScatterRow> PlanScatterRows(const ScatterAxis& axis, const SourceAxis& view,
                                        uint32_t sources, uint32_t targets) {
  std::vector<ScatterRow> rows;
  CSSRUN_ASSERT(view.divisor > 0);  // each source position belongs to one view position at most
  uint32_t due = 0;
  for (int64_t row = 0; row < sources; ++row) {
    ScatterRow plan;
    const int64_t seen = row / view.divisor;
    if (seen < view.size) {
      const ScatterAxis::Place& place = axis.places[static_cast<size_t>(seen)];
      const auto exists = [&](int64_t tap) {
        return place.first + tap >= 0 && place.first + tap < targets &&
               axis.KernelIndexOf(place.phase, tap) >= 0;
      };
      int64_t tap = 0;
      while (tap < axis.taps && !exists(tap)) ++tap;
      int64_t last = axis.taps;
      while (last > tap && !exists(last - 1)) --last;
      if (last > tap) {
        // Where taps are dilated, the first one that exists may lie before that of the row before;
        // the first tap of all, which need not exist, never does.
        CSSRUN_ASSERT(place.first <= 0 || place.first >= due);
        due = static_cast<uint32_t>(std::max<int64_t>(0, place.first));
        plan.first = static_cast<uint32_t>(place.first + tap);
        plan.count = static_cast<uint32_t>(last - tap);
        plan.first_tap = static_cast<uint32_t>(tap);
      }
    }
    plan.due = due;
    rows.push_back(plan);
  }
  return rows;
}

}  // namespace cssrun::internal
