#include "runtime/integer/readout/reference.h"

#include <optional>

#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {
namespace {

// The weight between a channel at a position of the view and a logit; none if no tap connects them.
std::optional<float> WeightOf(const ReadoutShape& shape, const format::Synapses& s, size_t y,
                              size_t x, size_t channel, size_t logit) {
  const WindowAxis rows = RowsOf(*s.window());
  const WindowAxis columns = ColumnsOf(*s.window());
  for (int64_t ky = 0; ky < rows.kernel; ++ky) {
    for (int64_t kx = 0; kx < columns.kernel; ++kx) {
      if (rows.SourceOf(0, ky) != static_cast<int64_t>(y)) continue;
      if (columns.SourceOf(0, kx) != static_cast<int64_t>(x)) continue;
      if (s.kind() == format::SynapseKind::Identity) {
        const int64_t target = static_cast<int64_t>(channel) + s.channel_offset();
        if (target != static_cast<int64_t>(logit)) return std::nullopt;
        return s.weights()->Get(0);
      }
      const size_t row =
          (logit * shape.source.channels() + channel) * static_cast<size_t>(rows.kernel) +
          static_cast<size_t>(ky);
      return s.weights()->Get(static_cast<uint32_t>(row * static_cast<size_t>(columns.kernel) +
                                                    static_cast<size_t>(kx)));
    }
  }
  return std::nullopt;
}

// Calls add(row, neuron, count) for each source neuron that logits read; `count`: its place among
// the counts. Returns the sum of what the calls return, times the logits that read the neuron.
template <class Add>
uint64_t ForEachRead(const ReadoutShape& shape, const format::Synapses& synapses, const Add& add) {
  const size_t channels = shape.source.channels();
  uint64_t synops = 0;
  for (size_t y = 0; y < shape.view.y.sources.size(); ++y) {
    for (size_t x = 0; x < shape.view.x.sources.size(); ++x) {
      for (size_t c = 0; c < channels; ++c) {
        uint64_t readers = 0;
        for (size_t logit = 0; logit < shape.logits; ++logit) {
          if (WeightOf(shape, synapses, y, x, c, logit).has_value()) ++readers;
        }
        if (readers == 0) continue;
        for (const uint32_t row : shape.view.y.sources[y]) {
          for (const uint32_t column : shape.view.x.sources[x]) {
            const size_t count = (y * shape.view.x.sources.size() + x) * channels + c;
            synops += readers * add(row, NeuronAt(shape.source_lanes, column, c), count);
          }
        }
      }
    }
  }
  return synops;
}

}  // namespace

uint64_t CountReadoutSpikesReference(const ReadoutShape& shape, const format::Synapses& synapses,
                                     const SpikeFrame& spikes, std::span<int32_t> counts) {
  return ForEachRead(shape, synapses, [&](size_t row, size_t neuron, size_t count) {
    const int spike = SpikeOf(spikes, row, neuron);
    counts[count] += spike;
    return spike != 0 ? uint64_t{1} : 0;
  });
}

uint64_t AddReadoutLevelsReference(const ReadoutShape& shape, const format::Synapses& synapses,
                                   const LevelFrame& levels, const LevelRule& rule,
                                   std::span<int32_t> counts) {
  return ForEachRead(shape, synapses, [&](size_t row, size_t neuron, size_t count) {
    const uint8_t byte = levels.Row(row)[neuron];
    counts[count] += byte - rule.zero;
    return uint64_t{rule.spikes[byte]};
  });
}

void AddReadoutReference(const ReadoutShape& shape, const format::Synapses& synapses,
                         std::span<const int32_t> counts, float* logits) {
  size_t index = 0;
  for (size_t y = 0; y < shape.view.y.sources.size(); ++y) {
    for (size_t x = 0; x < shape.view.x.sources.size(); ++x) {
      for (size_t c = 0; c < shape.source.channels(); ++c, ++index) {
        const auto count = static_cast<float>(counts[index]);
        for (size_t logit = 0; logit < shape.logits; ++logit) {
          const std::optional<float> weight = WeightOf(shape, synapses, y, x, c, logit);
          if (weight.has_value()) logits[logit] += count * *weight;
        }
      }
    }
  }
}

}  // namespace cssrun::internal
