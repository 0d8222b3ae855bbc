// Benchmarks LevelShortcut, which converts a level to a float and adds it to another one, beside
// the limit of floats.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "tests/runtime/kernels/cases/convolution_case.h"

namespace cssrun::internal {
namespace {

void LevelShortcutAlone(benchmark::State& state, const ConvolutionShape& shape) {
  const ConvolutionCase c = IdentityCase(shape);
  const LevelShortcut kernel = MakeLevelShortcut(c);
  std::mt19937 generator(1);
  const LevelFrame levels =
      RandomLevels(shape.source, c.source_lanes, LevelLayoutOf(c), 500, 0, 31, generator);
  std::vector<float> floats(c.membranes.map_size(), 0.0F);
  for (auto _ : state) {
    for (size_t row = 0; row < c.membranes.rows; ++row) {
      AddLevelShortcut(kernel, levels, c.membranes, row, floats.data());
    }
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  ReportShare(state, CountNeurons(c), "levels/s", Limit::kFloatLanes);
}

[[maybe_unused]] const int kRegistered =
    RegisterShapes("BM_LevelShortcut", LevelShortcutShapes(), &LevelShortcutAlone);

}  // namespace
}  // namespace cssrun::internal
