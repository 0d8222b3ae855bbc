// Tests shortcuts of settled layers in which random networks once found errors.
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/oracle/random_network.h"
#include "tests/runtime/integer_support.h"

namespace cssrun {
namespace {

// Makes two layers of 12 and 9 channels in a settled code; the second has a shortcut from the
// first.
format::NetworkT NetworkWithShortcut(uint32_t side) {
  format::NetworkT network = oracle::WideNetwork(side, 12, 9, 1);
  network.code->silent_steps = network.code->timesteps - 1;
  oracle::SetTiming(network);
  auto shortcut = std::make_unique<format::SynapsesT>();
  shortcut->source = 1;
  shortcut->kind = format::SynapseKind::Identity;
  shortcut->window = std::make_unique<format::Window>(1, 1, 1, 1, 0, 0, 0, 0, 1, 1);
  shortcut->weights = {0.7F};
  network.nodes[2]->synapses.push_back(std::move(shortcut));
  return network;
}

void ExpectReference(const format::NetworkT& description) {
  const std::shared_ptr<const Network> network = integer_tests::LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  integer_tests::Counts counts;
  const std::vector<uint8_t> pixels = oracle::RandomPixels(description, 1);
  integer_tests::Compare(description, *network, pixels, integer_tests::Record(*network, pixels),
                         counts);
  EXPECT_GT(counts.compared(), 0U);
}

// Both layers have 16 lanes a position, so three lanes of the source have no target.
TEST(IntegerShortcutTest, ASourceOfMoreChannelsFiresNothingBesideTheMap) {
  ExpectReference(NetworkWithShortcut(5));
}

// Means of 2 x 2 leave out a row and a column of the source, and the map continues beyond them.
TEST(IntegerShortcutTest, PositionsOutsideEveryMeanBringNothing) {
  format::NetworkT description = NetworkWithShortcut(5);
  format::SynapsesT& shortcut = *description.nodes[2]->synapses[1];
  shortcut.average = std::make_unique<format::Window>(2, 2, 2, 2, 0, 0, 0, 0, 1, 1);
  *shortcut.window = format::Window(1, 1, 1, 1, 1, 1, 2, 2, 1, 1);
  ExpectReference(description);
}

}  // namespace
}  // namespace cssrun
