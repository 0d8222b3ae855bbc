// Compares every level of every layer of a stream with a full run of the frame that it holds: all
// kinds of layers, of frames, instruction sets and numbers of threads.
#include "runtime/stream/stream_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/geometry.h"
#include "runtime/integer/integer_engine.h"
#include "runtime/integer/kernels/level_conv/winograd.h"
#include "runtime/integer/plan.h"
#include "runtime/network/network_access.h"
#include "tests/oracle/kind_network.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/residual_network.h"
#include "tests/runtime/hold.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/integer_support.h"
#include "tests/runtime/stream_frames.h"

namespace cssrun {
namespace {

using format::Neurons;
using integer_tests::LoadInIntegers;
using integer_tests::PlanOf;
using internal::InputKind;
using internal::IntegerEngine;
using internal::LevelFrame;
using internal::SpikeFrame;
using internal::StreamEngine;

// Full runs: one that sends what a session sends, and one that shows every spike.
class FullRuns {
 public:
  explicit FullRuns(const internal::LoadedNetwork& network)
      : engine_(network, {.statistics = true}),
        observed_(network, {}),
        spikes_(network.layers.size()) {
    observed_.set_observe_spikes([this](size_t layer, uint32_t index, const SpikeFrame& spikes) {
      if (spikes_[layer].size() <= index) spikes_[layer].resize(index + 1);
      spikes_[layer][index] = spikes.words;
    });
  }

  void Run(const std::vector<uint8_t>& frame) {
    const internal::Input input{.kind = InputKind::kBytes, .bytes = frame};
    ASSERT_TRUE(engine_.Run(input, answer_).ok());
    Answer observed;
    ASSERT_TRUE(observed_.Run(input, observed).ok());
  }
  const Answer& answer() const { return answer_; }
  const LevelFrame& levels(size_t layer) const { return engine_.levels(layer); }
  const std::vector<std::vector<uint64_t>>& spikes(size_t layer) const { return spikes_[layer]; }

 private:
  IntegerEngine engine_, observed_;
  std::vector<std::vector<std::vector<uint64_t>>> spikes_;  // [layer][index][word]
  Answer answer_;
};

// What the sequences of a test reached.
struct Reached {
  std::map<std::string_view, uint64_t> kernels;  // layers of which a part changed
  uint64_t winograd_parts = 0;                   // those with Winograd's products, part touched
  uint64_t compared_after_whole = 0;             // frames
};

class Comparison {
 public:
  Comparison(const format::NetworkT& description, const Network& network)
      : network_(internal::Loaded(network)),
        plan_(PlanOf(network)),
        image_(*description.nodes[0]->extent),
        full_(network_) {}

  // A sequence of frames through a stream.
  void Run(const StreamOptions& options, uint32_t seed, int frames, Reached& reached) {
    StreamEngine stream(network_, options, {.fewest_synapses = 0});
    oracle::Draw draw(seed);
    std::vector<uint8_t> frame = RandomFrame(draw, Neurons(image_));
    std::vector<uint8_t> held;
    StreamAnswer answer;
    for (int i = 0; i < frames; ++i) {
      const int motion = draw.Integer(0, static_cast<int>(Motion::kMotions) - 1);
      SCOPED_TRACE("frame " + std::to_string(i) + ", motion " + std::to_string(motion));
      const bool after_whole = i > 1 && answer.whole;
      if (i > 0) Move(draw, static_cast<Motion>(motion), image_, frame);
      Hold(options.hold, image_.channels(), frame, held);
      ASSERT_TRUE(stream.Next({.kind = InputKind::kBytes, .bytes = frame}, answer).ok());
      full_.Run(held);
      Compare(stream, answer, options.statistics, reached);
      EXPECT_TRUE(i > 0 || answer.whole);
      EXPECT_FALSE(i > 0 && options.statistics && answer.whole);
      if (after_whole && !answer.whole) ++reached.compared_after_whole;
      if (testing::Test::HasFailure()) return;
    }
  }

