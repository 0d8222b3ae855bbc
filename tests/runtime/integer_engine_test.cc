// Compares the integer engine with its arithmetic in plain code, on random networks, and checks
// that instruction set, chunk and threads do not change a bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

using integer_tests::Compare;
using integer_tests::Counts;
using integer_tests::ExpectSame;
using integer_tests::LoadInIntegers;
using integer_tests::PlanOf;
using integer_tests::Record;
using integer_tests::SpikeRecord;

TEST(IntegerEngineTest, EqualsItsReferenceOnRandomNetworks) {
  Counts counts;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    Compare(description, *network, pixels, Record(*network, pixels), counts);
    if (HasFatalFailure()) return;
  }
  std::printf("%" PRIu64 " decisions, %" PRIu64 " not compared\n", counts.decisions,
              counts.not_compared);
  EXPECT_GT(counts.decisions - counts.not_compared, 700000U);
}

TEST(IntegerEngineTest, EqualsItsReferenceWithDirectInput) {
  Counts counts;
  oracle::RandomOptions options;
  options.direct = true;
  for (uint32_t seed = 6000; seed < 6100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    EXPECT_EQ(network->layers()[0].kind, LayerKind::kPixels);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const SpikeRecord whole = Record(*network, pixels);
    Compare(description, *network, pixels, whole, counts);
    if (HasFatalFailure()) return;
    for (const unsigned threads : {1U, 3U}) {
      ExpectSame(whole, Record(*network, pixels, 1, threads));
    }
    if (seed % 4 != 0) continue;
    ForEveryInstructionSet([&] { ExpectSame(whole, Record(*network, pixels)); });
  }
  EXPECT_GT(counts.decisions - counts.not_compared, 300000U);
}

TEST(IntegerEngineTest, EqualsItsReferenceWhereAllInputComesBeforeTheFirstSpike) {
  Counts counts;
  for (uint32_t seed = 7000; seed < 7200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    oracle::RandomOptions options;
    options.settled = true;
    options.direct = seed % 2 == 0;
    options.whole_weights = seed % 3 == 0;
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const SpikeRecord whole = Record(*network, pixels);
    Compare(description, *network, pixels, whole, counts);
    if (HasFatalFailure()) return;
    for (const unsigned threads : {1U, 3U}) {
      ExpectSame(whole, Record(*network, pixels, 1, threads));
    }
    if (seed % 4 != 0) continue;
    ForEveryInstructionSet([&] { ExpectSame(whole, Record(*network, pixels)); });
  }
  std::printf("%" PRIu64 " decisions, %" PRIu64 " not compared\n", counts.decisions,
              counts.not_compared);
  EXPECT_GT(counts.decisions - counts.not_compared, 200000U);
}

// The weights of a quantized model are exact in integers, so the engine decides as the paper's
// equations do. Only the ties of floats are rounded.
TEST(IntegerEngineTest, QuantizedWeightsDecideAsTheEquationsDo) {
  uint64_t decisions = 0;
  uint64_t ties = 0;
  for (uint32_t seed = 8000; seed < 8100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    oracle::RandomOptions options;
    options.settled = true;
    options.whole_weights = true;
    options.direct = seed % 2 == 0;
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    if (description.code->timesteps > 4) continue;  // sums of more digits may saturate
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const SpikeRecord recording = Record(*network, pixels);
    const std::vector<double> inputs = oracle::Normalize(description, pixels);
    for (size_t node = 1; node + 1 < description.nodes.size(); ++node) {
      const auto& synapses = description.nodes[node]->synapses;
      // Shortcuts into windows that overlap are rounded.
      const bool rounds =
          description.nodes[node]->pool != nullptr ||
          std::any_of(synapses.begin(), synapses.end(), [](const auto& s) {
            return s->kind == format::SynapseKind::Identity && s->average != nullptr;
          });
      if (rounds) continue;
      const oracle::NodeRun expected = oracle::RunNode(description, node, recording.trains, inputs);
      for (size_t j = 0; j < expected.train[0].size(); ++j) {
        for (size_t i = 0; i < expected.train.size(); ++i) {
          ++decisions;
          if (recording.trains[node][i][j] == expected.train[i][j]) continue;
          ASSERT_LT(expected.margin[i][j], 1e-6) << "node " << node << " neuron " << j;
          ++ties;
          break;
        }
      }
    }
  }
  EXPECT_GT(decisions, 50000U);
  EXPECT_LT(ties, 5U);
}

