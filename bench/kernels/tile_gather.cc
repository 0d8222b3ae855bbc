// Benchmarks TileGather without firing: synaptic operations a second, beside the limit of 16-bit
// additions.
#include <benchmark/benchmark.h>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "tests/runtime/kernels/cases/convolution_case.h"

namespace cssrun::internal {
namespace {

void TileGatherAlone(benchmark::State& state, const ConvolutionShape& shape) {
  const ConvolutionCase c(shape, WeightDraw::kRandom, 1);
  const auto frames = ManyFrames(shape.source, c.source_lanes);
  RunEventKernel(state, c, MakeTileGather(c), frames);
  ReportShare(state, CountOperations(c, frames), "SyOP/s", Limit::kLaneAdditions);
}

[[maybe_unused]] const int kRegistered =
    RegisterShapes("BM_TileGather", TileGatherShapes(), &TileGatherAlone);

}  // namespace
}  // namespace cssrun::internal
