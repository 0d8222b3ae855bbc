// Counting spikes and synaptic operations, against plain twins.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "runtime/integer/connection.h"
#include "runtime/integer/kernels/fan_out.h"
#include "runtime/integer/kernels/fan_out_reference.h"
#include "runtime/integer/network.h"
#include "runtime/network/network_access.h"
#include "tests/oracle/random_network.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/kernels/cases/random_state.h"
#include "tests/runtime/kernels/cases/shapes.h"

namespace cssrun::internal {
namespace {

TEST(CountingTest, SpikesAreCountedAsByTheirPlainTwin) {
  uint32_t seed = 0;
  for (const NeuronShape& shape : NeuronShapes()) {
    std::mt19937 generator(++seed);
    const LaneLayout lanes = LaneLayout::For(shape.map.channels());
    SpikeFrame expected = RandomSpikes(shape.map, lanes, seed % 4 * 333, Signs::kBoth, generator);
    const std::vector<uint32_t> drawn = expected.counts;
    CountSpikesReference(expected);
    EXPECT_EQ(expected.counts, drawn);
    ForEveryInstructionSet([&] {
      SpikeFrame actual = expected;
      actual.counts.assign(actual.counts.size(), 12345);
      CountSpikes(actual);
      EXPECT_EQ(actual.counts, expected.counts) << Describe(shape);
    });
  }
}

// All spikes that synapses of random networks may see: fan-outs come from the network's builder.
TEST(CountingTest, SynopsAreCountedAsByTheirPlainTwin) {
  int compared = 0;
  int with_exceptions = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(oracle::RandomNetwork(
        seed, {.placed_means = seed % 2 == 0, .settled = seed % 3 == 0, .spread = seed % 4 == 1}));
    auto loaded = Network::FromBytes({bytes.data(), bytes.size()}, "random");
    ASSERT_TRUE(loaded.ok());
    if (loaded.value()->engine() != EngineKind::kInteger) continue;
    const IntegerNetwork& integers = Loaded(*loaded.value()).integers();
    const format::Network& network = *format::GetNetwork(bytes.data());
    std::mt19937 generator(seed);
    for (uint32_t node = 1; node + 1 < network.nodes()->size(); ++node) {
      size_t index = 0;
      for (const format::Synapses* s : SpikeSynapses(network, *network.nodes()->Get(node))) {
        SCOPED_TRACE("network " + std::to_string(seed) + ", node " + std::to_string(node));
        const IntegerSynapses& synapses = integers.layers[node].synapses[index++];
        FanOutShape shape;
        shape.synapses = s;
        shape.source = *network.nodes()->Get(s->source())->extent();
        shape.target = *network.nodes()->Get(node)->potential();
        shape.source_lanes = integers.layouts[s->source()];
        const SpikeFrame spikes =
            RandomSpikes(shape.source, shape.source_lanes, 300, Signs::kBoth, generator);
        const size_t rows = shape.source.height();
        for (const auto& [first, last] : {std::pair<size_t, size_t>{0, rows}, {rows / 2, rows}}) {
          const uint64_t expected = CountSynopsReference(shape, spikes, first, last);
          ForEveryInstructionSet(
              [&] { EXPECT_EQ(CountSynops(synapses.fan_out, spikes, first, last), expected); });
        }
        ++compared;
        with_exceptions += synapses.fan_out.exceptions.empty() ? 0 : 1;
      }
    }
  }
  EXPECT_GE(compared, 200);
  EXPECT_GE(with_exceptions, 50);
}

}  // namespace
}  // namespace cssrun::internal
