// Checks the integer engine's decisions about a network: scales, bits, which layers are settled,
// and what is added in registers. Each test states one rule by what it must guarantee, and checks
// it on the plan of a loaded network.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/integer/plan.h"
#include "tests/oracle/kind_network.h"
#include "tests/oracle/network_parts.h"
#include "tests/oracle/random_network.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

using format::SynapseKind;
using internal::IntegerPlan;
using internal::LayerPlan;
using internal::SynapsesPlan;
using internal::WeightType;

constexpr double kLargestMembrane = 32767;
constexpr double kClose = 1e-6;  // for quotients of doubles that should be whole

// One layer of a network with its plan.
struct Planned {
  const format::NetworkT& network;
  const format::NodeT& node;
  const LayerPlan& plan;
  std::vector<const format::SynapsesT*> synapses;  // those in the plan, in its order

  double beta() const { return static_cast<double>(network.code->beta); }
  double gain() const { return std::pow(beta(), network.code->silent_steps); }
  double whole_train() const { return std::exp2(network.code->timesteps); }
  size_t channels() const { return node.potential->channels(); }

  // Returns the weights that lead to a channel; those of a shortcut lead to all channels.
  std::span<const float> WeightsTo(size_t channel, size_t s) const {
    const std::vector<float>& weights = synapses[s]->weights;
    if (synapses[s]->kind == SynapseKind::Identity) return weights;
    const size_t fan_in = weights.size() / channels();
    return std::span(weights).subspan(channel * fan_in, fan_in);
  }
  double LargestTo(size_t channel, size_t s) const {
    double largest = 0;
    for (const float weight : WeightsTo(channel, s)) {
      largest = std::max(largest, std::abs(static_cast<double>(weight)));
    }
    return largest;
  }
};

// Returns the largest weight in units. In 8 bits it must have both signs; in 16 bits, any 32
// weights of a convolution, or 4 of a shortcut, must fit a membrane.
double LargestUnits(const SynapsesPlan& plan, const format::SynapsesT& s) {
  if (plan.weights == WeightType::kInt8) return 127;
  return std::floor(kLargestMembrane / (s.kind == SynapseKind::Identity ? 4 : 32));
}

void ForEachLayer(const format::NetworkT& network, const IntegerPlan& plan,
                  const std::function<void(const Planned&)>& function) {
  const bool direct = network.code->input == format::InputCoding::Direct;
  for (size_t i = 1; i + 1 < network.nodes.size(); ++i) {
    SCOPED_TRACE(network.nodes[i]->name);
    Planned planned{network, *network.nodes[i], plan.layers[i], {}};
    for (const auto& s : planned.node.synapses) {
      if (!direct || s->source != 0) planned.synapses.push_back(s.get());
    }
    ASSERT_EQ(planned.synapses.size(), planned.plan.synapses.size());
    ASSERT_EQ(planned.plan.scales.size(), planned.channels());
    function(planned);
  }
}

void ForEachLayer(const format::NetworkT& description,
                  const std::function<void(const Planned&)>& function) {
  const std::shared_ptr<const Network> network = integer_tests::LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  ForEachLayer(description, integer_tests::PlanOf(*network), function);
}

void ForEachRandomLayer(const std::function<void(const Planned&)>& function) {
  const std::vector<oracle::RandomOptions> settings = {
      {},
      {.direct = true},
      {.placed_means = true},
      {.settled = true},
      {.settled = true, .whole_weights = true},
      {.placed_means = true, .direct = true, .settled = true},
  };
  for (const oracle::RandomOptions& options : settings) {
    for (uint32_t seed = 0; seed < 60; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      ForEachLayer(oracle::RandomNetwork(seed, options), function);
    }
  }
  for (uint32_t number = 0; number < 5 * 8 * 2 * 8; ++number) {  // eight of each combination
    const oracle::KindOptions options = {static_cast<oracle::Kind>(number % 5),
                                         static_cast<oracle::Join>(number / 5 % 8),
                                         number / 40 % 2 == 1};
    SCOPED_TRACE("number " + std::to_string(number));
    ForEachLayer(oracle::KindNetwork(options, number), function);
  }
  for (const uint32_t channels : {16U, 40U, 96U}) {
    SCOPED_TRACE(std::to_string(channels) + " channels");
    format::NetworkT description = oracle::WideNetwork(5, channels, channels, 1);
    ForEachLayer(description, function);
    description.code->silent_steps = description.code->timesteps - 1;
    oracle::SetTiming(description);
    ForEachLayer(description, function);
  }
}

