// Checks that networks that the integer engine cannot run, or that would need too much memory, run
// in float and say why.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/oracle/random_network.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

using integer_tests::Load;

void ExpectFloat(const format::NetworkT& description, const std::string& reason) {
  const std::shared_ptr<const Network> network = Load(description);
  ASSERT_NE(network, nullptr);
  EXPECT_EQ(network->engine(), EngineKind::kFloat);
  EXPECT_NE(network->why_float().find(reason), std::string::npos) << network->why_float();
  Session session(network);
  Answer answer;
  EXPECT_TRUE(session.Run(oracle::RandomPixels(description, 1), answer).ok());
}

TEST(IntegerRefusalTest, WeightsTooLargeForSixteenBitsRunInFloat) {
  format::NetworkT description = oracle::ChainNetwork(2, 6, 1.5F, 1);
  description.nodes[1]->synapses[0]->weights[0] = 100.0F;
  ExpectFloat(description, "layer0");
}

TEST(IntegerRefusalTest, ALongSilentPeriodRunsInFloat) {
  const std::shared_ptr<const Network> longest = Load(oracle::ChainNetwork(2, 6, 2, 3));
  ASSERT_NE(longest, nullptr);
  EXPECT_EQ(longest->engine(), EngineKind::kInteger);
  ExpectFloat(oracle::ChainNetwork(2, 6, 2, 4), "silent period");
}

TEST(IntegerRefusalTest, LayoutsOutOfProportionRunInFloat) {
  // Two taps lie 200 positions from each other, which makes a small file with a large layout.
  format::NetworkT description = oracle::ChainNetwork(2, 4, 2, 1);
  format::Window& far = *description.nodes[1]->synapses[0]->window;
  far = format::Window(2, 2, 1, 1, 100, 100, 100, 100, 200, 200);
  auto& weights = description.nodes[1]->synapses[0]->weights;
  weights.assign(weights.size() * 4, 0.1F);
  ExpectFloat(description, "reaches too far");

  // Overlapping means each cover half of a long row; a list of all members would have 17 million
  // entries.
  format::NetworkT means = oracle::ChainNetwork(1, 2, 2, 1);
  const format::Extent row(1, 1, 8192);
  *means.nodes[0]->extent = row;
  *means.nodes[0]->potential = row;
  means.preprocessing->mean = {0};
  means.preprocessing->stddev = {1};
  means.preprocessing->resize = 8192;
  means.nodes[1]->synapses[0]->average =
      std::make_unique<format::Window>(1, 4096, 1, 1, 0, 0, 0, 0, 1, 1);
  const format::Extent averaged(3, 1, 4097);
  *means.nodes[1]->extent = averaged;
  *means.nodes[1]->potential = averaged;
  means.nodes[1]->synapses[0]->weights.assign(3, 0.5F);
  *means.nodes[2]->synapses[0]->window = format::Window(1, 4097, 1, 1, 0, 0, 0, 0, 1, 1);
  means.nodes[2]->synapses[0]->weights.assign(size_t{4} * 3 * 4097, 0.001F);
  ExpectFloat(means, "too many members");

  // The stride is 2048, so that few source positions have a tap at all.
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

// 25 taps of 10,800 channels, each with a level of 63 and a weight of up to 127, exceed 32 bits.
TEST(IntegerRefusalTest, LevelSumsBeyondThirtyTwoBitsAreNotTaken) {
  format::NetworkT description = oracle::WideNetwork(5, 10'800, 9, 1);
  description.code->timesteps = 6;
  description.code->silent_steps = 5;
  for (auto& node : description.nodes) {
    if (!node->thresholds.empty()) node->thresholds.assign(6, 0.5F);
  }
  format::SynapsesT& s = *description.nodes[2]->synapses[0];
  *s.window = format::Window(5, 5, 1, 1, 2, 2, 2, 2, 1, 1);
  s.weights.assign(size_t{9} * 10'800 * 25, 0.01F);
  oracle::SetTiming(description);
  ExpectFloat(description, "too many sources");
}

}  // namespace
}  // namespace cssrun
