#include "tests/runtime/kernels/cases/random_state.h"

#include "runtime/integer/kernels/plain.h"

namespace cssrun::internal {

SpikeFrame RandomSpikes(const format::Extent& extent, const LaneLayout& lanes, uint32_t permille,
                        Signs signs, std::mt19937& generator) {
  SpikeFrame spikes(extent.height(), size_t{extent.width()} * lanes.stride());
  std::bernoulli_distribution fires(permille / 1000.0);
  std::bernoulli_distribution negative(0.4);
  for (size_t row = 0; row < extent.height(); ++row) {
    for (size_t column = 0; column < extent.width(); ++column) {
      for (size_t c = 0; c < extent.channels(); ++c) {
        if (!fires(generator)) continue;
        const bool down =
            signs == Signs::kNegative || (signs == Signs::kBoth && negative(generator));
        const size_t neuron = NeuronAt(lanes, column, c);
        spikes.Row(row)[neuron / kLineLanes] |= uint64_t{1}
                                                << (neuron % kLineLanes + (down ? kLineLanes : 0));
        ++spikes.counts[row];
      }
    }
  }
  return spikes;
}

LevelFrame RandomLevels(const format::Extent& extent, const LaneLayout& lanes,
                        const LevelLayout& layout, uint32_t permille, int lowest, int highest,
                        std::mt19937& generator) {
  LevelFrame levels(extent.height(), layout);
  std::bernoulli_distribution fires(permille / 1000.0);
  std::uniform_int_distribution<int> level(lowest, highest);
  for (size_t row = 0; row < extent.height(); ++row) {
    for (size_t column = 0; column < extent.width(); ++column) {
      for (size_t c = 0; c < extent.channels(); ++c) {
        if (!fires(generator)) continue;
        levels.Row(row)[NeuronAt(lanes, column, c)] =
            static_cast<uint8_t>(level(generator) + layout.zero);
      }
    }
  }
  return levels;
}

std::vector<int16_t> RandomMembranes(const MembraneLayout& layout, int lowest, int highest,
                                     std::mt19937& generator) {
  std::uniform_int_distribution<int> membrane(lowest, highest);
  std::vector<int16_t> membranes(layout.size() + kLineLanes);
  for (int16_t& m : membranes) m = static_cast<int16_t>(membrane(generator));
  return membranes;
}

std::vector<float> RandomFloats(size_t size, float lowest, float highest, std::mt19937& generator) {
  std::uniform_real_distribution<float> value(lowest, highest);
  std::vector<float> floats(size);
  for (float& f : floats) f = value(generator);
  return floats;
}

}  // namespace cssrun::internal
