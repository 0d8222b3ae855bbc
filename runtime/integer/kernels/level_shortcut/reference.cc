#include "runtime/integer/kernels/level_shortcut/reference.h"

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {

void AddLevelShortcutReference(const ShortcutShape& shape, const format::Window& window,
                               float weight, const LevelFrame& levels, const MembraneLayout& layout,
                               size_t row, float* floats) {
  const size_t lanes = layout.lanes.lanes;
  const int64_t seen_y = RowsOf(window).SourceOf(static_cast<int64_t>(row), 0);
  if (seen_y < 0 || seen_y >= shape.view.y.size) return;
  for (const uint32_t y : shape.view.y.sources[static_cast<size_t>(seen_y)]) {
    for (size_t column = 0; column < layout.columns; ++column) {
      const int64_t seen_x = ColumnsOf(window).SourceOf(static_cast<int64_t>(column), 0);
      if (seen_x < 0 || seen_x >= shape.view.x.size) continue;
      for (const uint32_t x : shape.view.x.sources[static_cast<size_t>(seen_x)]) {
        for (size_t c = 0; c < shape.target_channels; ++c) {
          const int64_t source = static_cast<int64_t>(c) - shape.channel_offset;
          if (source < 0 || source >= shape.source.channels()) continue;
          const size_t neuron = NeuronAt(shape.source_lanes, x, static_cast<size_t>(source));
          const int level = levels.Row(y)[neuron] - levels.layout.zero;
          const float brought = static_cast<float>(level) * weight;
          floats[layout.MapRowAt(c / lanes, row) + column * lanes + c % lanes] += brought;
        }
      }
    }
  }
}

}  // namespace cssrun::internal
