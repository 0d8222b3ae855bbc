// Compares the float engine with the paper's equations in double.
#include "runtime/float/float_engine.h"

#include <gtest/gtest.h>

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <variant>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "runtime/network/network_access.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"
#include "tests/runtime/instruction_sets.h"

namespace cssrun {
namespace {

using internal::EventFrame;
using oracle::NodeRun;
using oracle::Train;

std::shared_ptr<const Network> Load(const format::NetworkT& description,
                                    EngineKind engine = EngineKind::kFloat) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes({bytes.data(), bytes.size()}, "random", engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

// The engine's spikes in the reference's layout.
struct Recording {
  std::vector<Train> trains;
  Answer answer;
};

std::vector<int8_t> Unpack(const format::Extent& extent, const EventFrame& events) {
  const size_t positions = size_t{extent.height()} * extent.width();
  std::vector<int8_t> spikes(positions * extent.channels(), 0);
  for (size_t p = 0; p < positions; ++p) {
    for (uint32_t i = events.bounds[2 * p]; i < events.bounds[2 * p + 2]; ++i) {
      int8_t& spike = spikes[events.channels[i] * positions + p];
      EXPECT_EQ(spike, 0) << "a neuron fired twice in a step";
      spike = i < events.bounds[2 * p + 1] ? 1 : -1;
    }
  }
  return spikes;
}

Recording Record(const Network& network, const std::vector<uint8_t>& pixels) {
  Recording recording;
  recording.trains.resize(network.layers().size());
  internal::FloatEngine engine(internal::Loaded(network), {.statistics = true});
  engine.set_observe_spikes([&](size_t layer, uint32_t index, const EventFrame& events) {
    EXPECT_EQ(recording.trains[layer].size(), index);
    recording.trains[layer].push_back(
        Unpack(internal::Loaded(network).layers[layer].extent, events));
  });
  EXPECT_TRUE(engine.Run({.bytes = pixels}, recording.answer).ok());
  return recording;
}

// The margin is a few roundings of the sum that is compared with the threshold.
constexpr double kTieMargin = 4 * static_cast<double>(std::numeric_limits<float>::epsilon());

struct Comparison {
  size_t first_node = 0;
  uint64_t decisions = 0;
  uint64_t ties = 0;
};

// Drives the reference of each layer with the engine's own spikes, so that a tie that falls the
// other way in one layer can neither hide nor cause differences in the next.
void Compare(const format::NetworkT& description, const std::vector<uint8_t>& pixels,
             const Recording& recording, double tolerance, Comparison& comparison) {
  const std::vector<double> inputs = oracle::Normalize(description, pixels);
  for (size_t node = comparison.first_node; node < description.nodes.size(); ++node) {
    SCOPED_TRACE("node " + std::to_string(node));
    const NodeRun expected = node == 0
                                 ? oracle::RunEncoder(description, inputs)
                                 : oracle::RunNode(description, node, recording.trains, inputs);
    const Train& actual = recording.trains[node];
    ASSERT_EQ(actual.size(), expected.train.size());
    const size_t neurons = expected.train.empty() ? 0 : expected.train[0].size();
    uint64_t spikes = 0;
    for (size_t neuron = 0; neuron < neurons; ++neuron) {
      for (size_t i = 0; i < actual.size(); ++i) {
        ++comparison.decisions;
        if (actual[i][neuron] == expected.train[i][neuron]) continue;
        ASSERT_LT(expected.margin[i][neuron], tolerance)
            << "neuron " << neuron << " index " << i << ": engine " << int{actual[i][neuron]}
            << ", reference " << int{expected.train[i][neuron]};
        ++comparison.ties;
        break;  // after a tie, the rest of this neuron's train may differ
      }
      for (size_t i = 0; i < actual.size(); ++i) spikes += actual[i][neuron] != 0;
    }
    EXPECT_EQ(recording.answer.layers[node].spikes, spikes);
    EXPECT_EQ(recording.answer.layers[node].synops, expected.synops);
    if (node + 1 == description.nodes.size()) {
      double scale = 1;
      for (const double logit : expected.potentials) scale = std::max(scale, std::abs(logit));
      for (size_t i = 0; i < expected.potentials.size(); ++i) {
        EXPECT_NEAR(static_cast<double>(recording.answer.logits[i]), expected.potentials[i],
                    1e-5 * scale);
      }
    }
  }
}

TEST(FloatEngineTest, EqualsReferenceWithMeansOfParts) {
  Comparison comparison;
  oracle::RandomOptions options;
  options.placed_means = true;
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    Compare(description, pixels, Record(*network, pixels), kTieMargin, comparison);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(comparison.decisions, 100'000U);
}

TEST(FloatEngineTest, EqualsReferenceWithSourcesSpreadOut) {
  for (const bool direct : {false, true}) {
    Comparison comparison;
    if (direct) comparison.first_node = 1;
    oracle::RandomOptions options;
    options.spread = true;
    options.direct = direct;
    for (uint32_t seed = 4000; seed < 4060; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      const format::NetworkT description = oracle::RandomNetwork(seed, options);
      const std::shared_ptr<const Network> network = Load(description);
      ASSERT_NE(network, nullptr);
      const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
      Compare(description, pixels, Record(*network, pixels), kTieMargin, comparison);
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(comparison.decisions, 100'000U);
    EXPECT_LT(comparison.ties, comparison.decisions / 100000);
  }
}

TEST(FloatEngineTest, EqualsReferenceOnRandomNetworksUpToTies) {
  Comparison comparison;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    Compare(description, pixels, Record(*network, pixels), kTieMargin, comparison);
    if (HasFatalFailure()) return;
  }
  RecordProperty("decisions", std::to_string(comparison.decisions));
  RecordProperty("ties", std::to_string(comparison.ties));
  std::printf("%" PRIu64 " decisions, %" PRIu64 " ties\n", comparison.decisions, comparison.ties);
  EXPECT_GT(comparison.decisions, 1000000U);
  EXPECT_LT(comparison.ties, comparison.decisions / 100000);
}

TEST(FloatEngineTest, EqualsReferenceWithDirectInputUpToTies) {
  Comparison comparison;
  comparison.first_node = 1;
  oracle::RandomOptions options;
  options.direct = true;
  for (uint32_t seed = 3000; seed < 3100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const Recording recording = Record(*network, pixels);
    EXPECT_TRUE(recording.trains[0].empty());
    EXPECT_GT(recording.answer.layers[1].macs, 0U);
    Compare(description, pixels, recording, kTieMargin, comparison);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(comparison.decisions, 300000U);
  EXPECT_LT(comparison.ties, comparison.decisions / 100000);
}

TEST(FloatEngineTest, EqualsReferenceExactlyWhereFloatSumsAreExact) {
  Comparison comparison;
  comparison.first_node = 1;  // normalized pixels are not multiples of 1/32
  for (uint32_t seed = 1000; seed < 1200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    oracle::RandomOptions options;
    options.exact = true;
    const format::NetworkT description = oracle::RandomNetwork(seed, options);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const Recording recording = Record(*network, pixels);
    Compare(description, pixels, recording, 0, comparison);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(comparison.ties, 0U);
}

TEST(FloatEngineTest, EveryInstructionSetGivesTheSameBits) {
  for (uint32_t seed = 2000; seed < 2040; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::RandomNetwork(seed);
    const std::shared_ptr<const Network> network = Load(description);
    ASSERT_NE(network, nullptr);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const Recording best = Record(*network, pixels);
    int tried = 0;
    ForEveryInstructionSet([&] {
      const Recording other = Record(*network, pixels);
      EXPECT_EQ(best.answer.logits, other.answer.logits);
      EXPECT_EQ(best.trains, other.trains);
      ++tried;
    });
    EXPECT_GE(tried, 1);
  }
}

// A shortcut waits for many more steps than there are spikes. Only T frames are kept, not one for
// each step.
TEST(FloatEngineTest, AShortcutOverManyLayers) {
  format::NetworkT description = oracle::ChainNetwork(12, 4, 1.5F, 3);
  format::NodeT& last = *description.nodes[12];
  auto shortcut = std::make_unique<format::SynapsesT>();
  shortcut->source = 0;
  shortcut->kind = format::SynapseKind::Identity;
  shortcut->window = std::make_unique<format::Window>(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  shortcut->weights = {0.5F};
  last.synapses.push_back(std::move(shortcut));
  oracle::SetTiming(description);
  ASSERT_EQ(last.synapses[1]->delay, 33U);
  const std::shared_ptr<const Network> network = Load(description);
  ASSERT_NE(network, nullptr);
  Comparison comparison;
  for (uint32_t image = 0; image < 3; ++image) {
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, image);
    Compare(description, pixels, Record(*network, pixels), kTieMargin, comparison);
  }
}

// Latency = T + L * depth.
TEST(TimingTest, ChainLatency) {
  for (uint32_t layers = 0; layers < 6; ++layers) {
    for (uint32_t silent = 0; silent < 4; ++silent) {
      const std::shared_ptr<const Network> network =
          Load(oracle::ChainNetwork(layers, 9, 1.5F, silent));
      ASSERT_NE(network, nullptr);
      EXPECT_EQ(network->latency_steps(), 9 + silent * layers);
      Session session(network);
      Answer answer;
      ASSERT_TRUE(session.Run(std::vector<uint8_t>(48, 200), answer).ok());
      EXPECT_EQ(answer.steps, 9 + silent * layers);
    }
  }
}

// Makes a chain whose last layer also has a shortcut from the encoder. Latency follows the longest
// path, and the shortcut waits L steps for each layer that it bypasses.
format::NetworkT ResidualNetwork(uint32_t layers, uint32_t silent) {
  format::NetworkT network = oracle::ChainNetwork(layers, 8, 1.5F, silent);
  auto shortcut = std::make_unique<format::SynapsesT>();
  shortcut->source = 0;
  shortcut->kind = format::SynapseKind::Identity;
  shortcut->window = std::make_unique<format::Window>(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  shortcut->weights = {0.75F};
  network.nodes[layers]->synapses.push_back(std::move(shortcut));
  oracle::SetTiming(network);
  return network;
}

TEST(TimingTest, ResidualLatencyAndDelay) {
  const format::NetworkT description = ResidualNetwork(4, 2);
  EXPECT_EQ(description.nodes[4]->synapses[1]->delay, 3 * 2U);
  const std::shared_ptr<const Network> network = Load(description);
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(network->latency_steps(), 8 + 2 * 4U);
}

TEST(TimingTest, ADelayLineOneStepShortOrLongChangesTheSpikes) {
  const format::NetworkT description = ResidualNetwork(3, 1);
  const std::vector<uint8_t> pixels = oracle::RandomPixels(description, 3);
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  Result<format::NetworkFile> file =
      format::NetworkFile::FromBytes({bytes.data(), bytes.size()}, "residual");
  ASSERT_TRUE(file.ok()) << file.status().message();
  const Train expected = oracle::RunNetwork(description, pixels)[3].train;
  for (const int error : {-1, 0, 1}) {
    internal::LoadedNetwork network = internal::LayOutNetwork(file.value(), EngineKind::kFloat);
    auto& floats = std::get<internal::FloatNetwork>(network.layout);
    internal::SynapseLayout& shortcut = floats.layers[3].synapses[1];
    shortcut.delay = static_cast<uint32_t>(static_cast<int>(shortcut.delay) + error);
    floats.layers[0].kept_steps += 1;
    Train actual;
    internal::FloatEngine engine(network, {});
    engine.set_observe_spikes([&](size_t layer, uint32_t, const EventFrame& events) {
      if (layer == 3) actual.push_back(Unpack(network.layers[3].extent, events));
    });
    Answer answer;
    ASSERT_TRUE(engine.Run({.bytes = pixels}, answer).ok());
    if (error == 0) {
      EXPECT_EQ(actual, expected);
    } else {
      EXPECT_NE(actual, expected) << "delay off by " << error;
    }
  }
}

}  // namespace
}  // namespace cssrun