TEST(IntegerEngineTest, EqualsItsReferenceWithSourcesSpreadOut) {
  Counts counts;
  oracle::RandomOptions options;
  options.spread = true;
  for (uint32_t seed = 9000; seed < 9120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    options.direct = seed % 3 == 0;
    options.settled = seed % 2 == 0;
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const SpikeRecord whole = Record(*network, pixels);
    Compare(description, *network, pixels, whole, counts);
    if (HasFatalFailure()) return;
    ExpectSame(whole, Record(*network, pixels, 1, 3));
    if (seed % 4 != 0) continue;
    ForEveryInstructionSet([&] { ExpectSame(whole, Record(*network, pixels)); });
  }
  EXPECT_GT(counts.decisions - counts.not_compared, 100'000U);
}

TEST(IntegerEngineTest, EqualsItsReferenceWithMeansOfParts) {
  Counts counts;
  oracle::RandomOptions options;
  options.placed_means = true;
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    Compare(description, *network, pixels, Record(*network, pixels), counts);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(counts.decisions - counts.not_compared, 100'000U);
}

// Covers weights in 8 bits, tables for one sign, several sets of blocks, and more spikes than one
// sum holds. It also covers tables so large that each set of blocks does all of its steps before
// the next one.
TEST(IntegerEngineTest, EqualsItsReferenceOnWideLayers) {
  struct Case {
    uint32_t side, from, to, groups;
  };
  for (const Case& c :
       {Case{3, 320, 256, 1}, Case{2, 480, 256, 1}, Case{5, 64, 64, 1}, Case{4, 192, 96, 1},
        Case{4, 128, 128, 32}, Case{5, 96, 96, 96}, Case{4, 40, 200, 4}}) {
    SCOPED_TRACE(std::to_string(c.from) + " to " + std::to_string(c.to));
    const format::NetworkT description = oracle::WideNetwork(c.side, c.from, c.to, c.groups);
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, c.to);
    Counts counts;
    const SpikeRecord best = Record(*network, pixels);
    Compare(description, *network, pixels, best, counts);
    EXPECT_GT(counts.decisions, 2 * counts.not_compared);
    for (const unsigned threads : {1U, 2U, 5U}) {
      for (const uint32_t chunk : {0U, 1U}) {
        ExpectSame(best, Record(*network, pixels, chunk, threads));
      }
    }
    ForEveryInstructionSet([&] { ExpectSame(best, Record(*network, pixels)); });
  }
}

// Covers levels: tiles of every size and their remainders, both groups of targets, and sums beyond
// 16 bits.
TEST(IntegerEngineTest, EqualsItsReferenceWhereAllStepsAreAddedAtOnce) {
  struct Case {
    uint32_t side, from, to;
    bool large;
  };
  for (const Case& c : {Case{33, 16, 16, false}, Case{25, 9, 12, false}, Case{11, 24, 40, false},
                        Case{8, 64, 64, false}, Case{4, 150, 100, false}, Case{17, 33, 32, false},
                        Case{9, 64, 64, true}}) {
    SCOPED_TRACE(std::to_string(c.from) + " to " + std::to_string(c.to));
    format::NetworkT description = oracle::WideNetwork(c.side, c.from, c.to, 1);
    description.code->silent_steps = description.code->timesteps - 1;
    oracle::SetTiming(description);
    if (c.large) {
      std::vector<float>& weights = description.nodes[2]->synapses[0]->weights;
      for (size_t i = 0; i < weights.size(); ++i) weights[i] = i % 2 == 0 ? 0.1F : 0.0707107F;
    }
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    EXPECT_EQ(PlanOf(*network).layers[2].synapses[0].kernel.name, "level_conv");
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, c.to);
    Counts counts;
    const SpikeRecord best = Record(*network, pixels);
    Compare(description, *network, pixels, best, counts);
    EXPECT_GT(counts.decisions, 4 * counts.not_compared);
    ForEveryInstructionSet([&] { ExpectSame(best, Record(*network, pixels)); });
    for (const unsigned threads : {1U, 3U}) {
      ExpectSame(best, Record(*network, pixels, 1, threads));
    }
  }
}

