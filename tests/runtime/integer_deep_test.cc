// Tests residual networks of 20 layers in settled codes, because an error of one layer grows over
// twenty. Each layer is compared with the reference on the engine's own input.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tests/oracle/random_network.h"
#include "tests/oracle/residual_network.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

using integer_tests::Counts;
using integer_tests::SpikeRecord;
using internal::LayerPlan;

constexpr size_t kNeuronLayers = 19;

struct Shortcuts {
  size_t aligned_fused = 0;  // aligned shortcuts that join levels in registers
  size_t other_fused = 0;
};

Shortcuts CountShortcuts(const Network& network) {
  Shortcuts shortcuts;
  for (const LayerPlan& layer : integer_tests::PlanOf(network).layers) {
    if (!layer.fused) continue;
    for (const auto& s : layer.synapses) {
      if (!integer_tests::IsShortcut(s)) continue;
      ++(s.aligned ? shortcuts.aligned_fused : shortcuts.other_fused);
    }
  }
  return shortcuts;
}

// Returns the share of neurons of the last layer that send a spike. Without any, or with all of
// them, the comparison would show little.
double ActiveShare(const SpikeRecord& record) {
  const oracle::Train& train = record.trains[kNeuronLayers];
  double active = 0;
  for (size_t neuron = 0; neuron < train[0].size(); ++neuron) {
    bool any = false;
    for (const auto& step : train) any = any || step[neuron] != 0;
    active += any ? 1 : 0;
  }
  return active / static_cast<double>(train[0].size());
}

class IntegerDeepTest : public testing::TestWithParam<uint32_t> {};

TEST_P(IntegerDeepTest, EveryLayerEqualsItsReference) {
  for (uint32_t seed = GetParam(); seed < 16; seed += 4) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const format::NetworkT description = oracle::ResidualNetwork(seed);
    ASSERT_EQ(description.nodes.size(), kNeuronLayers + 2);
    const std::shared_ptr<const Network> network = integer_tests::LoadInIntegers(description);
    ASSERT_NE(network, nullptr);
    const Shortcuts shortcuts = CountShortcuts(*network);
    EXPECT_GE(shortcuts.aligned_fused, 5U);
    EXPECT_GE(shortcuts.other_fused, 1U);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const SpikeRecord best = integer_tests::Record(*network, pixels);
    Counts counts;
    integer_tests::Compare(description, *network, pixels, best, counts);
    EXPECT_LE(counts.not_compared * 50, counts.decisions);
    const double active = ActiveShare(best);
    std::printf("T %u: %zu aligned, %zu other shortcuts; %.0f %% of the last layer active\n",
                network->timesteps(), shortcuts.aligned_fused, shortcuts.other_fused, 100 * active);
    EXPECT_GT(active, 0.05);
    EXPECT_LT(active, 0.99);
    ForEveryInstructionSet(
        [&](int64_t) { integer_tests::ExpectSame(best, integer_tests::Record(*network, pixels)); });
    integer_tests::ExpectSame(best, integer_tests::Record(*network, pixels, 1 + seed % 3, 3));
  }
}

INSTANTIATE_TEST_SUITE_P(Timesteps, IntegerDeepTest, testing::Values(0, 1, 2, 3),
                         [](const auto& tested) {
                           return std::string(1, static_cast<char>('3' + tested.param)) + "_steps";
                         });

}  // namespace
}  // namespace cssrun
