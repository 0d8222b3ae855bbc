#include "runtime/integer/kernels/level_conv/reference.h"

#include <cmath>

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"
#include "runtime/integer/neurons/reference.h"

namespace cssrun::internal {
namespace {

// Of a target channel at one position. Lanes without a channel get nothing. `zeros`: of pixels, by
// source channel, or none.
int64_t SumOf(const LevelConvShape& shape, const ScaledWeights& weights, const LevelFrame& levels,
              std::span<const double> zeros, size_t row, size_t column, size_t target) {
  if (target >= shape.target_channels) return 0;
  const WindowAxis y_axis = RowsOf(shape.window);
  const WindowAxis x_axis = ColumnsOf(shape.window);
  int64_t sum = 0;
  double of_zeros = 0;
  const size_t sources = shape.source.channels() / shape.groups;
  const size_t first = target / (shape.target_channels / shape.groups) * sources;
  for (size_t c = 0; c < sources; ++c) {
    for (int64_t ky = 0; ky < y_axis.kernel; ++ky) {
      const int64_t y = y_axis.SourceOf(static_cast<int64_t>(row), ky);
      if (y < 0 || y >= shape.source.height()) continue;
      for (int64_t kx = 0; kx < x_axis.kernel; ++kx) {
        const int64_t x = x_axis.SourceOf(static_cast<int64_t>(column), kx);
        if (x < 0 || x >= shape.source.width()) continue;
        const auto channel = static_cast<int64_t>(target * sources + c);
        const auto index = static_cast<size_t>((channel * y_axis.kernel + ky) * x_axis.kernel + kx);
        const size_t neuron = static_cast<size_t>(x) * shape.source_stride + first + c;
        const int level = levels.Row(static_cast<size_t>(y))[neuron] - levels.layout.zero;
        sum += static_cast<int64_t>(weights.Units(target, index)) * level;
        if (!zeros.empty()) of_zeros += weights.Units(target, index) * zeros[first + c];
      }
    }
  }
  return sum + static_cast<int64_t>(std::nearbyint(of_zeros));
}

}  // namespace

void SumLevelsReference(const LevelConvShape& shape, const ScaledWeights& weights,
                        const LevelFrame& levels, const LevelTarget& target, size_t row,
                        const float* float_scale, std::span<const double> zeros) {
  const SettledRow& settled = *target.settled;
  const MembraneLayout& layout = *settled.layout;
  const float* joined_scale = target.joins_floats ? float_scale : nullptr;
  const auto potential = [&](int64_t sum, size_t column, size_t c) {
    return PotentialReference(settled, *target.inputs, static_cast<float>(sum), column, c,
                              joined_scale);
  };
  for (size_t column = 0; column < layout.columns; ++column) {
    for (size_t c = 0; c < layout.lanes.stride(); ++c) {
      const int64_t sum = SumOf(shape, weights, levels, zeros, row, column, c);
      int16_t& membrane = settled.membranes[MembraneAt(layout, row, column, c)];
      switch (target.mode) {
        case SumMode::kStore:
          membrane = Saturated(sum);
          break;
        case SumMode::kJoin:
          AddSaturating(Saturated(sum), membrane);
          break;
        case SumMode::kPotential:
          membrane = potential(sum, column, c);
          break;
        case SumMode::kLevels:
          target.levels[NeuronAt(layout.lanes, column, c)] =
              LevelReference(*target.rule, potential(sum, column, c));
          break;
        case SumMode::kSetFloats:
        case SumMode::kAddFloats: {
          const size_t lanes = layout.lanes.lanes;
          float& to = target.floats[c / lanes * target.block_floats + column * lanes + c % lanes];
          const float brought =
              static_cast<float>(sum) * float_scale[c / lanes * kLineLanes + c % lanes];
          to = target.mode == SumMode::kSetFloats ? brought : to + brought;
          break;
        }
      }
    }
  }
}

}  // namespace cssrun::internal
