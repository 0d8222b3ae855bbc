// Lays out a RowScatter at load time.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "runtime/assert.h"
#include "runtime/integer/kernels/row_scatter/row_scatter.h"

namespace cssrun::internal {
namespace {

// Lanes from a position's own column of membranes back to the first one that it reaches.
int64_t LanesBack(const RowScatterShape& shape) {
  const int64_t columns = int64_t{shape.window.kernel_x()} - 1 - shape.window.pad_left();
  return columns * shape.target_lanes.lanes;
}

// Where the first target of a step begins in its run.
uint32_t LaneInRun(const RowScatterShape& shape, uint32_t guard) {
  return static_cast<uint32_t>((guard - LanesBack(shape)) % kLineLanes);
}

template <class Weight>
void Fill(const RowScatterShape& shape, const ScaledWeights& weights, uint32_t guard,
          const SlidePlan& slide, Weight* out) {
  const auto kernel_x = static_cast<size_t>(shape.window.kernel_x());
  const auto kernel_y = static_cast<size_t>(shape.window.kernel_y());
  const size_t lanes = shape.target_lanes.lanes;
  const size_t lane = LaneInRun(shape, guard);
  const size_t word_neurons = slide.word_neurons();
  size_t index = 0;
  for (size_t target = 0; target < shape.target_channels; ++target) {
    const size_t block = target / lanes * slide.block_size();
    for (size_t c = 0; c < shape.source_channels; ++c) {
      for (size_t tap = 0; tap < kernel_y * kernel_x; ++tap) {
        const double weight = weights.Units(target, index++);
        // Later kernel rows and columns go to earlier targets.
        const size_t row = kernel_y - 1 - tap / kernel_x;
        const size_t column = kernel_x - 1 - tap % kernel_x;
        for (size_t position = 0; position < shape.target_lanes.positions(); ++position) {
          const size_t neuron = position * shape.source_lanes.stride() + c;
          const size_t spike = neuron / word_neurons * 2 * word_neurons + neuron % word_neurons;
          const size_t at = block + row * slide.tap_row_size() + lane +
                            (position + column) * lanes + target % lanes;
          out[at + spike * slide.spike_size()] = static_cast<Weight>(weight);
          out[at + (spike + word_neurons) * slide.spike_size()] = static_cast<Weight>(-weight);
        }
      }
    }
  }
}

}  // namespace

SlidePlan PlanSlide(const RowScatterShape& shape, uint32_t guard) {
  CSSRUN_ASSERT(guard >= LanesBack(shape));
  SlidePlan plan;
  const uint32_t positions = shape.target_lanes.positions();
  const auto kernel = static_cast<uint32_t>(shape.window.kernel_x());
  const uint32_t lane = LaneInRun(shape, guard);
  plan.steps = (shape.source_columns + positions - 1) / positions;
  plan.step_neurons = positions * shape.source_lanes.stride();
  plan.tap_rows = static_cast<uint32_t>(shape.window.kernel_y());
  plan.run =
      (lane + (positions - 1 + kernel) * shape.target_lanes.lanes + kLineLanes - 1) / kLineLanes;
  plan.first_lane = static_cast<uint32_t>(guard - LanesBack(shape) - lane);
  plan.ends_outside = positions == 1 && kernel == 3 && shape.window.pad_left() == 1 &&
                      plan.steps == shape.target_columns && plan.steps > 1;
  return plan;
}

bool SumsFit(const RowScatterShape& shape, const ScaledWeights& weights) {
  // A sum is of the spikes of one source row: all channels and taps of one row of the kernel.
  constexpr double kLargestSum = 32767;
  const auto kernel_x = static_cast<size_t>(shape.window.kernel_x());
  const auto kernel_y = static_cast<size_t>(shape.window.kernel_y());
  size_t index = 0;
  for (size_t target = 0; target < shape.target_channels; ++target) {
    std::vector<double> sums(kernel_y, 0);
    for (size_t c = 0; c < shape.source_channels; ++c) {
      for (size_t ky = 0; ky < kernel_y; ++ky) {
        for (size_t kx = 0; kx < kernel_x; ++kx) {
          sums[ky] += std::abs(weights.Units(target, index++));
        }
      }
    }
    if (*std::max_element(sums.begin(), sums.end()) > kLargestSum) return false;
  }
  return true;
}

void FillRowScatter(const RowScatterShape& shape, const ScaledWeights& weights, uint32_t guard,
                    WeightWidth width, RowScatter& kernel) {
  CSSRUN_ASSERT(kernel.slide.run > 0 && weights.scales.size() == shape.target_channels);
  kernel.weights = MakeWeights(width, kernel.slide.block_size() * shape.target_lanes.blocks);
  std::visit([&](auto& out) { Fill(shape, weights, guard, kernel.slide, out.get()); },
             kernel.weights);
}

}  // namespace cssrun::internal