// Returns whether one more unit an amplitude would exceed a limit on weights.
bool WeightsForbid(const Planned& layer, size_t channel, double scale) {
  for (size_t s = 0; s < layer.synapses.size(); ++s) {
    if (layer.plan.synapses[s].weights == WeightType::kFloat) continue;
    const double limit = LargestUnits(layer.plan.synapses[s], *layer.synapses[s]);
    if (layer.LargestTo(channel, s) * scale > limit) return true;
  }
  return false;
}

bool AllWhole(std::span<const float> weights, double scale) {
  return std::ranges::all_of(weights, [scale](float weight) {
    const double units = static_cast<double>(weight) * scale;
    return std::abs(units - std::round(units)) < 1e-3;
  });
}

// Returns whether the weights of all convolutions to the channel are whole.
bool AllWholeTo(const Planned& layer, size_t channel) {
  for (size_t s = 0; s < layer.synapses.size(); ++s) {
    if (layer.synapses[s]->kind == SynapseKind::Identity) continue;
    if (!AllWhole(layer.WeightsTo(channel, s), layer.plan.scales[channel])) return false;
  }
  return true;
}

TEST(IntegerPlanTest, WeightsInUnitsFitTheirBits) {
  uint64_t weights = 0;
  ForEachRandomLayer([&](const Planned& layer) {
    for (size_t s = 0; s < layer.synapses.size(); ++s) {
      if (layer.plan.synapses[s].weights == WeightType::kFloat) continue;
      const double limit = LargestUnits(layer.plan.synapses[s], *layer.synapses[s]);
      for (size_t c = 0; c < layer.channels(); ++c) {
        EXPECT_LE(std::round(layer.LargestTo(c, s) * layer.plan.scales[c]), limit)
            << "channel " << c;
        ++weights;
      }
    }
  });
  EXPECT_GT(weights, 10'000U);
}

TEST(IntegerPlanTest, AMembraneHoldsSixteenSpikesOfAWholeNumberOfUnits) {
  uint64_t channels = 0;
  ForEachRandomLayer([&](const Planned& layer) {
    if (layer.plan.settled) return;
    for (const double scale : layer.plan.scales) {
      const double unit = scale * layer.gain();
      EXPECT_NEAR(unit, std::round(unit), kClose * unit);
      EXPECT_LE(16 * std::round(unit), kLargestMembrane);
      EXPECT_GE(std::round(unit), 48);  // with fewer units, the rounding of membranes would matter
      ++channels;
    }
  });
  EXPECT_GT(channels, 5000U);
}

TEST(IntegerPlanTest, SettledSumsHoldTwiceATrainOrWholeWeights) {
  uint64_t rounded = 0;
  uint64_t whole = 0;
  ForEachRandomLayer([&](const Planned& layer) {
    if (!layer.plan.settled || layer.plan.pixel_planes > 0) return;  // their sums have 32 bits
    for (size_t c = 0; c < layer.channels(); ++c) {
      const double train = layer.plan.scales[c] * layer.whole_train();
      if (2 * train <= kLargestMembrane * (1 + kClose)) {
        ++rounded;
        continue;
      }
      // Whole weights of few units have smaller sums, but an eighth of a train must fit.
      EXPECT_LE(train / 8, kLargestMembrane * (1 + kClose)) << "channel " << c;
      EXPECT_TRUE(AllWholeTo(layer, c)) << "channel " << c;
      ++whole;
    }
  });
  EXPECT_GT(rounded, 1000U);
  EXPECT_GT(whole, 10U);
}

// A scale must not be smaller than necessary either: only a limit may keep it from being larger.
TEST(IntegerPlanTest, NoScaleIsSmallerThanItsLimitsAsk) {
  uint64_t by_weights = 0;
  uint64_t by_membranes = 0;
  ForEachRandomLayer([&](const Planned& layer) {
    if (layer.plan.pixel_planes > 0) return;  // limited by 15 bits, whatever the membranes hold
    for (size_t c = 0; c < layer.channels(); ++c) {
      const double scale = layer.plan.scales[c];
      if (layer.plan.settled && AllWholeTo(layer, c))
        continue;  // already the smallest scale with whole weights
      const double more =
          layer.plan.settled ? scale * (1 + kClose) : (scale * layer.gain() + 1) / layer.gain();
      const bool full = layer.plan.settled
                            ? 2 * more * layer.whole_train() > kLargestMembrane
                            : 16 * std::round(more * layer.gain()) > kLargestMembrane;
      const bool forbidden = WeightsForbid(layer, c, more * (1 + kClose));
      EXPECT_TRUE(full || forbidden) << "channel " << c << " scale " << scale;
      by_membranes += full;
      by_weights += forbidden;
    }
  });
  EXPECT_GT(by_weights, 1000U);
  EXPECT_GT(by_membranes, 100U);
}

// A shortcut's weight can be added four times to a membrane before it overflows, however large the
// weight is beside the others.
TEST(IntegerPlanTest, LargeShortcutsFitTheirBits) {
  for (const float weight : {0.5F, 3.0F, 9.0F, 40.0F, -40.0F}) {
    for (const bool overlapping : {false, true}) {
      SCOPED_TRACE(weight);
      format::NetworkT description = oracle::WideNetwork(5, 12, 12, 1);
      format::NodeT& node = *description.nodes[2];
      const format::Window one(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
      node.synapses.push_back(oracle::Shortcut(1, one, 0, weight));
      if (overlapping) node.pool = std::make_unique<format::Window>(2, 2, 1, 1, 1, 1, 0, 0, 1, 1);
      oracle::SetTiming(description);
      ForEachLayer(description, [&](const Planned& layer) {
        if (layer.synapses.size() < 2) return;
        EXPECT_EQ(layer.plan.synapses[1].kernel.name,
                  overlapping ? "tile_gather" : "event_shortcut");
        EXPECT_EQ(layer.plan.synapses[1].weights, WeightType::kInt16);
        for (const double scale : layer.plan.scales) {
          EXPECT_LE(4 * std::round(std::abs(static_cast<double>(weight)) * scale),
                    kLargestMembrane);
        }
      });
    }
  }
}

// Makes quantized weights: small whole numbers times a step of their channel.
format::NetworkT QuantizedNetwork(int largest, float step) {
  format::NetworkT network = oracle::WideNetwork(5, 12, 20, 1);
  network.code->silent_steps = network.code->timesteps - 1;
  oracle::SetTiming(network);
  int number = 0;
  for (size_t node = 1; node + 1 < network.nodes.size(); ++node) {
    std::vector<float>& weights = network.nodes[node]->synapses[0]->weights;
    const size_t fan_in = weights.size() / network.nodes[node]->potential->channels();
    for (size_t i = 0; i < weights.size(); ++i) {
      // Each channel has a weight of one step, so that the weights are not multiples of a larger
      // step.
      const int whole = i % fan_in == 0 ? 1 : number++ * 7 % (2 * largest + 1) - largest;
      const size_t channel = i / fan_in;
      weights[i] = static_cast<float>(whole) * step * (1 + 0.01F * static_cast<float>(channel));
    }
  }
  return network;
}

TEST(IntegerPlanTest, WholeWeightsStayWhole) {
  for (const int largest : {1, 3, 7, 100, 127}) {
    SCOPED_TRACE(largest);
    const float step = 0.6F / static_cast<float>(largest);
    const format::NetworkT description = QuantizedNetwork(largest, step);
    ForEachLayer(description, [&](const Planned& layer) {
      ASSERT_TRUE(layer.plan.settled);
      for (size_t c = 0; c < layer.channels(); ++c) {
        EXPECT_TRUE(AllWhole(layer.WeightsTo(c, 0), layer.plan.scales[c])) << "channel " << c;
        // The first weight is one step.
        const auto one = static_cast<double>(layer.WeightsTo(c, 0)[0]);
        EXPECT_NEAR(one * layer.plan.scales[c], 1, 1e-3) << "channel " << c;
      }
    });
  }
}

TEST(IntegerPlanTest, WholeWeightsOfASmallStepAreRounded) {
  const format::NetworkT description = QuantizedNetwork(3, 1e-5F);
  ForEachLayer(description, [&](const Planned& layer) {
    for (size_t c = 0; c < layer.channels(); ++c) {
      const double train = layer.plan.scales[c] * layer.whole_train();
      EXPECT_LE(2 * train, kLargestMembrane * (1 + kClose));
    }
  });
}

TEST(IntegerPlanTest, WeightsBesideWhichASpikeHasTooFewUnitsAreRefused) {
  int refused = 0;
  int taken = 0;
  for (int power = -8; power < 32; ++power) {
    format::NetworkT description = oracle::ChainNetwork(2, 6, 1.5F, 1);
    std::vector<float>& weights = description.nodes[1]->synapses[0]->weights;
    weights[0] = std::exp2(static_cast<float>(power) / 4);
    const double largest = *std::ranges::max_element(weights);
    const std::shared_ptr<const Network> network = integer_tests::Load(description);
    ASSERT_NE(network, nullptr);
    if (network->engine() == EngineKind::kInteger) {
      ++taken;
      const double unit = integer_tests::PlanOf(*network).layers[1].scales[0] * 1.5;
      EXPECT_GE(std::round(unit), 48) << largest;
    } else {
      ++refused;
      EXPECT_NE(network->why_float().find("layer0"), std::string::npos) << network->why_float();
      // Weights of 11 bits would not have given more units either.
      EXPECT_LT(std::floor(1023 / largest * 1.5), 48) << largest;
    }
  }
  EXPECT_GT(refused, 3);
  EXPECT_GT(taken, 10);
}

TEST(IntegerPlanTest, SettledLayersAreThoseWithAllInputBeforeTheFirstSpike) {
  for (const float beta : {1.5F, 1.9F, 2.0F}) {
    for (uint32_t timesteps = 1; timesteps <= 9; ++timesteps) {
      for (uint32_t silent = 0; silent <= 8; ++silent) {
        const format::NetworkT description = oracle::ChainNetwork(2, timesteps, beta, silent);
        const std::shared_ptr<const Network> network = integer_tests::Load(description);
        ASSERT_NE(network, nullptr);
        // Levels of more than 8 steps do not fit bytes.
        const bool settled = beta == 2 && timesteps <= 8 && silent + 1 >= timesteps;
        if (network->engine() == EngineKind::kFloat) {
          EXPECT_FALSE(settled) << timesteps << " " << silent;
          continue;
        }
        for (size_t layer = 1; layer <= 2; ++layer) {
          EXPECT_EQ(integer_tests::PlanOf(*network).layers[layer].settled, settled)
              << "T " << timesteps << " L " << silent << " beta " << beta;
        }
      }
    }
  }
}

TEST(IntegerPlanTest, WhatJoinsInRegistersIsSettledAndAlone) {
  uint64_t fused = 0;
  uint64_t all_copied = 0;
  ForEachRandomLayer([&](const Planned& layer) {
    size_t aligned = 0;
    size_t copied = 0;
    size_t levels = 0;
    size_t shortcuts = 0;
    for (size_t s = 0; s < layer.plan.synapses.size(); ++s) {
      const SynapsesPlan& plan = layer.plan.synapses[s];
      shortcuts += integer_tests::IsShortcut(plan);
      levels += plan.kernel.name == "level_conv";
      aligned += plan.aligned;
      copied += plan.copied;
      if (plan.copied) {
        EXPECT_EQ(plan.kernel.name, "level_shortcut");
        EXPECT_EQ(layer.synapses[s]->average, nullptr);
        EXPECT_EQ(layer.plan.pool, internal::PoolName::kNone);
        EXPECT_EQ(layer.plan.pixel_synapses, 0U);
      }
      if (plan.aligned) {
        EXPECT_EQ(plan.kernel.name, "level_shortcut");
        EXPECT_EQ(layer.synapses[s]->channel_offset, 0);
        EXPECT_EQ(layer.plan.pool, internal::PoolName::kNone);
      }
    }
    EXPECT_LE(aligned, 4U);
    EXPECT_TRUE(copied == 0 || (copied == 1 && shortcuts == 1));
    all_copied += copied;
    EXPECT_TRUE(layer.plan.settled ||
                (aligned == 0 && copied == 0 && levels == 0 && !layer.plan.fused));
    EXPECT_EQ(layer.plan.fused, levels == 1 && shortcuts + 1 == layer.plan.synapses.size());
    fused += layer.plan.fused;
  });
  EXPECT_GT(fused, 50U);
  EXPECT_GT(all_copied, 20U);
}

// Levels need sources that send 0 to 2^T - 1, and the sum over a target's inputs must fit 32 bits.
TEST(IntegerPlanTest, LevelsComeFromRectifyingSourcesAndFit) {
  uint64_t levels = 0;
  ForEachRandomLayer([&](const Planned& layer) {
    for (size_t s = 0; s < layer.plan.synapses.size(); ++s) {
      if (layer.plan.synapses[s].kernel.name != "level_conv") continue;
      EXPECT_TRUE(layer.network.nodes[layer.synapses[s]->source]->rectify);
      EXPECT_EQ(layer.plan.synapses[s].weights, WeightType::kInt8);
      const auto fan_in = static_cast<double>(layer.WeightsTo(0, s).size());
      EXPECT_LE(fan_in * layer.whole_train() * 127, std::exp2(31));
      ++levels;
    }
  });
  EXPECT_GT(levels, 100U);
}

// Weights take 16 bits in layers whose weights stay near the core all the same: 256 KiB.
TEST(IntegerPlanTest, FewWeightsAreKeptInSixteenBits) {
  struct Case {
    uint32_t side, from, to;
    WeightType expected;
  };
  for (const Case& c : {Case{3, 16, 16, WeightType::kInt16}, Case{3, 64, 64, WeightType::kInt16},
                        Case{3, 128, 112, WeightType::kInt16}, Case{3, 128, 128, WeightType::kInt8},
                        Case{3, 320, 256, WeightType::kInt8}}) {
    SCOPED_TRACE(std::to_string(c.from) + " to " + std::to_string(c.to));
    const format::NetworkT description = oracle::WideNetwork(c.side, c.from, c.to, 1);
    const std::shared_ptr<const Network> network = integer_tests::LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const SynapsesPlan plan = integer_tests::PlanOf(*network).layers[2].synapses[0];
    EXPECT_EQ(plan.weights, c.expected);
    const uint64_t weights = description.nodes[2]->synapses[0]->weights.size();
    EXPECT_GE(plan.weight_bytes,
              weights * static_cast<uint64_t>(internal::BitsOf(plan.weights)) / 8);
  }
}

}  // namespace
}  // namespace cssrun
