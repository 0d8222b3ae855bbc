// The readout's functions against their plain twins.
#include "runtime/integer/readout/readout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "runtime/integer/readout/reference.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"

namespace cssrun::internal {
namespace {

// Two steps of a readout, in which counts are used again.
void ExpectTwin(const ConvolutionCase& made, uint32_t permille, uint32_t seed) {
  const ReadoutShape shape = ReadoutShapeOf(made);
  const ReadoutSynapses synapses = MakeReadoutSynapses(shape, made.synapses(), made.weights());
  std::mt19937 generator(seed);
  const std::vector<float> start = RandomFloats(shape.row_size, -5, 5, generator);
  std::vector<float> expected = start;
  std::vector<int32_t> expected_counts(synapses.weight_rows, 0);
  std::vector<std::vector<float>> actual;
  std::vector<Guarded<int32_t>> counts;
  for (int step = 0; step < 2; ++step) {
    const SpikeFrame spikes =
        RandomSpikes(shape.source, shape.source_lanes, permille, Signs::kBoth, generator);
    const uint64_t synops =
        CountReadoutSpikesReference(shape, made.synapses(), spikes, expected_counts);
    const std::vector<int32_t> counted =
        std::exchange(expected_counts, std::vector<int32_t>(synapses.weight_rows, 0));
    const std::vector<float> before = expected;
    AddReadoutReference(shape, made.synapses(), counted, expected.data());
    ForEveryInstructionSet([&] {
      Guarded<int32_t> actual_counts(synapses.weight_rows, 0);
      Guarded<float> logits{std::span<const float>(before)};
      EXPECT_EQ(CountReadoutSpikes(synapses, spikes, actual_counts.values()), synops);
      EXPECT_TRUE(std::equal(counted.begin(), counted.end(), actual_counts.data()));
      const size_t middle = shape.row_size / kLogitLanes / 2 * kLogitLanes;
      for (const LogitRange& part : {LogitRange{middle, shape.row_size}, LogitRange{0, middle}}) {
        AddReadout(synapses, counted, part, logits.data());
      }
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), logits.data()));
      EXPECT_TRUE(actual_counts.intact() && logits.intact());
    });
  }
}

void ExpectLevelsTwin(const ConvolutionCase& made, uint32_t seed) {
  const ReadoutShape shape = ReadoutShapeOf(made);
  const ReadoutSynapses synapses = MakeReadoutSynapses(shape, made.synapses(), made.weights());
  std::mt19937 generator(seed);
  LevelRule rule;
  rule.zero = seed % 2 == 0 ? 0 : 100;
  for (uint8_t& spikes : rule.spikes) {
    spikes = static_cast<uint8_t>(std::uniform_int_distribution<int>(0, 8)(generator));
  }
  rule.spikes[rule.zero] = 0;
  LevelLayout layout;
  layout.before = 16;
  layout.zero = rule.zero;
  layout.row_size = static_cast<uint32_t>(
      layout.before + RoundUpToLines(size_t{shape.source.width()} * shape.source_lanes.stride()));
  const LevelFrame levels = RandomLevels(shape.source, shape.source_lanes, layout, 700, -rule.zero,
                                         255 - rule.zero, generator);
  std::vector<int32_t> expected(synapses.weight_rows, 3);
  const uint64_t synops = AddReadoutLevelsReference(shape, made.synapses(), levels, rule, expected);
  std::vector<uint32_t> row_spikes(shape.source.height(), 0);
  const size_t neurons = size_t{shape.source.width()} * shape.source_lanes.stride();
  for (size_t row = 0; row < row_spikes.size(); ++row) {
    for (size_t n = 0; n < neurons; ++n) row_spikes[row] += rule.spikes[levels.Row(row)[n]];
  }
  ForEveryInstructionSet([&] {
    Guarded<int32_t> counts(synapses.weight_rows, 3);
    EXPECT_EQ(AddReadoutLevels(synapses, {&levels, &rule, row_spikes}, counts.values()), synops);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), counts.data()));
    EXPECT_TRUE(counts.intact());
  });
}

TEST(ReadoutTest, IsItsPlainTwin) {
  int means = 0;
  uint32_t seed = 0;
  for (const ConvolutionShape& shape : ReadoutShapes()) {
    SCOPED_TRACE(Describe(shape));
    for (const uint32_t permille : {30, 400, 1000}) {
      const ConvolutionCase made(shape, WeightDraw::kRandom, ++seed);
      ExpectTwin(made, permille, seed);
      ExpectLevelsTwin(made, seed);
      means +=
          MakeReadoutSynapses(ReadoutShapeOf(made), made.synapses(), made.weights()).mean_words > 0
              ? 1
              : 0;
    }
    if (HasFailure()) return;
  }
  EXPECT_GE(means, 10);
}

TEST(ReadoutTest, IdentitiesAreTheirPlainTwin) {
  uint32_t seed = 0;
  for (const int32_t offset : {-3, 0, 5}) {
    ConvolutionShape shape;
    shape.source = format::Extent(9, 4, 4);
    shape.targets = 11;
    shape.window = Square(1, 1, 0);
    shape.mean = Square(4, 1, 0);
    shape.channel_offset = offset;
    ExpectTwin(IdentityCase(shape), 400, ++seed);
  }
}

}  // namespace
}  // namespace cssrun::internal
