#include "runtime/integer/kernels/level_depthwise/reference.h"

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"
#include "runtime/integer/neurons/reference.h"

namespace cssrun::internal {
namespace {

// Of a channel at one position. Lanes without a channel get nothing.
int64_t SumOf(const LevelDepthwiseShape& shape, const ScaledWeights& weights,
              const LevelFrame& levels, size_t row, size_t column, size_t channel) {
  if (channel >= shape.source.channels()) return 0;
  const WindowAxis y_axis = RowsOf(shape.window);
  const WindowAxis x_axis = ColumnsOf(shape.window);
  int64_t sum = 0;
  for (int64_t ky = 0; ky < y_axis.kernel; ++ky) {
    const int64_t y = y_axis.SourceOf(static_cast<int64_t>(row), ky);
    if (y < 0 || y >= shape.source.height()) continue;
    for (int64_t kx = 0; kx < x_axis.kernel; ++kx) {
      const int64_t x = x_axis.SourceOf(static_cast<int64_t>(column), kx);
      if (x < 0 || x >= shape.source.width()) continue;
      const auto tap = static_cast<size_t>(
          (static_cast<int64_t>(channel) * y_axis.kernel + ky) * x_axis.kernel + kx);
      const size_t neuron = NeuronAt(shape.lanes, static_cast<size_t>(x), channel);
      const int level = levels.Row(static_cast<size_t>(y))[neuron] - levels.layout.zero;
      sum += static_cast<int64_t>(weights.Units(channel, tap)) * level;
    }
  }
  return sum;
}

}  // namespace

void SumDepthwiseReference(const LevelDepthwiseShape& shape, const ScaledWeights& weights,
                           const LevelFrame& levels, const LevelTarget& target, size_t row,
                           const float* float_scale) {
  const SettledRow& settled = *target.settled;
  const MembraneLayout& layout = *settled.layout;
  const size_t lanes = layout.lanes.lanes;
  for (size_t column = 0; column < layout.columns; ++column) {
    for (size_t c = 0; c < layout.lanes.stride(); ++c) {
      const auto sum = static_cast<float>(SumOf(shape, weights, levels, row, column, c));
      if (ToFloats(target.mode)) {
        float& to = target.floats[c / lanes * target.block_floats + column * lanes + c % lanes];
        const float brought = sum * float_scale[c / lanes * kLineLanes + c % lanes];
        to = target.mode == SumMode::kSetFloats ? brought : to + brought;
        continue;
      }
      const int16_t z = PotentialReference(settled, *target.inputs, sum, column, c);
      if (target.mode == SumMode::kLevels) {
        target.levels[NeuronAt(layout.lanes, column, c)] = LevelReference(*target.rule, z);
      } else {
        settled.membranes[MembraneAt(layout, row, column, c)] = z;
      }
    }
  }
}

}  // namespace cssrun::internal
