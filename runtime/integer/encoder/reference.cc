#include "runtime/integer/encoder/reference.h"

#include <algorithm>

#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {

void EncodeRowReference(const uint16_t* positive, const uint16_t* negative, size_t neurons,
                        uint32_t bit, size_t row, SpikeFrame& spikes) {
  std::fill_n(spikes.Row(row), neurons / kLineLanes, uint64_t{0});
  for (size_t i = 0; i < neurons; ++i) {
    uint64_t& word = spikes.Row(row)[i / kLineLanes];
    word |= static_cast<uint64_t>(positive[i] >> bit & 1) << i % kLineLanes;
    word |= static_cast<uint64_t>(negative[i] >> bit & 1) << (i % kLineLanes + kLineLanes);
  }
}

void FillLevelsReference(std::span<const SpikeFrame> steps, LevelFrame& levels) {
  const size_t neurons = steps.front().words_per_row * kLineLanes;
  for (size_t row = 0; row < steps.front().rows(); ++row) {
    for (size_t neuron = 0; neuron < neurons; ++neuron) {
      int level = 0;
      for (const SpikeFrame& spikes : steps) level = 2 * level + SpikeOf(spikes, row, neuron);
      levels.Row(row)[neuron] = static_cast<uint8_t>(level + levels.layout.zero);
    }
  }
}

}  // namespace cssrun::internal
