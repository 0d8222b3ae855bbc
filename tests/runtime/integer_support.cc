#include "tests/runtime/integer_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "runtime/integer/integer_engine.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/network/network_access.h"

namespace cssrun::integer_tests {
namespace {

using internal::LayerPlan;
using internal::SpikeFrame;
using internal::SynapsesPlan;

std::vector<int8_t> Unpack(const format::Extent& extent, size_t stride, const SpikeFrame& frame) {
  std::vector<int8_t> spikes;
  spikes.reserve(size_t{extent.channels()} * extent.height() * extent.width());
  for (size_t c = 0; c < extent.channels(); ++c) {
    for (size_t y = 0; y < extent.height(); ++y) {
      for (size_t x = 0; x < extent.width(); ++x) {
        const size_t number = x * stride + c;
        const uint64_t word = frame.Row(y)[number / internal::kLineLanes];
        const size_t bit = number % internal::kLineLanes;
        const auto up = static_cast<int>(word >> bit & 1);
        const auto down = static_cast<int>(word >> (bit + internal::kLineLanes) & 1);
        EXPECT_FALSE(up == 1 && down == 1);
        spikes.push_back(static_cast<int8_t>(up - down));
      }
    }
  }
  return spikes;
}

oracle::Addition AdditionOf(const LayerPlan& layer, const SynapsesPlan& synapses) {
  if (!layer.settled) return oracle::Addition::kEvents;
  if (synapses.kernel.name == "level_conv" || synapses.kernel.name == "level_depthwise") {
    return synapses.scales.empty() ? oracle::Addition::kLevels : oracle::Addition::kScaled;
  }
  return synapses.kernel.name == "level_shortcut" ? oracle::Addition::kFloat
                                                  : oracle::Addition::kEvents;
}

void CompareEncoder(const format::NetworkT& description, const std::vector<double>& inputs,
                    const oracle::Train& actual) {
  const oracle::NodeRun expected = oracle::RunEncoder(description, inputs);
  // From a tie on, a pixel may have either of two trains.
  std::vector<bool> tied(actual[0].size(), false);
  for (size_t i = 0; i < actual.size(); ++i) {
    for (size_t j = 0; j < actual[i].size(); ++j) {
      tied[j] = tied[j] || expected.margin[i][j] < 1e-6;
      if (tied[j]) continue;
      ASSERT_EQ(actual[i][j], expected.train[i][j]) << "pixel " << j;
    }
  }
}

void CompareLogits(const std::vector<double>& expected, const std::vector<float>& logits) {
  double scale = 1;
  for (const double logit : expected) scale = std::max(scale, std::abs(logit));
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(logits[i]), expected[i], 1e-5 * scale) << "logit " << i;
  }
}

void CompareNeurons(const oracle::IntegerRun& expected, const oracle::Train& actual,
                    Counts& counts) {
  EXPECT_TRUE(expected.weights_fit);
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

}  // namespace

std::shared_ptr<const Network> Load(const format::NetworkT& description) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes({bytes.data(), bytes.size()}, "random");
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

std::shared_ptr<const Network> LoadInIntegers(const format::NetworkT& description) {
  std::shared_ptr<const Network> network = Load(description);
  if (network == nullptr) return nullptr;
  EXPECT_EQ(network->engine(), EngineKind::kInteger) << network->why_float();
  return network->engine() == EngineKind::kInteger ? network : nullptr;
}

internal::IntegerPlan PlanOf(const Network& network) {
  return internal::DescribePlan(internal::Loaded(network));
}

bool IsShortcut(const SynapsesPlan& synapses) {
  return synapses.kernel.name == "event_shortcut" || synapses.kernel.name == "level_shortcut";
}

oracle::Choices ChoicesOf(const LayerPlan& plan) {
  oracle::Choices choices;
  choices.settled = plan.settled;
  choices.exact = plan.fused;
  choices.whole_pixels = plan.pixel_planes > 0;
  choices.scales = plan.scales;
  for (const SynapsesPlan& s : plan.synapses) {
    // A byte and an offset hold one bit more than a byte.
    const int extra = s.kernel.name == "level_conv" ? 1 : 0;
    choices.synapses.push_back(
        {AdditionOf(plan, s), internal::BitsOf(s.weights) + extra, s.scales});
  }
  return choices;
}

