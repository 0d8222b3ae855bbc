// The plain twin of RowScatter. It takes the shape and the weights in place of the kernel that is
// laid out from them, and gathers instead of scattering: for one target row, what each source row
// brings.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_ROW_SCATTER_REFERENCE_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_ROW_SCATTER_REFERENCE_H_

#include <cstddef>

#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/row_scatter/row_scatter.h"

namespace cssrun::internal {

// All spikes that reach target row `row` of the part's blocks. Source rows come in ascending order,
// and the sum of each joins the membranes in one saturating addition. So does that of the kernel,
// unless a run has more lines than the kernel keeps in registers: then some taps join after others.
void ScatterRowReference(const RowScatterShape& shape, const ScaledWeights& weights,
                         const EventInput& input, const EventTarget& target, size_t row);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_ROW_SCATTER_REFERENCE_H_
