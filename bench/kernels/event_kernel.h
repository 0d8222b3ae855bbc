// Runs an event kernel by itself, without firing, over random spikes of one of the shared shapes.
#ifndef CSSRUN_BENCH_KERNELS_EVENT_KERNEL_H_
#define CSSRUN_BENCH_KERNELS_EVENT_KERNEL_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/report.h"
#include "runtime/aligned.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/tile_gather/reference.h"
#include "runtime/integer/kernels/tile_gather/tile_gather.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/random_state.h"

namespace cssrun::internal {

// The number of words of spikes. A branch predictor cannot learn this many by heart.
constexpr size_t kWordsToForget = 1 << 16;

// The number of neurons in 1,000 that send a spike: the middle rate of BM_Layer.
constexpr uint32_t kUsualPermille = 120;

// Returns frames of random spikes, which a benchmark takes one after another.
inline std::vector<SpikeFrame> ManyFrames(const format::Extent& extent, const LaneLayout& lanes) {
  std::mt19937 generator(1);
  std::vector<SpikeFrame> frames;
  size_t words = 0;
  while (words < kWordsToForget && frames.size() < 512) {
    frames.push_back(RandomSpikes(extent, lanes, kUsualPermille, Signs::kBoth, generator));
    words += frames.back().words.size();
  }
  return frames;
}

// Adds one frame after another to all membranes.
template <class Kernel>
void RunEventKernel(benchmark::State& state, const ConvolutionCase& c, const Kernel& kernel,
                    const std::vector<SpikeFrame>& frames) {
  const MembraneLayout& layout = c.membranes;
  const size_t lanes = layout.size() + kLineLanes;
  auto membranes = AllocateAligned<int16_t>(lanes);
  std::fill_n(membranes.get(), lanes, int16_t{0});
  SpikeLists lists;
  if constexpr (std::is_same_v<Kernel, TileGather>) Reserve(kernel, lists);
  const EventTarget target{&layout, {0, layout.rows, 0, layout.lanes.blocks}, membranes.get()};
  const EventFunctions<Kernel> functions = Resolve(kernel);
  size_t frame = 0;
  for (auto _ : state) {
    EventInput input{.spikes = &frames[frame], .lists = &lists};
    functions.prepare(kernel, input, target);
    for (size_t row = 0; row < layout.rows; ++row) functions.add_row(kernel, input, target, row);
    frame = frame + 1 == frames.size() ? 0 : frame + 1;
    benchmark::ClobberMemory();
  }
  state.SetLabel(c.shape.network);
}

// Returns the average number of operations of a convolution for one frame: pairs of a spike and a
// membrane that reads it.
inline double CountOperations(const ConvolutionCase& c, const std::vector<SpikeFrame>& frames) {
  TileGatherShape shape = TileGatherShapeOf(c);
  const uint32_t targets = shape.target_channels / shape.groups;
  shape.target_channels = shape.groups;  // counting spikes takes no sums
  constexpr size_t kCounted = 4;
  uint64_t operations = 0;
  for (size_t i = 0; i < kCounted; ++i) {
    for (size_t row = 0; row < shape.rows.size(); ++row) {
      for (size_t column = 0; column < shape.columns.size(); ++column) {
        operations += GatherPositionReference(shape, c.scaled(), frames[i], row, column).spikes;
      }
    }
  }
  return static_cast<double>(operations) * targets / kCounted;
}

// Returns how many source neurons of an identity have a target.
inline double CountNeurons(const ConvolutionCase& c) {
  const ShortcutRuns runs = PlanShortcutRuns(ShortcutShapeOf(c));
  double of_row = 0;
  for (const int32_t target : runs.targets) of_row += target >= 0 ? 1 : 0;
  return of_row * c.map.height() * static_cast<double>(c.view.y.divisor);
}

// Counts the taps of all targets of an axis that lie on the source.
inline double CountTaps(const WindowAxis& window, int64_t targets, int64_t sources) {
  int64_t taps = 0;
  for (int64_t target = 0; target < targets; ++target) {
    const TapRange inside = window.TapsInside(target, sources);
    taps += inside.last - inside.first;
  }
  return static_cast<double>(taps);
}

// Registers run(state, shape) as NAME/SHAPE for each shape of a real network.
template <class Shape, class Run>
int RegisterShapes(const std::string& name, const std::vector<Shape>& shapes, const Run& run) {
  for (const Shape& shape : shapes) {
    if (shape.network == nullptr) continue;
    benchmark::RegisterBenchmark((name + "/" + Describe(shape)).c_str(),
                                 [=](benchmark::State& state) { run(state, shape); });
  }
  return 0;
}

}  // namespace cssrun::internal

#endif  // CSSRUN_BENCH_KERNELS_EVENT_KERNEL_H_
