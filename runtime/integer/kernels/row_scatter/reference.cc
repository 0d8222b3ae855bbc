#include "runtime/integer/kernels/row_scatter/reference.h"

#include <vector>

#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {
namespace {

// What kernel row `ky` brings from source row `source` to a target column, by target channel.
std::vector<int64_t> SumRow(const RowScatterShape& shape, const ScaledWeights& weights,
                            const SpikeFrame& spikes, size_t source, int64_t ky, int64_t column) {
  const int64_t kernel_x = shape.window.kernel_x();
  std::vector<int64_t> sums(shape.target_channels, 0);
  for (int64_t kx = 0; kx < kernel_x; ++kx) {
    const int64_t x = column - shape.window.pad_left() + kx;
    if (x < 0 || x >= shape.source_columns) continue;
    for (size_t c = 0; c < shape.source_channels; ++c) {
      const int spike =
          SpikeOf(spikes, source, NeuronAt(shape.source_lanes, static_cast<size_t>(x), c));
      if (spike == 0) continue;
      for (size_t target = 0; target < shape.target_channels; ++target) {
        const int64_t kernel_row =
            static_cast<int64_t>(target * shape.source_channels + c) * shape.window.kernel_y() + ky;
        const auto index = static_cast<size_t>(kernel_row * kernel_x + kx);
        sums[target] += static_cast<int64_t>(weights.Units(target, index)) * spike;
      }
    }
  }
  return sums;
}

}  // namespace

void ScatterRowReference(const RowScatterShape& shape, const ScaledWeights& weights,
                         const EventInput& input, const EventTarget& target, size_t row) {
  const MembraneLayout& layout = *target.layout;
  const PartChannels channels(layout, target.part);
  for (size_t source = 0; source < input.spikes->rows(); ++source) {
    const int64_t ky =
        static_cast<int64_t>(source) + shape.window.pad_top() - static_cast<int64_t>(row);
    if (ky < 0 || ky >= shape.window.kernel_y()) continue;
    for (size_t column = 0; column < layout.columns; ++column) {
      const std::vector<int64_t> sums =
          SumRow(shape, weights, *input.spikes, source, ky, static_cast<int64_t>(column));
      for (size_t c = channels.first; c < channels.last && c < shape.target_channels; ++c) {
        AddSaturating(sums[c], target.membranes[MembraneAt(layout, row, column, c)]);
      }
    }
  }
}

}  // namespace cssrun::internal
