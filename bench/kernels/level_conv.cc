// Benchmarks LevelConv in products of levels and weights, beside the limit of byte products.
// `store` keeps the sums; `potential` and `levels` turn them into potentials or levels in registers
// and add one aligned shortcut, as a residual block does. Levels are those of T = 5; `bytes` has
// all that fit a byte, as trains of 8 steps and 8-bit models. `silent` counts sources of level 0.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "runtime/geometry/window_axis.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/settled_case.h"

namespace cssrun::internal {
namespace {

constexpr uint8_t kLargestOfFiveSteps = 31;
constexpr uint32_t kHalf = 500;

// `active`: of 1,000 sources, those that are not silent.
void LevelConvAlone(benchmark::State& state, const ConvolutionShape& shape, SumMode mode,
                    uint8_t largest, uint32_t active = kHalf) {
  const ConvolutionCase c(shape, WeightDraw::kNormal, 1);
  LevelConvShape conv = LevelConvShapeOf(c);
  conv.largest_byte = largest;
  const LevelConv kernel = MakeLevelConv(conv, c.scaled());
  std::mt19937 generator(1);
  const LevelFrame levels = RandomLevels(shape.source, c.source_lanes, LevelLayoutOf(c, kernel),
                                         active, 0, largest, generator);
  SettledCase settled(c.membranes, c.pools, {.shortcuts = 1}, 1);
  const SettledRow row_of = settled.row(settled.membranes.data());
  const LevelRule rule{.offset = 256, .fraction = 9, .least = 0, .most = 31};
  std::vector<uint8_t> written(size_t{c.membranes.columns} * c.membranes.lanes.stride());
  const SumLevelsFunction sum = Resolve(kernel);
  for (auto _ : state) {
    for (size_t row = 0; row < c.membranes.rows; ++row) {
      const PotentialInputs inputs = settled.inputs(row);
      sum(kernel, levels, {&row_of, mode, &inputs, written.data(), &rule}, row);
    }
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  const double taps = CountTaps(RowsOf(shape.window), c.map.height(), shape.source.height()) *
                      CountTaps(ColumnsOf(shape.window), c.map.width(), shape.source.width());
  ReportShare(state, taps * shape.targets * shape.source.channels(), "products/s",
              Limit::kByteProducts);
}

[[maybe_unused]] const int kStore =
    RegisterShapes("BM_LevelConv/store", LevelConvShapes(),
                   [](benchmark::State& state, const ConvolutionShape& shape) {
                     LevelConvAlone(state, shape, SumMode::kStore, kLargestOfFiveSteps);
                   });
[[maybe_unused]] const int kPotential =
    RegisterShapes("BM_LevelConv/potential", LevelConvShapes(),
                   [](benchmark::State& state, const ConvolutionShape& shape) {
                     LevelConvAlone(state, shape, SumMode::kPotential, kLargestOfFiveSteps);
                   });
[[maybe_unused]] const int kLevels =
    RegisterShapes("BM_LevelConv/levels", LevelConvShapes(),
                   [](benchmark::State& state, const ConvolutionShape& shape) {
                     LevelConvAlone(state, shape, SumMode::kLevels, kLargestOfFiveSteps);
                   });
[[maybe_unused]] const int kSix =
    RegisterShapes("BM_LevelConv/T6", LevelConvShapes(),
                   [](benchmark::State& state, const ConvolutionShape& shape) {
                     LevelConvAlone(state, shape, SumMode::kLevels, 63);
                   });
[[maybe_unused]] const int kSeven =
    RegisterShapes("BM_LevelConv/T7", LevelConvShapes(),
                   [](benchmark::State& state, const ConvolutionShape& shape) {
                     LevelConvAlone(state, shape, SumMode::kLevels, 127);
                   });
[[maybe_unused]] const int kEight =
    RegisterShapes("BM_LevelConv/T8", LevelConvShapes(),
                   [](benchmark::State& state, const ConvolutionShape& shape) {
                     LevelConvAlone(state, shape, SumMode::kLevels, 255);
                   });

// Winograd's products, which are two thirds: so a share of the limit may be more than 1. The
// weights are a third as large, so that their sums are bytes. Shapes that have none run plain
// products.
void LevelConvByWinograd(benchmark::State& state, const ConvolutionShape& shape) {
  const ConvolutionCase c(shape, WeightDraw::kNormal, 1);
  std::vector<double> scales = c.scales;
  for (double& scale : scales) scale *= 0.33;
  LevelConvShape conv = LevelConvShapeOf(c);
  conv.largest_byte = 127;
  LevelConv kernel = MakeLevelConv(conv, {c.weights().data(), scales});
  PlanWinograd(conv, kernel);
  std::mt19937 generator(1);
  const LevelFrame levels = RandomLevels(shape.source, c.source_lanes, LevelLayoutOf(c, kernel),
                                         kHalf, 0, 127, generator);
  SettledCase settled(c.membranes, c.pools, {.shortcuts = 1}, 1);
  const SettledRow row_of = settled.row(settled.membranes.data());
  const LevelRule rule{.offset = 256, .fraction = 9, .least = 0, .most = 31};
  std::vector<uint8_t> written(size_t{c.membranes.columns} * c.membranes.lanes.stride());
  const SumLevelsFunction sum = Resolve(kernel);
  const FillWinogradRows fill = kernel.winograd.empty() ? nullptr : ResolveWinograd();
  constexpr size_t kTogether = 16;
  std::vector<uint8_t> room(WinogradRoom(kernel, kTogether));
  for (auto _ : state) {
    WinogradRows factors;
    for (size_t row = 0; row < c.membranes.rows; ++row) {
      if (fill != nullptr && row % kTogether == 0) {
        const size_t rows = std::min<size_t>(kTogether, c.membranes.rows - row);
        factors = fill(kernel, levels, row, rows, room);
      }
      const PotentialInputs inputs = settled.inputs(row);
      LevelTarget target{&row_of, SumMode::kLevels, &inputs, written.data(), &rule};
      if (fill != nullptr) target.winograd = &factors;
      sum(kernel, levels, target, row);
    }
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  const double taps = CountTaps(RowsOf(shape.window), c.map.height(), shape.source.height()) *
                      CountTaps(ColumnsOf(shape.window), c.map.width(), shape.source.width());
  ReportShare(state, taps * shape.targets * shape.source.channels(), "products/s",
              Limit::kByteProducts);
}
[[maybe_unused]] const int kWinograd =
    RegisterShapes("BM_LevelConv/winograd", LevelConvShapes(), LevelConvByWinograd);

// The time against the share of sources that are silent, in percent.
int RegisterSilent() {
  for (const uint32_t silent : {0, 50, 90, 99}) {
    RegisterShapes("BM_LevelConv/silent" + std::to_string(silent), LevelConvShapes(),
                   [=](benchmark::State& state, const ConvolutionShape& shape) {
                     LevelConvAlone(state, shape, SumMode::kLevels, 255, (100 - silent) * 10);
                   });
  }
  return 0;
}
[[maybe_unused]] const int kSilent = RegisterSilent();

}  // namespace
}  // namespace cssrun::internal
