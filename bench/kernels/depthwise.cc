// Benchmarks Depthwise in additions, beside the limit of 16-bit additions. The kernel adds twice
// for each channel and tap, whether any neuron fires or not.
#include <benchmark/benchmark.h>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "runtime/geometry/window_axis.h"
#include "tests/runtime/kernels/cases/convolution_case.h"

namespace cssrun::internal {
namespace {

void DepthwiseAlone(benchmark::State& state, const ConvolutionShape& shape) {
  const ConvolutionCase c(shape, WeightDraw::kRandom, 1);
  RunEventKernel(state, c, MakeDepthwise(c), ManyFrames(shape.source, c.source_lanes));
  const double taps = CountTaps(RowsOf(shape.window), c.map.height(), shape.source.height()) *
                      CountTaps(ColumnsOf(shape.window), c.map.width(), shape.source.width());
  ReportShare(state, 2 * taps * shape.targets, "additions/s", Limit::kLaneAdditions);
}

[[maybe_unused]] const int kRegistered =
    RegisterShapes("BM_Depthwise", DepthwiseShapes(), &DepthwiseAlone);

}  // namespace
}  // namespace cssrun::internal
