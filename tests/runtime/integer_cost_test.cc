// Tests the expected time of networks: that it puts them into the order that measurements have.
// bench/cost.py checks the milliseconds.
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "runtime/integer/cost.h"
#include "runtime/integer/kernels/level_conv/winograd.h"
#include "runtime/network/network_access.h"
#include "tests/oracle/network_parts.h"
#include "tests/oracle/random_network.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

std::shared_ptr<const Network> Coded(uint32_t side, uint32_t channels, uint32_t timesteps,
                                     float beta, uint32_t silent) {
  format::NetworkT network = oracle::WideNetwork(side, channels, channels, 1);
  network.code->timesteps = timesteps;
  network.code->beta = beta;
  network.code->silent_steps = silent;
  for (const auto& node : network.nodes) {
    if (!node->thresholds.empty()) node->thresholds.assign(timesteps, 0.75F);
  }
  oracle::SetTiming(network);
  return integer_tests::LoadInIntegers(network);
}

double Milliseconds(const std::shared_ptr<const Network>& network) {
  return internal::ExpectedMilliseconds(internal::Loaded(*network));
}

TEST(IntegerCostTest, ASettledTrainIsCheaperThanALongTrainOfEvents) {
  EXPECT_LT(3 * Milliseconds(Coded(16, 64, 6, 2, 5)), Milliseconds(Coded(16, 64, 12, 1.5F, 2)));
}

TEST(IntegerCostTest, EventsCostByTheStepAndSettledTrainsHardly) {
  EXPECT_GT(Milliseconds(Coded(16, 64, 6, 2, 2)), 1.4 * Milliseconds(Coded(16, 64, 4, 2, 2)));
  const double shorter = Milliseconds(Coded(16, 64, 4, 2, 3));
  const double longer = Milliseconds(Coded(16, 64, 6, 2, 5));
  EXPECT_LT(shorter, longer);  // the encoder's and the readout's events
  EXPECT_LT(longer, 1.4 * shorter);
}

// On machines without a kernel for them, nothing.
TEST(IntegerCostTest, WinogradsProductsSaveAQuarter) {
  const auto milliseconds = [](bool winograd) {
    format::NetworkT network = oracle::WideNetwork(16, 64, 64, 1);
    network.code->timesteps = 7;
    network.code->silent_steps = 6;
    for (const auto& node : network.nodes) {
      if (!node->thresholds.empty()) node->thresholds.assign(7, 0.75F);
    }
    std::vector<float>& weights = network.nodes[2]->synapses.front()->weights;
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 40) / 100;
    if (!winograd) weights[0] = weights[2] = 1.27F;  // whole numbers, too, but their sum is no byte
    oracle::SetTiming(network);
    return Milliseconds(integer_tests::LoadInIntegers(network));
  };
  const double saved = milliseconds(false) - milliseconds(true);
  if (internal::ResolveWinograd().sum == nullptr) {
    EXPECT_EQ(saved, 0);
  } else {
    EXPECT_GT(saved, 0.1 * milliseconds(false));
    EXPECT_LT(saved, 0.3 * milliseconds(false));
  }
}

TEST(IntegerCostTest, MoreChannelsAndPositionsCostMore) {
  EXPECT_LT(Milliseconds(Coded(16, 32, 6, 2, 5)), Milliseconds(Coded(16, 64, 6, 2, 5)));
  EXPECT_LT(Milliseconds(Coded(8, 64, 6, 2, 5)), Milliseconds(Coded(16, 64, 6, 2, 5)));
}

TEST(IntegerCostTest, LayersAddUp) {
  const auto network = Coded(8, 32, 6, 2, 5);
  const std::vector<double> layers =
      internal::ExpectedLayerMilliseconds(internal::Loaded(*network));
  EXPECT_EQ(layers.size(), network->layers().size());
  for (const double layer : layers) EXPECT_GT(layer, 0);
  EXPECT_DOUBLE_EQ(std::accumulate(layers.begin(), layers.end(), 0.0), Milliseconds(network));
}

TEST(IntegerCostTest, FloatsCostMore) {
  format::NetworkT description = oracle::WideNetwork(16, 32, 32, 1);
  const auto in_integers = integer_tests::LoadInIntegers(description);
  description.macs_per_image = 16 * 16 * 9 * 32 * 32;
  description.why_float = "a test";
  const auto in_float = integer_tests::Load(description);
  ASSERT_EQ(in_float->engine(), EngineKind::kFloat);
  EXPECT_GT(Milliseconds(in_float), Milliseconds(in_integers));
}

}  // namespace
}  // namespace cssrun
