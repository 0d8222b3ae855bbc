#include "runtime/integer/kernels/depthwise/reference.h"

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {

void DepthwiseRowReference(const Depthwise& kernel, const ScaledWeights& weights, uint32_t channels,
                           const EventInput& input, const EventTarget& target, size_t row) {
  const MembraneLayout& layout = *target.layout;
  const WindowAxis y_axis = RowsOf(kernel.window);
  const WindowAxis x_axis = ColumnsOf(kernel.window);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t column = 0; column < layout.columns; ++column) {
      for (int64_t ky = 0; ky < y_axis.kernel; ++ky) {
        const int64_t y = y_axis.SourceOf(static_cast<int64_t>(row), ky);
        if (y < 0 || y >= kernel.source_rows) continue;
        int64_t sum = 0;
        for (int64_t kx = 0; kx < x_axis.kernel; ++kx) {
          const int64_t x = x_axis.SourceOf(static_cast<int64_t>(column), kx);
          if (x < 0 || x >= kernel.source_columns) continue;
          const auto tap = static_cast<size_t>(ky * x_axis.kernel + kx);
          const auto taps = static_cast<size_t>(y_axis.kernel * x_axis.kernel);
          const auto weight = static_cast<int64_t>(weights.Units(c, c * taps + tap));
          sum += weight * SpikeOf(*input.spikes, static_cast<size_t>(y),
                                  NeuronAt(layout.lanes, static_cast<size_t>(x), c));
        }
        AddSaturating(sum, target.membranes[MembraneAt(layout, row, column, c)]);
      }
    }
  }
}

}  // namespace cssrun::internal
