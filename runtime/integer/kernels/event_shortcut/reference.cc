#include "runtime/integer/kernels/event_shortcut/reference.h"

#include <algorithm>
#include <cmath>

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {

void EventShortcutRowReference(const ShortcutShape& shape, const format::Window& window,
                               double weight, std::span<const double> scales,
                               const EventInput& input, const EventTarget& target, size_t row) {
  const MembraneLayout& layout = *target.layout;
  const PartChannels channels(layout, target.part);
  const int64_t seen_y = RowsOf(window).SourceOf(static_cast<int64_t>(row), 0);
  if (seen_y < 0 || seen_y >= shape.view.y.size) return;
  for (const uint32_t y : shape.view.y.sources[static_cast<size_t>(seen_y)]) {
    for (size_t column = 0; column < layout.columns; ++column) {
      const int64_t seen_x = ColumnsOf(window).SourceOf(static_cast<int64_t>(column), 0);
      if (seen_x < 0 || seen_x >= shape.view.x.size) continue;
      for (const uint32_t x : shape.view.x.sources[static_cast<size_t>(seen_x)]) {
        for (size_t c = channels.first; c < channels.last && c < shape.target_channels; ++c) {
          const int64_t source = static_cast<int64_t>(c) - shape.channel_offset;
          if (source < 0 || source >= shape.source.channels()) continue;
          const double units = std::clamp(std::nearbyint(weight * scales[c]), -32767.0, 32767.0);
          const int spike = SpikeOf(*input.spikes, y,
                                    NeuronAt(shape.source_lanes, x, static_cast<size_t>(source)));
          AddSaturating(static_cast<int64_t>(units) * spike,
                        target.membranes[MembraneAt(layout, row, column, c)]);
        }
      }
    }
  }
}

}  // namespace cssrun::internal