// A row of spikes may add up to more than 16 bits hold, so such a layer must not be summed in
// registers.
TEST(IntegerEngineTest, SumsThatMayNotFitSixteenBitsAreGathered) {
  format::NetworkT description = oracle::WideNetwork(5, 64, 64, 1);
  const auto kernel_of_last_layer = [](const Network& network) {
    return PlanOf(network).layers.rbegin()[1].synapses[0].kernel.name;
  };
  std::shared_ptr<const Network> network = LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(kernel_of_last_layer(*network), "row_scatter");
  std::vector<float>& weights = description.nodes.rbegin()[1]->synapses[0]->weights;
  for (float& weight : weights) weight = std::copysign(0.6F, weight);
  network = LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(kernel_of_last_layer(*network), "tile_gather");
  const std::vector<uint8_t> pixels = oracle::RandomPixels(description, 1);
  Counts counts;
  Compare(description, *network, pixels, Record(*network, pixels), counts);
  EXPECT_GT(counts.decisions, counts.not_compared);
}

// The sums exceed 16 bits by far and have one sign. A membrane must stay at its limit and not wrap
// around.
TEST(IntegerEngineTest, SumsBeyondSixteenBitsSaturate) {
  format::NetworkT description = oracle::WideNetwork(5, 150, 40, 1);
  description.code->negative_spikes = false;
  for (float& weight : description.nodes[1]->synapses[0]->weights) weight = std::abs(weight);
  for (float& weight : description.nodes[2]->synapses[0]->weights) weight = 0.3F;
  const std::vector<uint8_t> white(size_t{3} * 5 * 5, 255);
  for (const float sign : {1.0F, -1.0F}) {
    for (float& weight : description.nodes[2]->synapses[0]->weights) weight *= sign;
    description.nodes[2]->rectify = false;
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    Counts counts;
    const SpikeRecord best = Record(*network, white);
    Compare(description, *network, white, best, counts);
    EXPECT_EQ(counts.not_compared, 0U);
    ForEveryInstructionSet([&] { ExpectSame(best, Record(*network, white)); });
  }
}

// Where pools overlap, members beyond the map have the lowest value that 16 bits hold, in units.
// With as many units an amplitude as here, that is less than one amplitude. Pixels are not added in
// units, so they can bring a potential below it.
TEST(IntegerEngineTest, MembersBeyondTheMapAreNeverTheLargest) {
  format::NetworkT description = oracle::WideNetwork(4, 12, 12, 1);
  description.code->timesteps = 2;
  description.code->silent_steps = 1;
  description.code->input = format::InputCoding::Direct;
  description.nodes[0]->thresholds.clear();
  description.nodes[1]->thresholds = {0.5F, 0.5F};
  format::NodeT& pooled = *description.nodes[2];
  pooled.thresholds = {0.5F, 0.5F};
  pooled.rectify = false;
  pooled.pool = std::make_unique<format::Window>(2, 2, 2, 2, 1, 1, 1, 1, 1, 1);
  *pooled.extent = format::Extent(12, 3, 3);
  for (float& weight : pooled.synapses[0]->weights) weight = weight > 0 ? 2e-5F : -2e-5F;
  auto pixels_in = std::make_unique<format::SynapsesT>(*description.nodes[1]->synapses[0]);
  for (float& weight : pixels_in->weights) weight = -2;
  pooled.synapses.push_back(std::move(pixels_in));
  format::SynapsesT& readout = *description.nodes[3]->synapses[0];
  *readout.window = format::Window(3, 3, 1, 1, 0, 0, 0, 0, 1, 1);
  readout.weights.resize(size_t{4} * 12 * 9);
  description.nodes[0]->amplitude = 0.6F;
  oracle::SetTiming(description);
  const std::shared_ptr<const Network> network = LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  EXPECT_GT(PlanOf(*network).layers[2].scales[0], 32768);  // 16 bits hold less than an amplitude
  const std::vector<uint8_t> white(size_t{3} * 4 * 4, 255);
  Counts counts;
  const SpikeRecord best = Record(*network, white);
  Compare(description, *network, white, best, counts);
  EXPECT_EQ(counts.not_compared, 0U);
  ForEveryInstructionSet([&] { ExpectSame(best, Record(*network, white)); });
}

TEST(IntegerEngineTest, EveryInstructionSetChunkAndThreadGivesTheSameBits) {
  for (uint32_t seed = 5000; seed < 5040; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const std::shared_ptr<const Network> network = LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const SpikeRecord best = Record(*network, pixels);
    for (const uint32_t chunk : {1U, 2U, network->timesteps()}) {
      ExpectSame(best, Record(*network, pixels, chunk));
    }
    for (const unsigned threads : {2U, 3U, 8U}) {
      ExpectSame(best, Record(*network, pixels, threads == 3 ? 1 : 0, threads));
    }
    ForEveryInstructionSet([&] { ExpectSame(best, Record(*network, pixels)); });
  }
}

}  // namespace
}  // namespace cssrun
