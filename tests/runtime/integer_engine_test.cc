// The integer engine against its arithmetic written plainly, on random networks; and that neither
// instruction set, chunk nor thread changes a bit.
#include "runtime/integer/integer_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "hwy/targets.h"
#include "runtime/network/network_access.h"
#include "tests/oracle/integer_reference.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"

namespace cssrun {
namespace {

using internal::SpikeFrame;
using oracle::Train;

std::shared_ptr<const Network> Load(const format::NetworkT& description) {
  const flatbuffers::DetachedBuffer bytes = SerializeNetwork(description);
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes({bytes.data(), bytes.size()}, "random");
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

struct Recording {
  std::vector<Train> trains;
  Answer answer;
};

std::vector<int8_t> Unpack(const format::Extent& extent, size_t stride, const SpikeFrame& frame) {
  std::vector<int8_t> spikes;
  for (size_t c = 0; c < extent.channels(); ++c) {
    for (size_t y = 0; y < extent.height(); ++y) {
      for (size_t x = 0; x < extent.width(); ++x) {
        const size_t number = x * stride + c;
        const uint64_t word = frame.Row(y)[number / internal::kChunkLanes];
        const size_t bit = number % internal::kChunkLanes;
        const auto up = static_cast<int>(word >> bit & 1);
        const auto down = static_cast<int>(word >> (bit + internal::kChunkLanes) & 1);
        EXPECT_FALSE(up == 1 && down == 1);
        spikes.push_back(static_cast<int8_t>(up - down));
      }
    }
  }
  return spikes;
}

Recording Record(const Network& network, const std::vector<uint8_t>& pixels, uint32_t chunk = 0,
                 unsigned threads = 1) {
  Recording recording;
  recording.trains.resize(network.layers().size());
  const internal::LoadedNetwork& loaded = internal::Loaded(network);
  SessionOptions options;
  options.chunk = chunk;
  options.threads = threads;
  internal::IntegerEngine engine(loaded, options);
  engine.set_shared_work(0);
  engine.set_observe_spikes([&](size_t layer, uint32_t index, const SpikeFrame& frame) {
    EXPECT_EQ(recording.trains[layer].size(), index);
    const format::Extent& extent = loaded.layers[layer].extent;
    const internal::LaneLayout layout = loaded.integers().layouts[layer];
    recording.trains[layer].push_back(Unpack(extent, layout.stride(), frame));
  });
  EXPECT_TRUE(engine.Run({.bytes = pixels}, recording.answer).ok());
  return recording;
}

struct Counts {
  uint64_t decisions = 0;
  uint64_t not_compared = 0;  // a sum may have saturated on the way
};

// Each layer's reference is driven with the engine's own spikes.
void Compare(const format::NetworkT& description, const std::vector<uint8_t>& pixels,
             const Recording& recording, Counts& counts) {
  const size_t last = description.nodes.size() - 1;
  const std::vector<double> inputs = oracle::Normalize(description, pixels);
  for (size_t node = 0; node <= last; ++node) {
    SCOPED_TRACE("node " + std::to_string(node));
    const Train& actual = recording.trains[node];
    uint64_t spikes = 0;
    for (const auto& step : actual) {
      for (const int8_t spike : step) spikes += spike != 0;
    }
    EXPECT_EQ(recording.answer.layers[node].spikes, spikes);
    if (node == 0 && actual.empty()) continue;  // direct input
    if (node == 0) {
      const oracle::NodeRun expected = oracle::RunEncoder(description, inputs);
      // From a tie on, a pixel may have either of two trains.
      std::vector<bool> tied(actual[0].size(), false);
      for (size_t i = 0; i < actual.size(); ++i) {
        for (size_t j = 0; j < actual[i].size(); ++j) {
          tied[j] = tied[j] || expected.margin[i][j] < 1e-6;
          if (tied[j]) continue;
          EXPECT_EQ(actual[i][j], expected.train[i][j]);
        }
      }
      continue;
    }
    const oracle::NodeRun in_double = oracle::RunNode(description, node, recording.trains, inputs);
    EXPECT_EQ(recording.answer.layers[node].synops, in_double.synops);
    if (node == last) {
      double scale = 1;
      for (const double logit : in_double.potentials) scale = std::max(scale, std::abs(logit));
      for (size_t i = 0; i < in_double.potentials.size(); ++i) {
        EXPECT_NEAR(static_cast<double>(recording.answer.logits[i]), in_double.potentials[i],
                    1e-5 * scale);
      }
      continue;
    }
    const oracle::IntegerRun expected =
        oracle::RunNodeInIntegers(description, node, recording.trains, inputs);
    ASSERT_EQ(actual.size(), expected.train.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      for (size_t j = 0; j < actual[i].size(); ++j) {
        ++counts.decisions;
        if (i >= expected.exact_until[j]) {
          ++counts.not_compared;
          continue;
        }
        ASSERT_EQ(actual[i][j], expected.train[i][j]) << "neuron " << j << " index " << i;
      }
    }
  }
}

// Of this machine, and the one without vectors, which the machine does not name.
template <class Function>
void ForEveryInstructionSet(Function function) {
  const int64_t supported = hwy::SupportedTargets() | HWY_SCALAR;
  for (int64_t rest = supported; rest != 0; rest &= rest - 1) {
    hwy::SetSupportedTargetsForTest(rest & -rest);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    function();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(IntegerEngineTest, EqualsItsReferenceOnRandomNetworks) {
  Counts counts;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    Compare(description, pixels, Record(*network, pixels), counts);
    if (HasFatalFailure()) return;
  }
  std::printf("%lu decisions, %lu not compared\n", counts.decisions, counts.not_compared);
  EXPECT_GT(counts.decisions - counts.not_compared, 700000U);
}

TEST(IntegerEngineTest, EqualsItsReferenceWithDirectInput) {
  Counts counts;
  oracle::RandomOptions options;
  options.direct = true;
  for (uint32_t seed = 6000; seed < 6100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
    EXPECT_EQ(network->layers()[0].kind, LayerKind::kPixels);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const Recording whole = Record(*network, pixels);
    Compare(description, pixels, whole, counts);
    if (HasFatalFailure()) return;
    for (const unsigned threads : {1U, 3U}) {
      const Recording stepwise = Record(*network, pixels, 1, threads);
      EXPECT_EQ(stepwise.answer.logits, whole.answer.logits);
      EXPECT_EQ(stepwise.trains, whole.trains);
    }
    if (seed % 4 != 0) continue;
    ForEveryInstructionSet([&] {
      const Recording other = Record(*network, pixels);
      EXPECT_EQ(other.answer.logits, whole.answer.logits);
      EXPECT_EQ(other.trains, whole.trains);
    });
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
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const Recording whole = Record(*network, pixels);
    Compare(description, pixels, whole, counts);
    if (HasFatalFailure()) return;
    for (const unsigned threads : {1U, 3U}) {
      const Recording stepwise = Record(*network, pixels, 1, threads);
      EXPECT_EQ(stepwise.answer.logits, whole.answer.logits);
      EXPECT_EQ(stepwise.trains, whole.trains);
    }
    if (seed % 4 != 0) continue;
    ForEveryInstructionSet([&] {
      const Recording other = Record(*network, pixels);
      EXPECT_EQ(other.answer.logits, whole.answer.logits);
      EXPECT_EQ(other.trains, whole.trains);
    });
  }
  std::printf("%lu decisions, %lu not compared\n", counts.decisions, counts.not_compared);
  EXPECT_GT(counts.decisions - counts.not_compared, 200000U);
}

// The weights of a quantized model are exact in integers, so that the engine decides as the paper's
// equations do: nothing is rounded but the ties of floats.
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
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const Recording recording = Record(*network, pixels);
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

TEST(IntegerEngineTest, EqualsItsReferenceWithMeansOfParts) {
  Counts counts;
  oracle::RandomOptions options;
  options.placed_means = true;
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    Compare(description, pixels, Record(*network, pixels), counts);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(counts.decisions - counts.not_compared, 100'000U);
}

// Weights in 8 bits, tables for one sign, several sets of blocks, more spikes than one sum holds.
TEST(IntegerEngineTest, EqualsItsReferenceOnWideLayers) {
  struct Case {
    uint32_t side, from, to, groups;
  };
  for (const Case& c : {Case{3, 320, 256, 1}, Case{5, 64, 64, 1}, Case{4, 192, 96, 1},
                        Case{4, 128, 128, 32}, Case{5, 96, 96, 96}, Case{4, 40, 200, 4}}) {
    SCOPED_TRACE(std::to_string(c.from) + " to " + std::to_string(c.to));
    const format::NetworkT description = oracle::WideNetwork(c.side, c.from, c.to, c.groups);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, c.to);
    Counts counts;
    const Recording best = Record(*network, pixels);
    Compare(description, pixels, best, counts);
    EXPECT_GT(counts.decisions, 2 * counts.not_compared);
    ForEveryInstructionSet([&] {
      const Recording other = Record(*network, pixels);
      EXPECT_EQ(best.answer.logits, other.answer.logits);
      EXPECT_EQ(best.trains, other.trains);
    });
  }
}

// Levels: tiles of every size and their remainders, both groups of targets, sums beyond 16 bits.
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
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
    EXPECT_EQ(internal::Loaded(*network).integers().layers[2].synapses[0].kind,
              internal::AccumulateKind::kLevels);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, c.to);
    Counts counts;
    const Recording best = Record(*network, pixels);
    Compare(description, pixels, best, counts);
    EXPECT_GT(counts.decisions, 4 * counts.not_compared);
    const auto expect_same = [&](const Recording& other) {
      EXPECT_EQ(best.answer.logits, other.answer.logits);
      EXPECT_EQ(best.trains, other.trains);
    };
    ForEveryInstructionSet([&] { expect_same(Record(*network, pixels)); });
    for (const unsigned threads : {1U, 3U}) expect_same(Record(*network, pixels, 1, threads));
  }
}

// A row of spikes may bring more than 16 bits hold: such layers must not sum it up in registers.
TEST(IntegerEngineTest, SumsThatMayNotFitSixteenBitsAreGathered) {
  format::NetworkT description = oracle::WideNetwork(5, 64, 64, 1);
  const auto kind_of_last_layer = [](const Network& network) {
    return internal::Loaded(network).integers().layers.rbegin()[1].synapses[0].kind;
  };
  std::shared_ptr<const Network> network = Load(description);
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(kind_of_last_layer(*network), internal::AccumulateKind::kRoll);
  std::vector<float>& weights = description.nodes.rbegin()[1]->synapses[0]->weights;
  for (float& weight : weights) weight = std::copysign(0.6F, weight);
  network = Load(description);
  ASSERT_NE(network, nullptr);
  ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
  EXPECT_EQ(kind_of_last_layer(*network), internal::AccumulateKind::kGather);
  const std::vector<uint8_t> pixels = oracle::RandomPixels(description, 1);
  Counts counts;
  Compare(description, pixels, Record(*network, pixels), counts);
  EXPECT_GT(counts.decisions, counts.not_compared);
}

TEST(IntegerEngineTest, EveryInstructionSetChunkAndThreadGivesTheSameBits) {
  for (uint32_t seed = 5000; seed < 5040; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    ASSERT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const Recording best = Record(*network, pixels);
    for (const uint32_t chunk : {1U, 2U, network->timesteps()}) {
      const Recording other = Record(*network, pixels, chunk);
      EXPECT_EQ(best.answer.logits, other.answer.logits);
      EXPECT_EQ(best.trains, other.trains);
    }
    for (const unsigned threads : {2U, 3U, 8U}) {
      const Recording other = Record(*network, pixels, threads == 3 ? 1 : 0, threads);
      EXPECT_EQ(best.answer.logits, other.answer.logits);
      EXPECT_EQ(best.trains, other.trains);
      for (size_t layer = 0; layer < best.answer.layers.size(); ++layer) {
        EXPECT_EQ(best.answer.layers[layer].synops, other.answer.layers[layer].synops);
      }
    }
    ForEveryInstructionSet([&] {
      const Recording other = Record(*network, pixels);
      EXPECT_EQ(best.answer.logits, other.answer.logits);
      EXPECT_EQ(best.trains, other.trains);
    });
  }
}

// What the integer engine cannot do, or would need too much memory for, runs in float and says why.
void ExpectFloat(const format::NetworkT& description, const std::string& reason) {
  const std::shared_ptr<const Network> network = Load(description);
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(network->engine(), EngineKind::kFloat);
  EXPECT_NE(network->why_float().find(reason), std::string::npos) << network->why_float();
  Session session(network);
  Answer answer;
  EXPECT_TRUE(session.Run(oracle::RandomPixels(description, 1), answer).ok());
}

TEST(IntegerEngineTest, WeightsTooLargeForSixteenBitsRunInFloat) {
  format::NetworkT description = oracle::ChainNetwork(2, 6, 1.5F, 1);
  description.nodes[1]->synapses[0]->weights[0] = 100.0F;
  ExpectFloat(description, "layer0");
}

TEST(IntegerEngineTest, ALongSilentPeriodRunsInFloat) {
  const std::shared_ptr<const Network> longest = Load(oracle::ChainNetwork(2, 6, 2, 3));
  ASSERT_NE(longest, nullptr);
  EXPECT_EQ(longest->engine(), EngineKind::kInteger);
  ExpectFloat(oracle::ChainNetwork(2, 6, 2, 4), "silent period");
}

TEST(IntegerEngineTest, LayoutsOutOfProportionRunInFloat) {
  // Two taps 200 apart: a small file, a large layout.
  format::NetworkT description = oracle::ChainNetwork(2, 4, 2, 1);
  format::Window& far = *description.nodes[1]->synapses[0]->window;
  far = format::Window(2, 2, 1, 1, 100, 100, 100, 100, 200, 200);
  auto& weights = description.nodes[1]->synapses[0]->weights;
  weights.assign(weights.size() * 4, 0.1F);
  ExpectFloat(description, "reaches too far");

  // Means that overlap, each of half of a long row: a list of all members would be 17 million.
  format::NetworkT means = oracle::ChainNetwork(1, 2, 2, 1);
  const format::Extent row(1, 1, 8192);
  *means.nodes[0]->extent = row;
  *means.nodes[0]->potential = row;
  means.preprocessing->mean = {0};
  means.preprocessing->stddev = {1};
  means.preprocessing->resize = 8192;
  means.nodes[1]->synapses[0]->average =
      std::make_unique<format::Window>(1, 4096, 1, 1, 0, 0, 0, 0, 1, 1);
  const format::Extent seen(3, 1, 4097);
  *means.nodes[1]->extent = seen;
  *means.nodes[1]->potential = seen;
  means.nodes[1]->synapses[0]->weights.assign(3, 0.5F);
  *means.nodes[2]->synapses[0]->window = format::Window(1, 4097, 1, 1, 0, 0, 0, 0, 1, 1);
  means.nodes[2]->synapses[0]->weights.assign(size_t{4} * 3 * 4097, 0.001F);
  ExpectFloat(means, "too many members");

  // One position in 2048: few have a tap at all.
  format::NetworkT sparse = oracle::ChainNetwork(1, 4, 2, 1);
  const format::Extent image(1, 1, 8192);
  *sparse.nodes[0]->extent = image;
  *sparse.nodes[0]->potential = image;
  sparse.preprocessing->mean = {0};
  sparse.preprocessing->stddev = {1};
  sparse.preprocessing->resize = 8192;
  *sparse.nodes[1]->synapses[0]->window = format::Window(1, 1, 1, 2048, 0, 0, 0, 0, 1, 1);
  const format::Extent few(3, 1, 4);
  *sparse.nodes[1]->extent = few;
  *sparse.nodes[1]->potential = few;
  sparse.nodes[1]->synapses[0]->weights.assign(3, 0.5F);
  *sparse.nodes[2]->synapses[0]->window = format::Window(1, 4, 1, 1, 0, 0, 0, 0, 1, 1);
  sparse.nodes[2]->synapses[0]->weights.assign(size_t{4} * 3 * 4, 0.5F);
  const std::shared_ptr<const Network> network = Load(sparse);
  ASSERT_NE(network, nullptr) << "a large stride over a narrow map is sound";
  EXPECT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
}

}  // namespace
}  // namespace cssrun