 private:
  void Compare(const StreamEngine& stream, const StreamAnswer& answer, bool counted,
               Reached& reached) {
    EXPECT_EQ(answer.logits, full_.answer().logits);
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      SCOPED_TRACE("layer " + std::to_string(i));
      EXPECT_EQ(answer.layers[i].spikes, counted ? full_.answer().layers[i].spikes : 0);
      EXPECT_EQ(answer.layers[i].synops, counted ? full_.answer().layers[i].synops : 0);
      if (network_.layers[i].kind != format::NodeKind::Neurons) continue;
      if (stream.sends_levels_alone(i)) {
        EXPECT_EQ(stream.levels(i).levels, full_.levels(i).levels);
      } else {
        for (size_t k = 0; k < stream.spikes(i).size(); ++k) {
          EXPECT_EQ(stream.spikes(i)[k].words, full_.spikes(i)[k]) << "index " << k;
        }
        EXPECT_EQ(stream.levels(i).levels, full_.levels(i).levels);
      }
      const StreamLayer& layer = answer.layers[i];
      if (answer.whole) {
        EXPECT_EQ(layer.changed, layer.neurons);
        EXPECT_EQ(layer.touched, layer.neurons);
      }
      if (layer.changed == 0 || layer.changed == layer.neurons) continue;
      for (const internal::SynapsesPlan& s : plan_.layers[i].synapses) {
        ++reached.kernels[s.kernel.name];
        if (s.winograd && layer.touched < layer.neurons) ++reached.winograd_parts;
      }
    }
  }

  const internal::LoadedNetwork& network_;
  internal::IntegerPlan plan_;
  format::Extent image_;
  FullRuns full_;
};

void RunNetwork(const format::NetworkT& description, uint32_t seed, int frames, bool everywhere,
                Reached& reached) {
  const std::shared_ptr<const Network> network = LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  Comparison comparison(description, *network);
  StreamOptions options;
  options.hold = seed % 3 == 0 ? 0 : seed % 3 * 6;
  options.statistics = seed % 4 != 3;
  comparison.Run(options, seed, frames, reached);
  if (!everywhere || testing::Test::HasFailure()) return;
  options.threads = 3;
  options.statistics = !options.statistics;
  comparison.Run(options, seed + 1, frames, reached);
  options.threads = 1;
  ForEveryInstructionSet([&] { comparison.Run(options, seed + 2, frames / 2, reached); });
}

void ExpectReached(const Reached& reached, std::initializer_list<std::string_view> kernels) {
  for (const std::string_view kernel : kernels) {
    const auto found = reached.kernels.find(kernel);
    EXPECT_GT(found != reached.kernels.end() ? found->second : 0, 20U) << "kernel " << kernel;
  }
  EXPECT_GT(reached.compared_after_whole, 10U);
}

TEST(StreamEngineTest, EqualsFullRunsOfRandomNetworks) {
  Reached reached;
  for (uint32_t seed = 0; seed < 240; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    oracle::RandomOptions options;
    options.settled = true;
    options.direct = seed % 2 == 0;
    options.whole_weights = seed % 3 == 0;
    options.placed_means = seed % 5 == 1;
    options.spread = seed % 5 == 2;
    RunNetwork(oracle::RandomNetwork(seed, options), seed, 8, seed % 6 == 0, reached);
    if (HasFailure()) return;
  }
  ExpectReached(reached, {"tile_gather", "level_conv"});
}

TEST(StreamEngineTest, EqualsFullRunsOfEveryKind) {
  using oracle::Join;
  using oracle::Kind;
  Reached reached;
  uint32_t seed = 0;
  for (const Kind kind : {Kind::kTileGather, Kind::kRowScatter, Kind::kDepthwise, Kind::kShortcut,
                          Kind::kLevelConv, Kind::kWinograd}) {
    for (const Join join : {Join::kNothing, Join::kAlignedShortcut, Join::kCopiedShortcut,
                            Join::kOtherShortcut, Join::kOtherSums, Join::kPixels,
                            Join::kDisjointPool, Join::kOverlappingPool, Join::kManySynapses}) {
      for (const bool long_train : {false, true}) {
        SCOPED_TRACE("kind " + std::to_string(static_cast<int>(kind)) + ", join " +
                     std::to_string(static_cast<int>(join)) + (long_train ? ", long" : ""));
        oracle::KindOptions options{kind, join, true, long_train};
        ++seed;
        RunNetwork(oracle::KindNetwork(options, seed), seed, 8, seed % 4 == 0, reached);
        if (HasFailure()) return;
      }
    }
  }
  ExpectReached(reached, {"tile_gather", "row_scatter", "depthwise", "event_shortcut", "level_conv",
                          "level_depthwise", "level_shortcut"});
  if (internal::ResolveWinograd().sum != nullptr) {
    EXPECT_GT(reached.winograd_parts, 20U);
  }
}

TEST(StreamEngineTest, EqualsFullRunsOfResidualNetworks) {
  Reached reached;
  for (uint32_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RunNetwork(oracle::ResidualNetwork(seed), seed, 40, seed == 3, reached);
    if (HasFailure()) return;
  }
  ExpectReached(reached, {"level_conv", "level_shortcut"});
}

}  // namespace
}  // namespace cssrun
