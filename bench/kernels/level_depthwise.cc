// Benchmarks LevelDepthwise in products of levels and weights, beside the limit of those: bytes
// where the machine has an instruction for four of them, floats elsewhere. Sums become levels in
// registers.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/simd_variant.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/settled_case.h"

namespace cssrun::internal {
namespace {

void LevelDepthwiseAlone(benchmark::State& state, const ConvolutionShape& shape) {
  const ConvolutionCase c(shape, WeightDraw::kRandom, 1);
  const LevelDepthwiseShape depthwise = LevelDepthwiseShapeOf(c);
  const LevelDepthwise kernel = MakeLevelDepthwise(depthwise, c.scaled());
  std::mt19937 generator(1);
  const LevelFrame levels =
      RandomLevels(shape.source, c.source_lanes, LevelLayoutOf(c, kernel.left, kernel.right), 500,
                   0, 255, generator);
  SettledCase settled(c.membranes, c.pools, {}, 1);
  const SettledRow row_of = settled.row(settled.membranes.data());
  const LevelRule rule{.offset = 256, .fraction = 9, .least = 0, .most = 127};
  std::vector<uint8_t> written(size_t{c.membranes.columns} * c.membranes.lanes.stride());
  const SumDepthwiseFunction sum = Resolve(kernel);
  for (auto _ : state) {
    for (size_t row = 0; row < c.membranes.rows; ++row) {
      const PotentialInputs inputs = settled.inputs(row);
      sum(kernel, levels, {&row_of, SumMode::kLevels, &inputs, written.data(), &rule}, row);
    }
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  const double taps = CountTaps(RowsOf(shape.window), c.map.height(), shape.source.height()) *
                      CountTaps(ColumnsOf(shape.window), c.map.width(), shape.source.width());
  const bool bytes = RunningVariant().byte_products;
  ReportShare(state, taps * shape.targets, "products/s",
              bytes ? Limit::kByteProducts : Limit::kFloatProducts);
}

[[maybe_unused]] const int kRegistered =
    RegisterShapes("BM_LevelDepthwise", LevelDepthwiseShapes(), &LevelDepthwiseAlone);

}  // namespace
}  // namespace cssrun::internal
