#include "runtime/integer/roll.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace cssrun::internal {
namespace {

// Lanes from a position's own column of membranes back to the first one that it reaches.
int64_t LanesBack(const RollShape& shape) {
  const int64_t columns = int64_t{shape.window->kernel_x()} - 1 - shape.window->pad_left();
  return columns * shape.target.lanes;
}

// Where the first target of a group begins in its run.
uint32_t LaneInRun(const RollShape& shape, uint32_t guard) {
  return static_cast<uint32_t>((guard - LanesBack(shape)) % kChunkLanes);
}

}  // namespace

RollPlan PlanRoll(const RollShape& shape, uint32_t guard) {
  RollPlan plan;
  const uint32_t positions = shape.target.positions();
  const auto kernel = static_cast<uint32_t>(shape.window->kernel_x());
  const uint32_t lane = LaneInRun(shape, guard);
  plan.groups = (shape.source_columns + positions - 1) / positions;
  plan.neurons = positions * shape.source.stride();
  plan.tap_rows = static_cast<uint32_t>(shape.window->kernel_y());
  plan.run = (lane + (positions - 1 + kernel) * shape.target.lanes + kChunkLanes - 1) / kChunkLanes;
  plan.first_lane = static_cast<uint32_t>(guard - LanesBack(shape) - lane);
  plan.ends_outside = positions == 1 && kernel == 3 && shape.window->pad_left() == 1 &&
                      plan.groups == shape.target_columns && plan.groups > 1;
  return plan;
}

bool SumsFit(const RollShape& shape, const float* weights, const std::vector<double>& scales) {
  // A sum is of the spikes of one source row: all channels and taps of one row of the kernel.
  constexpr double kLargestSum = 32767;
  const auto kernel_x = static_cast<size_t>(shape.window->kernel_x());
  const auto kernel_y = static_cast<size_t>(shape.window->kernel_y());
  for (size_t target = 0; target < shape.target_channels; ++target) {
    std::vector<double> sums(kernel_y, 0);
    for (size_t c = 0; c < shape.source_channels; ++c) {
      for (size_t ky = 0; ky < kernel_y; ++ky) {
        for (size_t kx = 0; kx < kernel_x; ++kx) {
          sums[ky] += std::abs(std::nearbyint(static_cast<double>(*weights++) * scales[target]));
        }
      }
    }
    if (*std::max_element(sums.begin(), sums.end()) > kLargestSum) return false;
  }
  return true;
}

void FillRoll(const RollShape& shape, const RollPlan& plan, const float* weights,
              const std::vector<double>& scales, uint32_t guard, int16_t* wide, int8_t* narrow) {
  const auto kernel_x = static_cast<size_t>(shape.window->kernel_x());
  const auto kernel_y = static_cast<size_t>(shape.window->kernel_y());
  const size_t lanes = shape.target.lanes;
  const size_t size = plan.block_size() * shape.target.blocks;
  if (wide != nullptr) std::fill_n(wide, size, int16_t{0});
  if (narrow != nullptr) std::fill_n(narrow, size, int8_t{0});
  const size_t lane = LaneInRun(shape, guard);
  const size_t word_neurons = plan.word_neurons();
  const auto set = [&](size_t index, double weight) {
    if (wide != nullptr) {
      wide[index] = static_cast<int16_t>(weight);
    } else if (narrow != nullptr) {
      narrow[index] = static_cast<int8_t>(weight);
    }
  };
  for (size_t target = 0; target < shape.target_channels; ++target) {
    const size_t block = target / lanes * plan.block_size();
    for (size_t c = 0; c < shape.source_channels; ++c) {
      for (size_t tap = 0; tap < kernel_y * kernel_x; ++tap) {
        const double weight = std::nearbyint(static_cast<double>(*weights++) * scales[target]);
        // Targets of later kernel rows and columns come first.
        const size_t row = kernel_y - 1 - tap / kernel_x;
        const size_t column = kernel_x - 1 - tap % kernel_x;
        for (size_t position = 0; position < shape.target.positions(); ++position) {
          const size_t neuron = position * shape.source.stride() + c;
          const size_t spike = neuron / word_neurons * 2 * word_neurons + neuron % word_neurons;
          const size_t at = block + row * plan.tap_row_size() + lane + (position + column) * lanes +
                            target % lanes;
          set(at + spike * plan.spike_size(), weight);
          set(at + (spike + word_neurons) * plan.spike_size(), -weight);
        }
      }
    }
  }
}

}  // namespace cssrun::internal