SpikeRecord Record(const Network& network, const std::vector<uint8_t>& pixels, uint32_t chunk,
                   unsigned threads) {
  SpikeRecord record;
  record.trains.resize(network.layers().size());
  const internal::IntegerPlan plan = PlanOf(network);
  SessionOptions options;
  options.statistics = true;
  options.chunk = chunk;
  options.threads = threads;
  internal::IntegerEngine engine(internal::Loaded(network), options, {.fewest_synapses = 0});
  engine.set_observe_spikes([&](size_t layer, uint32_t index, const SpikeFrame& frame) {
    EXPECT_EQ(record.trains[layer].size(), index);
    const LayerInfo& info = network.layers()[layer];
    const size_t stride = size_t{plan.layers[layer].lanes} * plan.layers[layer].blocks;
    record.trains[layer].push_back(
        Unpack(format::Extent(info.channels, info.height, info.width), stride, frame));
  });
  EXPECT_TRUE(engine.Run({.bytes = pixels}, record.answer).ok());

  // The same when nobody looks at spikes, so that some layers send levels alone.
  const internal::ThreadSharing everything = {.fewest_synapses = 0, .near_weights = 0};
  internal::IntegerEngine alone(internal::Loaded(network), options, everything);
  for (size_t layer = 0; layer < network.layers().size(); ++layer) {
    if (alone.sends_levels_alone(layer)) record.levels_alone.insert(layer);
  }
  if (record.levels_alone.empty()) return record;
  Answer answer;
  EXPECT_TRUE(alone.Run({.bytes = pixels}, answer).ok());
  record.shared_tiles = alone.shared_tiles();
  EXPECT_EQ(answer.logits.size(), record.answer.logits.size());
  EXPECT_EQ(0, std::memcmp(answer.logits.data(), record.answer.logits.data(),
                           answer.logits.size() * sizeof(float)));
  for (size_t layer = 0; layer < answer.layers.size(); ++layer) {
    SCOPED_TRACE("layer " + std::to_string(layer));
    EXPECT_EQ(answer.layers[layer].spikes, record.answer.layers[layer].spikes);
    EXPECT_EQ(answer.layers[layer].synops, record.answer.layers[layer].synops);
    if (!record.levels_alone.contains(layer)) continue;
    EXPECT_FALSE(engine.sends_levels_alone(layer));
    EXPECT_EQ(alone.levels(layer).levels, engine.levels(layer).levels);
  }

  // The same when nobody looks at counts either.
  options.statistics = false;
  internal::IntegerEngine uncounted(internal::Loaded(network), options, everything);
  EXPECT_TRUE(uncounted.Run({.bytes = pixels}, answer).ok());
  EXPECT_TRUE(answer.layers.empty());
  EXPECT_EQ(answer.logits, record.answer.logits);
  for (const size_t layer : record.levels_alone) {
    EXPECT_EQ(uncounted.levels(layer).levels, engine.levels(layer).levels);
  }
  return record;
}

void Compare(const format::NetworkT& description, const Network& network,
             const std::vector<uint8_t>& pixels, const SpikeRecord& record, Counts& counts) {
  const size_t last = description.nodes.size() - 1;
  const std::vector<double> inputs = oracle::Normalize(description, pixels);
  const internal::IntegerPlan plan = PlanOf(network);
  for (size_t node = 0; node <= last; ++node) {
    SCOPED_TRACE("node " + std::to_string(node));
    const oracle::Train& actual = record.trains[node];
    uint64_t spikes = 0;
    for (const auto& step : actual) {
      for (const int8_t spike : step) spikes += spike != 0;
    }
    EXPECT_EQ(record.answer.layers[node].spikes, spikes);
    if (node == 0) {
      if (!actual.empty()) CompareEncoder(description, inputs, actual);  // none with direct input
      continue;
    }
    const oracle::NodeRun in_double = oracle::RunNode(description, node, record.trains, inputs);
    EXPECT_EQ(record.answer.layers[node].synops, in_double.synops);
    if (node == last) {
      CompareLogits(in_double.potentials, record.answer.logits);
      continue;
    }
    const oracle::Choices choices = ChoicesOf(plan.layers[node]);
    ASSERT_EQ(choices.synapses.size() + plan.layers[node].pixel_synapses,
              description.nodes[node]->synapses.size());
    CompareNeurons(oracle::RunNodeInIntegers(description, node, choices, record.trains, inputs),
                   actual, counts);
    if (testing::Test::HasFatalFailure()) return;
  }
}

void ExpectSame(const SpikeRecord& expected, const SpikeRecord& actual) {
  EXPECT_EQ(expected.answer.logits, actual.answer.logits);
  EXPECT_EQ(expected.trains, actual.trains);
  ASSERT_EQ(expected.answer.layers.size(), actual.answer.layers.size());
  for (size_t layer = 0; layer < expected.answer.layers.size(); ++layer) {
    EXPECT_EQ(expected.answer.layers[layer].spikes, actual.answer.layers[layer].spikes);
    EXPECT_EQ(expected.answer.layers[layer].synops, actual.answer.layers[layer].synops);
  }
}

}  // namespace cssrun::integer_tests
