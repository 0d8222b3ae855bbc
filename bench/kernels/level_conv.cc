// Benchmarks LevelConv in products of levels and weights, beside the limit of byte products.
// `store` keeps the sums; `potential` and `levels` turn them into potentials or levels in registers
// and add one aligned shortcut, as a residual block does. Levels are those of T = 5; `bytes` has
// all that fit a byte, as trains of 8 steps and 8-bit models. `silent` counts sources of level 0.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <span>
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

struct LevelConvRun {
  SumMode mode = SumMode::kLevels;
  uint8_t largest = kLargestOfFiveSteps;
  uint32_t active = kHalf;  // of 1,000 sources, those that are not silent
  // Products of Winograd's, where the shape has them. They are two thirds, so that a share of the
  // limit may be more than 1. Weights are a third as large: their sums are bytes.
  bool winograd = false;
};

void LevelConvAlone(benchmark::State& state, const ConvolutionShape& shape,
                    const LevelConvRun& run) {
  constexpr size_t kTogether = 16;  // rows whose factors are computed at once
  const ConvolutionCase c(shape, WeightDraw::kNormal, 1);
  std::vector<double> scales = c.scales;
  LevelConvShape conv = LevelConvShapeOf(c);
  conv.largest_byte = run.largest;
  if (run.winograd) {
    for (double& scale : scales) scale *= 0.33;
  }
  LevelConv kernel = MakeLevelConv(conv, {c.weights().data(), scales});
  if (run.winograd) PlanWinograd(conv, kernel);
  std::mt19937 generator(1);
  const LevelFrame levels = RandomLevels(shape.source, c.source_lanes, LevelLayoutOf(c, kernel),
                                         run.active, 0, run.largest, generator);
  SettledCase settled(c.membranes, c.pools, {.shortcuts = 1}, 1);
  const SettledRow row_of = settled.row(settled.membranes.data());
  const LevelRule rule{.offset = 256, .fraction = 9, .least = 0, .most = 31};
  std::vector<uint8_t> written(size_t{c.membranes.columns} * c.membranes.lanes.stride());
  const SumLevelsFunction sum = Resolve(kernel);
  const WinogradKernel winograd = kernel.winograd.empty() ? WinogradKernel() : ResolveWinograd();
  std::vector<uint8_t> room(WinogradRoom(kernel, kTogether));
  std::vector<PotentialInputs> inputs;
  for (size_t row = 0; row < c.membranes.rows; ++row) inputs.push_back(settled.inputs(row));
  std::vector<LevelTarget> targets;
  for (const PotentialInputs& of_row : inputs) {
    targets.push_back({&row_of, run.mode, &of_row, written.data(), &rule});
  }
  for (auto _ : state) {
    const size_t together = winograd.sum != nullptr ? kTogether : 1;
    for (size_t row = 0; row < targets.size(); row += together) {
      if (winograd.sum == nullptr) {
        sum(kernel, levels, targets[row], row);
        continue;
      }
      const auto rows = std::span(targets).subspan(row, std::min(together, targets.size() - row));
      const WinogradRows factors = winograd.fill(kernel, levels, rows, row, room);
      winograd.sum(kernel, levels, factors, rows, row);
    }
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  const double taps = CountTaps(RowsOf(shape.window), c.map.height(), shape.source.height()) *
                      CountTaps(ColumnsOf(shape.window), c.map.width(), shape.source.width());
  ReportShare(state, taps * shape.targets * shape.source.channels(), "products/s",
              Limit::kByteProducts);
}

int Register(const std::string& name, const LevelConvRun& run) {
  return RegisterShapes("BM_LevelConv/" + name, LevelConvShapes(),
                        [=](benchmark::State& state, const ConvolutionShape& shape) {
                          LevelConvAlone(state, shape, run);
                        });
}
[[maybe_unused]] const int kStore = Register("store", {.mode = SumMode::kStore});
[[maybe_unused]] const int kPotential = Register("potential", {.mode = SumMode::kPotential});
[[maybe_unused]] const int kLevels = Register("levels", {});
[[maybe_unused]] const int kSix = Register("T6", {.largest = 63});
[[maybe_unused]] const int kSeven = Register("T7", {.largest = 127});
[[maybe_unused]] const int kEight = Register("T8", {.largest = 255});
[[maybe_unused]] const int kWinograd = Register("winograd", {.largest = 127, .winograd = true});

// The time against the share of sources that are silent, in percent.
int RegisterSilent() {
  for (const uint32_t silent : {0, 50, 90, 99}) {
    Register("silent" + std::to_string(silent), {.largest = 255, .active = (100 - silent) * 10});
  }
  return 0;
}
[[maybe_unused]] const int kSilent = RegisterSilent();

}  // namespace
}  // namespace cssrun::internal
