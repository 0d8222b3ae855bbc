// Potentials in whole numbers against the same network with potentials in double precision.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "format/geometry.h"
#include "runtime/events/event_engine.h"
#include "runtime/events/event_network.h"
#include "tests/oracle/event_parts.h"
#include "tests/oracle/random_network.h"
#include "tests/runtime/instruction_sets.h"

namespace cssrun::internal {
namespace {

struct Kind {
  bool several;
  bool subtracts;
  bool has_floor;
  uint32_t channels;
  uint32_t groups;
};

// 4x6x6 -> channels x6x6 -> 5, the last over sums of 2x2; weights as training leaves them.
format::NetworkT MakeNetwork(const Kind& kind) {
  std::mt19937 random(kind.channels);
  std::uniform_real_distribution<float> weight(-0.9F, 1.0F);
  format::NetworkT network = oracle::SmallEventNetwork();
  std::vector<std::unique_ptr<format::EventNodeT>>& nodes = network.events->nodes;
  *nodes[0]->extent = {4, 6, 6};
  *nodes[1]->extent = {kind.channels, 6, 6};
  *nodes[2]->synapses[0]->window = {3, 3, 1, 1, 0, 0, 0, 0, 1, 1};
  for (size_t i = 1; i < nodes.size(); ++i) {
    format::EventNodeT& node = *nodes[i];
    node.decay = {1};
    node.several = kind.several;
    node.reset = kind.subtracts ? format::EventReset::Subtract : format::EventReset::Value;
    node.reset_value = {-0.25};
    if (kind.has_floor) node.floor = {-1};
    format::EventSynapsesT& synapses = *node.synapses[0];
    synapses.groups = i == 1 ? kind.groups : 1;
    const size_t sources = nodes[i - 1]->extent->channels() / synapses.groups;
    synapses.weights.resize(node.extent->channels() * sources * 9);
    for (float& w : synapses.weights) w = weight(random);
  }
  return network;
}

class Pair {
 public:
  explicit Pair(const format::NetworkT& network) : file_(format::SerializeNetwork(network)) {
    const format::EventNetwork& events =
        *flatbuffers::GetRoot<format::Network>(file_.data())->events();
    whole_ = LayOutEvents(events);
    doubles_ = LayOutEvents(events);
    for (size_t i = 1; i < doubles_.nodes.size(); ++i) {
      EXPECT_TRUE(whole_.nodes[i].whole.has_value());
      doubles_.nodes[i].whole.reset();
    }
  }

  // Steps both from `step` to `until`, with all `events` at `step`.
  void Feed(const std::vector<TimedEvent>& events, uint64_t until) {
    ASSERT_TRUE(a_->Feed(events, until).ok());
    ASSERT_TRUE(b_->Feed(events, until).ok());
    for (size_t node = 1; node < whole_.nodes.size(); ++node) {
      for (uint64_t i = 0; i < format::Neurons(whole_.nodes[node].extent); ++i) {
        ASSERT_EQ(a_->PotentialOf(node, i), b_->PotentialOf(node, i)) << node << ", neuron " << i;
        ASSERT_EQ(a_->CountOf(node, i), b_->CountOf(node, i)) << node << ", neuron " << i;
      }
      ASSERT_EQ(a_->layers()[node].synops, b_->layers()[node].synops);
    }
  }
  void Begin() {
    a_ = std::make_unique<EventEngine>(whole_, EventSessionOptions());
    b_ = std::make_unique<EventEngine>(doubles_, EventSessionOptions());
  }
  // Continues from the other one's state.
  void Exchange() {
    std::vector<uint8_t> state_of_a;
    std::vector<uint8_t> state_of_b;
    a_->Save(state_of_a);
    b_->Save(state_of_b);
    EXPECT_TRUE(a_->Restore(state_of_b).ok());
    EXPECT_TRUE(b_->Restore(state_of_a).ok());
  }
  uint64_t SpikesOf(size_t node) const { return a_->layers()[node].spikes; }

 private:
  flatbuffers::DetachedBuffer file_;
  EventNetwork whole_;
  EventNetwork doubles_;
  std::unique_ptr<EventEngine> a_;
  std::unique_ptr<EventEngine> b_;
};

// Mostly single events; sums of events beyond 32 bits; potentials that leave the range of whole
// numbers and come back; at last parts of spikes.
void RunPair(Pair& pair) {
  std::mt19937 random(7);
  const auto below = [&random](uint32_t end) { return static_cast<uint32_t>(random() % end); };
  pair.Begin();
  for (uint64_t step = 0; step < 240; ++step) {
    std::vector<TimedEvent> events;
    for (uint32_t i = below(5); i > 0; --i) events.push_back({step, below(144), 1});
    if (step % 20 == 7) events.push_back({step, below(144), step % 40 == 7 ? 1e6F : -40.0F});
    if (step == 130) pair.Exchange();
    if (step == 230) events.push_back({step, below(144), 0.3F});
    ASSERT_NO_FATAL_FAILURE(pair.Feed(events, step + 1)) << "step " << step;
  }
  EXPECT_GT(pair.SpikesOf(2), 10U);
}

TEST(EventWholeTest, WholeNumbersAndDoublesGiveTheSameBits) {
  for (const Kind& kind : {Kind{true, true, true, 16, 1}, Kind{true, true, false, 3, 1},
                           Kind{false, true, true, 20, 2}, Kind{false, true, false, 8, 4},
                           Kind{false, false, true, 40, 1}, Kind{false, false, false, 5, 1}}) {
    SCOPED_TRACE(kind.channels);
    Pair pair(MakeNetwork(kind));
    ForEveryInstructionSet([&pair] { RunPair(pair); });
  }
}

bool IsWhole(const format::NetworkT& network) {
  const flatbuffers::DetachedBuffer file = format::SerializeNetwork(network);
  return LayOutEvents(*flatbuffers::GetRoot<format::Network>(file.data())->events())
      .nodes[1]
      .whole.has_value();
}

TEST(EventWholeTest, OnlyNeuronsThatStayWholeAre) {
  const Kind kind{true, true, true, 16, 1};
  EXPECT_TRUE(IsWhole(MakeNetwork(kind)));
  format::NetworkT network = MakeNetwork(kind);
  format::EventNodeT& node = *network.events->nodes[1];
  node.decay = {0.5};
  EXPECT_FALSE(IsWhole(network));
  node.decay = {1};
  node.gain = {2};
  EXPECT_FALSE(IsWhole(network));
  node.gain = {1};
  node.drive = {0.125};
  EXPECT_TRUE(IsWhole(network));
  node.drive = {0.1};
  EXPECT_FALSE(IsWhole(network));
  node.drive = {0};
  node.threshold = {0x1p-9};  // too many of them in a potential
  EXPECT_FALSE(IsWhole(network));
  node.threshold = {1e9};  // too large beside the weights
  EXPECT_FALSE(IsWhole(network));
}

}  // namespace
}  // namespace cssrun::internal
