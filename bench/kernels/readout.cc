// Benchmarks the readout, which counts one step's spikes and multiplies the counts, beside the
// limit of floats.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "kernels/event_kernel.h"
#include "kernels/report.h"
#include "tests/runtime/kernels/cases/convolution_case.h"

namespace cssrun::internal {
namespace {

void ReadoutAlone(benchmark::State& state, const ConvolutionShape& shape) {
  const ConvolutionCase c(shape, WeightDraw::kRandom, 1);
  const ReadoutShape readout = ReadoutShapeOf(c);
  const ReadoutSynapses synapses = MakeReadoutSynapses(readout, c.synapses(), c.weights());
  const auto frames = ManyFrames(shape.source, c.source_lanes);
  std::vector<int32_t> counts(synapses.weight_rows, 0);
  std::vector<float> logits(readout.row_size, 0.0F);
  // The number of multiplications of all frames: rows of weights whose count is not zero.
  size_t rows = 0;
  for (const SpikeFrame& frame : frames) {
    CountReadoutSpikes(synapses, frame, counts);
    rows += counts.size() - static_cast<size_t>(std::count(counts.begin(), counts.end(), 0));
    std::fill(counts.begin(), counts.end(), 0);
  }
  size_t frame = 0;
  for (auto _ : state) {
    CountReadoutSpikes(synapses, frames[frame], counts);
    AddReadout(synapses, counts, {0, readout.row_size}, logits.data());
    std::fill(counts.begin(), counts.end(), 0);
    frame = frame + 1 == frames.size() ? 0 : frame + 1;
    benchmark::ClobberMemory();
  }
  state.SetLabel(shape.network);
  ReportShare(state,
              static_cast<double>(rows) / static_cast<double>(frames.size()) * readout.logits,
              "MAC/s", Limit::kFloatLanes);
}

[[maybe_unused]] const int kRegistered =
    RegisterShapes("BM_Readout", ReadoutShapes(), &ReadoutAlone);

}  // namespace
}  // namespace cssrun::internal
