// The building blocks of the kernels' plain twins (reference.h in each kernel's folder): one spike,
// one membrane, one saturating addition at a time.
//
// A twin computes what its kernel computes, but from windows and weights as the file has them. It
// has no table, no list, no run and no vector. Twins are only for tests and benchmarks, see
// cssrun_kernel_references in runtime/CMakeLists.txt.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_PLAIN_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_PLAIN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

// 1, -1 or 0: what a neuron of a row sent.
inline int SpikeOf(const SpikeFrame& spikes, size_t row, size_t neuron) {
  const uint64_t word = spikes.Row(row)[neuron / kLineLanes];
  const bool up = (word >> neuron % kLineLanes & 1) != 0;
  const bool down = (word >> (neuron % kLineLanes + kLineLanes) & 1) != 0;
  return static_cast<int>(up) - static_cast<int>(down);
}

inline int16_t Saturated(int64_t value) {
  constexpr int64_t kLowest = std::numeric_limits<int16_t>::min();
  constexpr int64_t kHighest = std::numeric_limits<int16_t>::max();
  return static_cast<int16_t>(std::clamp(value, kLowest, kHighest));
}

inline void AddSaturating(int64_t value, int16_t& membrane) {
  membrane = Saturated(membrane + value);
}

// The number of a neuron in a row of spikes or levels.
inline size_t NeuronAt(const LaneLayout& lanes, size_t column, size_t channel) {
  return column * lanes.stride() + channel;
}

// Where the membrane of a channel lies.
inline size_t MembraneAt(const MembraneLayout& layout, size_t row, size_t column, size_t channel) {
  const size_t lanes = layout.lanes.lanes;
  return layout.RowAt(channel / lanes, row) + column * lanes + channel % lanes;
}

// Channels [first, last) are those that a part works on, the ones that do not exist included.
struct PartChannels {
  PartChannels(const MembraneLayout& layout, const LayerPart& part)
      : first(size_t{part.first_block} * layout.lanes.lanes),
        last(size_t{part.last_block} * layout.lanes.lanes) {}

  size_t first;
  size_t last;
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_PLAIN_H_
