// Event neurons against their plain twins: firing with and without pools, every growth, pixels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "runtime/integer/kernels/plain.h"
#include "runtime/integer/neurons/event_neurons.h"
#include "runtime/integer/neurons/reference.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/convolution_case.h"
#include "tests/runtime/kernels/cases/guarded.h"
#include "tests/runtime/kernels/cases/random_state.h"

namespace cssrun::internal {
namespace {

std::vector<int16_t> RandomParameters(size_t size, int lowest, int highest,
                                      std::mt19937& generator) {
  std::uniform_int_distribution<int> value(lowest, highest);
  std::vector<int16_t> parameters(size);
  for (int16_t& p : parameters) p = static_cast<int16_t>(value(generator));
  return parameters;
}

// Lines of several positions repeat the parameters of their channels.
void RepeatChannels(const LaneLayout& lanes, std::vector<int16_t>& parameters) {
  for (size_t lane = lanes.lanes; lane < kLineLanes; ++lane) {
    parameters[lane] = parameters[lane - lanes.lanes];
  }
}

// A layer before one step, and the step.
struct Layer {
  Layer(const NeuronShape& shape, uint32_t seed) : pools(PoolsOf(shape)) {
    layout = MembranesOf(shape, pools);
    std::mt19937 generator(seed);
    const bool extreme = seed % 4 == 3;
    const int size = extreme ? 32767 : 2500;
    membranes = RandomMembranes(layout, -size - 1, size, generator);
    const size_t stride = layout.lanes.stride();
    sent_row = pools.columns * stride;
    if (!pools.pooled()) sent_row = RoundUpToLines(sent_row);
    sent = RandomParameters(pools.rows * sent_row + kLineLanes, -size - 1, size, generator);
    const size_t lanes = layout.parameter_lanes();
    unit = RandomParameters(lanes, 0, 2047, generator);
    thresholds = RandomParameters(lanes, 0, extreme ? 32767 : 1500, generator);
    biases = RandomParameters(lanes, extreme ? -32767 : -300, extreme ? 32767 : 300, generator);
    for (auto* parameters : {&unit, &thresholds, &biases})
      RepeatChannels(layout.lanes, *parameters);
    step.layout = &layout;
    step.pools = &pools;
    step.rectify = seed % 2 == 0;
    step.negative_spikes = seed % 3 != 0;
    step.round_up = seed % 5 < 2;
    constexpr float kBetas[] = {1.5F, 2.0F, 1.25F, 1.0F, 1.9F, 2.75F};
    step.growth = Growth::Of(kBetas[seed % 6]);
    if (seed % 7 != 0) step.biases = biases.data();
    fires = seed % 8 != 0;
  }

  MembraneLayout layout;
  LayerPools pools;
  std::vector<int16_t> membranes, sent, unit, thresholds, biases;
  size_t sent_row = 0;
  bool fires = true;
  NeuronStep step;
};

// The same with memory of its own. A row of spikes that nothing writes shows its old words.
struct State {
  explicit State(const Layer& layer)
      : membranes(std::span<const int16_t>(layer.membranes)),
        sent(std::span<const int16_t>(layer.sent)),
        spikes(layer.pools.rows, layer.pools.columns * layer.layout.lanes.stride()),
        step(layer.step) {
    std::fill(spikes.words.begin(), spikes.words.end(), 0x5A5A5A5A5A5A5A5AU);
    step.membranes = membranes.data();
    if (step.rectify) step.sent = sent.data();
    if (layer.fires) step.firing = {&spikes, layer.unit.data(), layer.thresholds.data()};
  }

