#include "runtime/integer/kernels/tile_gather/reference.h"

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {
namespace {

// Adds what the spike of one source neuron brings through one tap.
void AddSpike(const TileGatherShape& shape, const ScaledWeights& weights, size_t channel, int spike,
              size_t tap, GatheredPosition& position) {
  const size_t taps =
      static_cast<size_t>(shape.window.kernel_y()) * static_cast<size_t>(shape.window.kernel_x());
  const size_t source_group = shape.source.channels() / shape.groups;
  const size_t target_group = shape.target_channels / shape.groups;
  const size_t group = channel / source_group;
  for (size_t target = group * target_group; target < (group + 1) * target_group; ++target) {
    const size_t index = (target * source_group + channel % source_group) * taps + tap;
    const auto brought = static_cast<int64_t>(weights.Units(target, index)) * spike;
    (brought > 0 ? position.sums[target].up : position.sums[target].down) += brought;
  }
}

}  // namespace

GatheredPosition GatherPositionReference(const TileGatherShape& shape, const ScaledWeights& weights,
                                         const SpikeFrame& spikes, size_t row, size_t column) {
  GatheredPosition position;
  position.sums.resize(shape.target_channels);
  const int64_t y = shape.rows[row];
  const int64_t x = shape.columns[column];
  if (y < 0 || x < 0) return position;  // beyond the map
  const WindowAxis y_axis = RowsOf(shape.window);
  const WindowAxis x_axis = ColumnsOf(shape.window);
  for (int64_t ky = 0; ky < y_axis.kernel; ++ky) {
    const int64_t seen_y = y_axis.SourceOf(y, ky);
    if (seen_y < 0 || seen_y >= shape.view.y.size) continue;
    for (int64_t kx = 0; kx < x_axis.kernel; ++kx) {
      const int64_t seen_x = x_axis.SourceOf(x, kx);
      if (seen_x < 0 || seen_x >= shape.view.x.size) continue;
      for (const uint32_t source_y : shape.view.y.sources[static_cast<size_t>(seen_y)]) {
        for (const uint32_t source_x : shape.view.x.sources[static_cast<size_t>(seen_x)]) {
          for (size_t c = 0; c < shape.source.channels(); ++c) {
            const int spike = SpikeOf(spikes, source_y, NeuronAt(shape.source_lanes, source_x, c));
            if (spike == 0) continue;
            ++position.spikes;
            AddSpike(shape, weights, c, spike, static_cast<size_t>(ky * x_axis.kernel + kx),
                     position);
          }
        }
      }
    }
  }
  return position;
}

void GatherRowReference(const TileGatherShape& shape, const ScaledWeights& weights,
                        const EventInput& input, const EventTarget& target, size_t row) {
  const MembraneLayout& layout = *target.layout;
  const PartChannels channels(layout, target.part);
  for (size_t column = 0; column < layout.columns; ++column) {
    const GatheredPosition position =
        GatherPositionReference(shape, weights, *input.spikes, row, column);
    for (size_t c = channels.first; c < channels.last && c < shape.target_channels; ++c) {
      AddSaturating(position.sums[c].up + position.sums[c].down,
                    target.membranes[MembraneAt(layout, row, column, c)]);
    }
  }
}

}  // namespace cssrun::internal
