// Benchmarks EventShortcut in additions, beside the limit of 16-bit additions. The kernel makes two
// saturating additions for each neuron, one for each sign.
#include <benchmark/benchmark.h>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "tests/runtime/kernels/cases/convolution_case.h"

namespace cssrun::internal {
namespace {

void EventShortcutAlone(benchmark::State& state, const ConvolutionShape& shape) {
  const ConvolutionCase c = IdentityCase(shape);
  RunEventKernel(state, c, MakeEventShortcut(c), ManyFrames(shape.source, c.source_lanes));
  ReportShare(state, 2 * CountNeurons(c), "additions/s", Limit::kLaneAdditions);
}

[[maybe_unused]] const int kRegistered =
    RegisterShapes("BM_EventShortcut", EventShortcutShapes(), &EventShortcutAlone);

}  // namespace
}  // namespace cssrun::internal