  Guarded<int16_t> membranes;
  Guarded<int16_t> sent;
  SpikeFrame spikes;
  NeuronStep step;
};

// The whole layer; or, from the last to the first, each block by itself and each row of pools.
std::vector<LayerPart> PartsOf(const Layer& layer, bool whole) {
  const uint32_t rows = layer.layout.rows;
  const uint32_t blocks = layer.layout.lanes.blocks;
  if (whole) return {{0, rows, 0, blocks}};
  const uint32_t stride = layer.pools.y.stride;
  std::vector<LayerPart> parts;
  for (uint32_t block = blocks; block-- > 0;) {
    for (uint32_t first = (rows - 1) / stride * stride + stride; first > 0;) {
      first -= stride;
      parts.push_back({first, std::min(rows, first + stride), block, block + 1});
    }
  }
  return parts;
}

void ExpectSameMembranes(const Layer& layer, const State& expected, State& state) {
  const MembraneLayout& layout = layer.layout;
  for (size_t i = 0; i < layer.membranes.size(); ++i) {
    const size_t lane = i % layout.row_lanes;
    const bool in_row = i < layout.size() && lane >= layout.guard_lanes;
    const bool on_map =
        in_row && lane < layout.guard_lanes + size_t{layout.columns} * layout.lanes.lanes;
    if (in_row && !on_map) continue;  // whole vectors may grow there
    const int16_t wanted = expected.membranes.values()[i];
    ASSERT_EQ(state.membranes.values()[i], wanted)
        << (on_map ? "on the map" : "before the first column") << ", block "
        << i / layout.block_lanes() << ", row " << i % layout.block_lanes() / layout.row_lanes
        << ", lane " << lane - layout.guard_lanes << ", before " << layer.membranes[i];
  }
  EXPECT_TRUE(state.membranes.intact());
}

TEST(EventNeuronsTest, AreTheirPlainTwins) {
  std::map<std::string, int> reached;
  uint32_t seed = 0;
  for (const NeuronShape& shape : NeuronShapes()) {
    for (int variant = 0; variant < 5; ++variant, ++seed) {
      SCOPED_TRACE(Describe(shape) + ", seed " + std::to_string(seed));
      const Layer layer(shape, seed);
      const std::string pools = !layer.pools.pooled()    ? "no pools"
                                : layer.pools.disjoint() ? "pools"
                                                         : "overlapping pools";
      ++reached[pools + (layer.fires ? ", fires" : ", silent")];
      ++reached["beta " + std::to_string(layer.step.growth.beta) +
                (layer.step.rectify ? ", rectifies" : "")];
      State expected(layer);
      expected.step.part = PartsOf(layer, true).front();
      for (size_t row = 0; row < layer.layout.rows; ++row) FireRowReference(expected.step, row);
      for (const bool whole : {true, false}) {
        ForEveryInstructionSet([&] {
          if (HasFailure()) return;
          State state(layer);
          for (const LayerPart& part : PartsOf(layer, whole)) {
            state.step.part = part;
            const FireRowFunction fire = ResolveFireRow();
            for (size_t row = part.first_row; row < part.last_row; ++row) fire(state.step, row);
          }
          ExpectSameMembranes(layer, expected, state);
          EXPECT_EQ(state.spikes.words, expected.spikes.words);
          const size_t used = layer.pools.columns * layer.layout.lanes.stride();
          for (size_t i = 0; i < layer.pools.rows * layer.sent_row; ++i) {
            if (i % layer.sent_row >= used) continue;
            ASSERT_EQ(state.sent.values()[i], expected.sent.values()[i]) << "sent, neuron " << i;
          }
          EXPECT_TRUE(state.sent.intact());
        });
        if (HasFailure()) return;
      }
    }
  }
  for (const char* pools : {"no pools", "pools", "overlapping pools"}) {
    for (const char* fires : {", fires", ", silent"}) {
      EXPECT_GE(reached[pools + std::string(fires)], 10) << pools << fires;
    }
  }
  for (const float beta : {1.0F, 1.25F, 1.5F, 1.9F, 2.0F, 2.75F}) {
    EXPECT_GE(reached["beta " + std::to_string(beta)] +
                  reached["beta " + std::to_string(beta) + ", rectifies"],
              40)
        << beta;
  }
}

// Every membrane there is, grown by each beta.
TEST(EventNeuronsTest, EveryNumberOf16BitsGrowsAsItsTwin) {
  NeuronShape shape;
  shape.map = format::Extent(32, 1, 2048);
  const LayerPools pools = PoolsOf(shape);
  const MembraneLayout layout = MembranesOf(shape, pools);
  std::vector<int16_t> start(layout.size() + kLineLanes, 0);
  for (int i = 0; i < 65536; ++i) start[static_cast<size_t>(i)] = static_cast<int16_t>(i - 32768);
  for (const float beta : {1.0F, 1.25F, 1.5F, 1.9F, 1.99999F, 2.0F, 2.75F, 3.0F}) {
    for (const bool round_up : {false, true}) {
      NeuronStep step;
      step.layout = &layout;
      step.pools = &pools;
      step.growth = Growth::Of(beta);
      step.round_up = round_up;
      step.part = {0, 1, 0, 1};
      std::vector<int16_t> expected = start;
      step.membranes = expected.data();
      FireRowReference(step, 0);
      ForEveryInstructionSet([&] {
        Guarded<int16_t> actual{std::span<const int16_t>(start)};
        step.membranes = actual.data();
        ResolveFireRow()(step, 0);
        EXPECT_TRUE(std::equal(expected.begin(), expected.begin() + 65536, actual.data()))
            << beta << (round_up ? " up" : "");
        EXPECT_TRUE(actual.intact());
      });
    }
  }
}

TEST(PixelsTest, AreTheirPlainTwin) {
  uint32_t seed = 0;
  for (const NeuronShape& shape : NeuronShapes()) {
    SCOPED_TRACE(Describe(shape));
    const LayerPools pools = PoolsOf(shape);
    const MembraneLayout layout = MembranesOf(shape, pools);
    std::mt19937 generator(++seed);
    const float size = seed % 3 == 0 ? 1e6F : seed % 3 == 1 ? 40000.0F : 50.0F;
    const size_t floats = layout.map_size();
    std::vector<float> potentials = RandomFloats(floats, -size, size, generator);
    const std::vector<float> carry = RandomFloats(floats, -1, 1, generator);
    // Halves are rounded to even.
    for (size_t i = 0; i < floats; i += 5) potentials[i] = std::floor(potentials[i]) + 0.5F;
    const std::vector<int16_t> start = RandomMembranes(layout, -32768, 32767, generator);
    const float beta = seed % 2 == 0 ? 2.0F : 1.5F;
    std::vector<float> expected_carry = carry;
    for (size_t i = 0; i < floats; i += 10) expected_carry[i] = 0;
    const std::vector<float> start_carry = expected_carry;
    std::vector<int16_t> expected = start;
    const auto last_row = static_cast<uint32_t>(layout.rows);
    const LayerPart all{0, last_row, 0, layout.lanes.blocks};
    AddPixelsReference({potentials.data(), expected_carry.data()}, layout, all, beta,
                       expected.data());
    for (const uint32_t middle : {last_row, last_row / 2}) {
      ForEveryInstructionSet([&] {
        Guarded<int16_t> membranes{std::span<const int16_t>(start)};
        Guarded<float> actual_carry{std::span<const float>(start_carry)};
        const PixelPotentials pixels{potentials.data(), actual_carry.data()};
        for (const LayerPart& part : {LayerPart{middle, last_row, 0, layout.lanes.blocks},
                                      LayerPart{0, middle, 0, layout.lanes.blocks}}) {
          AddPixels(pixels, layout, part, beta, membranes.data());
        }
        EXPECT_TRUE(membranes.intact() && actual_carry.intact());
        for (size_t block = 0; block < layout.lanes.blocks; ++block) {
          for (size_t row = 0; row < layout.rows; ++row) {
            const size_t lanes = size_t{layout.columns} * layout.lanes.lanes;
            const size_t at = layout.RowAt(block, row);
            const size_t map = layout.MapRowAt(block, row);
            for (size_t i = 0; i < lanes; ++i) {
              ASSERT_EQ(membranes.data()[at + i], expected[at + i]) << potentials[map + i];
              ASSERT_EQ(actual_carry.data()[map + i], expected_carry[map + i]);
            }
            ASSERT_TRUE(std::equal(&start[at - layout.guard_lanes], &start[at],
                                   membranes.data() + at - layout.guard_lanes));
          }
        }
      });
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace cssrun::internal
