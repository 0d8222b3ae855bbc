// The encoder's functions against their plain twins.
#include "runtime/integer/encoder/encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "runtime/integer/encoder/reference.h"
#include "runtime/neuron/settled.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/shapes.h"

namespace cssrun::internal {
namespace {

std::vector<uint16_t> RandomTrains(size_t size, std::mt19937& generator) {
  std::uniform_int_distribution<int> train(0, 65535);
  std::vector<uint16_t> trains(size);
  for (uint16_t& t : trains) t = static_cast<uint16_t>(train(generator));
  return trains;
}

TEST(EncoderTest, RowsAreTheirPlainTwin) {
  for (const size_t neurons : {32, 64, 96, 160, 1056}) {
    std::mt19937 generator(static_cast<uint32_t>(neurons));
    Guarded<uint16_t> positive{std::span<const uint16_t>(RandomTrains(neurons, generator))};
    Guarded<uint16_t> negative{std::span<const uint16_t>(RandomTrains(neurons, generator))};
    for (uint32_t bit = 0; bit < 16; ++bit) {
      constexpr size_t kRows = 3;
      SpikeFrame expected(kRows, neurons);
      std::fill(expected.words.begin(), expected.words.end(), 0x5A5A5A5A5A5A5A5AU);
      SpikeFrame before = expected;
      EncodeRowReference(positive.data(), negative.data(), neurons, bit, 1, expected);
      ForEveryInstructionSet([&] {
        SpikeFrame actual = before;
        EncodeRow(positive.data(), negative.data(), neurons, bit, 1, actual);
        EXPECT_EQ(actual.words, expected.words) << neurons << " neurons, bit " << bit;
      });
    }
  }
}

TEST(EncoderTest, LevelsAreTheirPlainTwin) {
  uint32_t seed = 0;
  for (const NeuronShape& shape : NeuronShapes()) {
    SCOPED_TRACE(Describe(shape));
    const uint32_t timesteps = ++seed % kLongestSettledTrain + 1;
    std::mt19937 generator(seed);
    const LaneLayout lanes = LaneLayout::For(shape.map.channels());
    std::vector<SpikeFrame> steps;
    for (uint32_t k = 0; k < timesteps; ++k) {
      steps.push_back(RandomSpikes(shape.map, lanes, 500, Signs::kBoth, generator));
    }
    LevelLayout layout;
    layout.before = seed % 3 * 8;
    layout.row_size = layout.before + 16 +
                      static_cast<uint32_t>(RoundUpToLines(shape.map.width() * lanes.stride()));
    layout.zero = seed % 2 == 0 ? 0 : 128;
    LevelFrame before(shape.map.height(), layout);
    std::fill(before.levels.begin(), before.levels.end(), uint8_t{99});
    LevelFrame expected = before;
    FillLevelsReference(steps, expected);
    ForEveryInstructionSet([&] {
      LevelFrame actual = before;
      FillLevels(steps, actual);
      EXPECT_EQ(actual.levels, expected.levels);
    });
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace cssrun::internal
