// Benchmarks neurons alone: firing and growing (16-bit lanes, beside the limit of 16-bit
// additions), pixels and potentials (floats), and digits (one 16-bit comparison for each spike
// index, which takes as long as a few additions).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "runtime/aligned.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/settled_case.h"

namespace cssrun::internal {
namespace {

constexpr uint32_t kTimesteps = 5;

double Membranes(const MembraneLayout& layout) {
  return static_cast<double>(layout.rows) * layout.columns * layout.lanes.stride();
}

// Runs one step in which neurons fire. Membranes are small, so that the neurons go on firing.
void FireRowsAlone(benchmark::State& state, const NeuronShape& shape) {
  const LayerPools pools = PoolsOf(shape);
  const MembraneLayout layout = MembranesOf(shape, pools);
  const size_t neurons = pools.columns * layout.lanes.stride();
  const size_t lanes = layout.parameter_lanes();
  std::mt19937 generator(1);
  const std::vector<int16_t> start = RandomMembranes(layout, -300, 900, generator);
  auto membranes = AllocateAligned<int16_t>(start.size());
  std::copy(start.begin(), start.end(), membranes.get());
  const size_t sent_lanes = pools.rows * RoundUpToLines(neurons) + kLineLanes;
  auto sent = AllocateAligned<int16_t>(sent_lanes);
  std::fill_n(sent.get(), sent_lanes, int16_t{0});
  SpikeFrame spikes(pools.rows, neurons);
  const std::vector<int16_t> unit(lanes, 1000);
  const std::vector<int16_t> thresholds(lanes, 600);
  const std::vector<int16_t> biases(lanes, 10);
  NeuronStep step;
  step.layout = &layout;
  step.pools = &pools;
  step.rectify = true;
  step.growth = Growth::Of(2);
  step.part = {0, layout.rows, 0, layout.lanes.blocks};
  step.membranes = membranes.get();
  step.sent = sent.get();
  step.firing = {&spikes, unit.data(), thresholds.data()};
  step.biases = biases.data();
  const FireRowFunction fire = ResolveFireRow();
  for (auto _ : state) {
    for (size_t row = 0; row < layout.rows; ++row) fire(step, row);
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  ReportShare(state, Membranes(layout), "neurons/s", Limit::kLaneAdditions);
}

void PixelsAlone(benchmark::State& state, const NeuronShape& shape) {
  const LayerPools pools = PoolsOf(shape);
  const MembraneLayout layout = MembranesOf(shape, pools);
  const size_t floats = layout.map_size();
  std::mt19937 generator(1);
  const std::vector<float> drawn = RandomFloats(floats, -50, 50, generator);
  auto potentials = AllocateAligned<float>(floats);
  std::copy(drawn.begin(), drawn.end(), potentials.get());
  auto carry = AllocateAligned<float>(floats);
  std::fill_n(carry.get(), floats, 0.0F);
  std::vector<int16_t> membranes = RandomMembranes(layout, -300, 300, generator);
  for (auto _ : state) {
    AddPixels({potentials.get(), carry.get()}, layout, {0, layout.rows, 0, layout.lanes.blocks}, 2,
              membranes.data());
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  ReportShare(state, Membranes(layout), "neurons/s", Limit::kFloatLanes);
}

// Adds a bias and an aligned shortcut to the sums.
void PotentialsAlone(benchmark::State& state, const NeuronShape& shape) {
  const LayerPools pools = SettledPoolsOf(shape);
  SettledCase made(MembranesOf(shape, pools), pools, {.shortcuts = 1}, 1);
  for (auto _ : state) {
    for (size_t row = 0; row < made.layout.rows; ++row) {
      RoundPotentials(made.row(made.membranes.data()), made.inputs(row), row);
    }
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  ReportShare(state, Membranes(made.layout), "neurons/s", Limit::kFloatLanes);
}

// Computes the T spikes and the level of each neuron.
void DigitsAlone(benchmark::State& state, const NeuronShape& given) {
  NeuronShape shape = given;
  shape.pool.reset();
  const LayerPools pools = PoolsOf(shape);
  SettledCase made(MembranesOf(shape, pools), pools, {}, 1);
  made.SetTimesteps(kTimesteps);
  const size_t neurons = pools.columns * made.layout.lanes.stride();
  std::vector<SpikeFrame> steps(kTimesteps, SpikeFrame(pools.rows, neurons));
  std::vector<SpikeFrame*> spikes;
  for (SpikeFrame& frame : steps) spikes.push_back(&frame);
  LevelLayout layout;
  layout.row_size = static_cast<uint32_t>(RoundUpToLines(neurons));
  LevelFrame levels(pools.rows, layout);
  DigitsTarget target;
  target.spikes = spikes.data();
  target.levels = &levels;
  target.timesteps = kTimesteps;
  target.columns = pools.columns;
  for (auto _ : state) {
    for (size_t row = 0; row < pools.rows; ++row) {
      WriteDigits(made.row(made.membranes.data()), target, row, row);
    }
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  ReportShare(state, static_cast<double>(pools.rows * neurons) * kTimesteps, "digits/s",
              Limit::kLaneAdditions);
}

[[maybe_unused]] const int kFire = RegisterShapes("BM_FireRow", NeuronShapes(), &FireRowsAlone);
[[maybe_unused]] const int kPixels = RegisterShapes("BM_Pixels", NeuronShapes(), &PixelsAlone);
[[maybe_unused]] const int kPotentials =
    RegisterShapes("BM_Potentials", NeuronShapes(), &PotentialsAlone);
[[maybe_unused]] const int kDigits = RegisterShapes("BM_Digits", NeuronShapes(), &DigitsAlone);

}  // namespace
}  // namespace cssrun::internal
