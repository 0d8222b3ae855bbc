// For kernels that scatter: which target rows the spikes of a source row reach.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_SCATTER_ROWS_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_SCATTER_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/geometry/scatter_axis.h"
#include "runtime/integer/kernels/event_kernel.h"

namespace cssrun::internal {

// The spikes of one source row go to target rows [first, first + count).
struct ScatterRow {
  uint32_t due = 0;  // to be added before this target row fires; never decreases from row to row
  uint32_t first = 0;
  uint32_t count = 0;
  uint32_t first_tap = 0;  // the tap row that goes to `first`
};

// By source row. `targets`: rows of membranes.
std::vector<ScatterRow> PlanScatterRows(const ScatterAxis& axis, const SourceAxis& view,
                                        uint32_t sources, uint32_t targets);

// Calls add(source row, plan, first, last) for each source row that target row `row` waits for and
// that has spikes: they go to target rows [first, last), within the part.
template <class Add>
void ForEachDueRow(const std::vector<ScatterRow>& rows, EventInput& input, const LayerPart& part,
                   size_t row, const Add& add) {
  for (; input.next_source_row < rows.size() && rows[input.next_source_row].due <= row;
       ++input.next_source_row) {
    const ScatterRow& plan = rows[input.next_source_row];
    const size_t first = std::max<size_t>(plan.first, part.first_row);
    const size_t last = std::min<size_t>(size_t{plan.first} + plan.count, part.last_row);
    if (first >= last || input.spikes->counts[input.next_source_row] == 0) continue;
    add(input.next_source_row, plan, first, last);
  }
}

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_SCATTER_ROWS_H_
