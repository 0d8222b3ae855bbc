#include "runtime/integer/kernels/fan_out_reference.h"

#include "format/geometry.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {
namespace {

// How often the targets of one axis read source position `source`: `window` reads `means`
// positions, `spread` apart, of which each is the mean of the source positions that `mean` reads.
uint64_t CountReads(int64_t source, int64_t targets, const WindowAxis& window, int64_t means,
                    int64_t spread, const WindowAxis& mean) {
  uint64_t reads = 0;
  for (int64_t target = 0; target < targets; ++target) {
    for (int64_t tap = 0; tap < window.kernel; ++tap) {
      const int64_t seen = window.SourceOf(target, tap);
      if (seen < 0 || seen >= means * spread || seen % spread != 0) continue;
      for (int64_t member = 0; member < mean.kernel; ++member) {
        if (mean.SourceOf(seen / spread, member) == source) ++reads;
      }
    }
  }
  return reads;
}

}  // namespace

void CountSpikesReference(SpikeFrame& spikes) {
  for (size_t row = 0; row < spikes.rows(); ++row) {
    spikes.counts[row] = 0;
    for (size_t neuron = 0; neuron < spikes.words_per_row * kLineLanes; ++neuron) {
      if (SpikeOf(spikes, row, neuron) != 0) ++spikes.counts[row];
    }
  }
}

uint64_t CountSynopsReference(const FanOutShape& shape, const SpikeFrame& frame, size_t first,
                              size_t last) {
  const format::Synapses& s = *shape.synapses;
  const format::Window itself = format::UnitWindow();
  const format::Window& mean = s.average() == nullptr ? itself : *s.average();
  const bool identity = s.kind() == format::SynapseKind::Identity;
  uint64_t synops = 0;
  for (size_t row = first; row < last; ++row) {
    const uint64_t rows =
        CountReads(static_cast<int64_t>(row), shape.target.height(), RowsOf(*s.window()),
                   WindowRows(mean, shape.source.height()), s.spread_y(), RowsOf(mean));
    for (size_t column = 0; column < shape.source.width(); ++column) {
      const uint64_t columns =
          CountReads(static_cast<int64_t>(column), shape.target.width(), ColumnsOf(*s.window()),
                     WindowColumns(mean, shape.source.width()), s.spread_x(), ColumnsOf(mean));
      for (size_t c = 0; c < shape.source.channels(); ++c) {
        if (SpikeOf(frame, row, NeuronAt(shape.source_lanes, column, c)) == 0) continue;
        const int64_t to = static_cast<int64_t>(c) + s.channel_offset();
        const bool exists = to >= 0 && to < shape.target.channels();
        const uint64_t channels =
            identity ? (exists ? 1 : 0) : shape.target.channels() / s.groups();
        synops += rows * columns * channels;
      }
    }
  }
  return synops;
}

}  // namespace cssrun::internal
