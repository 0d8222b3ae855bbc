// Compares streams with a dead zone with the rule in plain code: a neuron keeps its train while
// |z - level| <= 1/2 + dead zone. Each layer's reference is driven with the stream's own trains.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/geometry.h"
#include "runtime/network/network_access.h"
#include "runtime/stream/stream_engine.h"
#include "tests/oracle/integer_reference.h"
#include "tests/oracle/kind_network.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/residual_network.h"
#include "tests/runtime/instruction_sets.h"
#include "tests/runtime/integer_support.h"
#include "tests/runtime/stream_frames.h"

namespace cssrun {
namespace {

using format::Neurons;
using integer_tests::ChoicesOf;
using integer_tests::LoadInIntegers;
using integer_tests::PlanOf;
using internal::StreamEngine;
using oracle::Train;

struct DeadZoneCounts {
  // Levels that stayed although rounding would give another one, by bounds and by potentials that
  // were replaced.
  uint64_t kept_by_bounds = 0;
  uint64_t kept_by_potentials = 0;
  uint64_t compared = 0;
  uint64_t not_compared = 0;
};

// What a layer of a stream sent, [index][channel, row, column]. Of levels alone, binary digits that
// carry the same.
Train TrainOf(const internal::LoadedNetwork& network, const StreamEngine& stream, size_t layer) {
  const format::Extent& extent = network.layers[layer].extent;
  const size_t stride = network.integers().layouts[layer].stride();
  const int steps = static_cast<int>(network.timesteps);
  Train train(network.timesteps, std::vector<int8_t>(Neurons(extent)));
  size_t neuron = 0;
  for (size_t c = 0; c < extent.channels(); ++c) {
    for (size_t y = 0; y < extent.height(); ++y) {
      for (size_t x = 0; x < extent.width(); ++x, ++neuron) {
        const size_t index = x * stride + c;
        int level = 0;
        if (stream.sends_levels_alone(layer)) {
          const internal::LevelFrame& levels = stream.levels(layer);
          level = int{levels.Row(y)[index]} - int{levels.layout.zero};
        }
        for (int k = 0; k < steps; ++k) {
          int8_t& spike = train[static_cast<size_t>(k)][neuron];
          if (stream.sends_levels_alone(layer)) {
            const int bit = std::abs(level) >> (steps - 1 - k) & 1;
            spike = static_cast<int8_t>(level < 0 ? -bit : bit);
            continue;
          }
          const uint64_t word = stream.spikes(layer)[static_cast<size_t>(k)].Row(y)[index / 32];
          spike = static_cast<int8_t>(static_cast<int>(word >> index % 32 & 1) -
                                      static_cast<int>(word >> (32 + index % 32) & 1));
        }
      }
    }
  }
  return train;
}

int LevelOf(const Train& train, size_t neuron) {
  int level = 0;
  for (const std::vector<int8_t>& step : train) level = 2 * level + step[neuron];
  return level;
}

class DeadZoneComparison {
 public:
  DeadZoneComparison(const format::NetworkT& description, const Network& network, double dead_zone)
      : description_(description),
        network_(internal::Loaded(network)),
        plan_(PlanOf(network)),
        limit_(std::floor(std::ldexp(0.5 + std::min(dead_zone, std::exp2(network_.timesteps) - 1),
                                     14 - static_cast<int>(network_.timesteps)))) {}

  void Frame(const StreamEngine& stream, const std::vector<uint8_t>& frame, bool first,
             DeadZoneCounts& counts) {
    std::vector<Train> trains(network_.layers.size());
    for (size_t i = 0; i < trains.size(); ++i) {
      if (SendsSpikes(network_, i)) trains[i] = TrainOf(network_, stream, i);
    }
    const std::vector<double> inputs = oracle::Normalize(description_, frame);
    for (size_t i = 1; i < trains.size(); ++i) {
      if (network_.layers[i].kind != format::NodeKind::Neurons) continue;
      SCOPED_TRACE("layer " + std::to_string(i));
      const oracle::IntegerRun run =
          oracle::RunNodeInIntegers(description_, i, ChoicesOf(plan_.layers[i]), trains, inputs);
      uint64_t& kept = stream.WritesBounds(i) ? counts.kept_by_bounds : counts.kept_by_potentials;
      Layer(i, run, trains[i], {first, stream.sends_levels_alone(i)}, kept, counts);
      if (testing::Test::HasFatalFailure()) return;
    }
    before_ = trains;
  }

 private:
  struct Circumstances {
    bool first = false;  // frame
    bool levels_alone = false;
  };

  void Layer(size_t index, const oracle::IntegerRun& run, const Train& actual,
             const Circumstances& circumstances, uint64_t& kept, DeadZoneCounts& counts) {
    const auto [first, levels_alone] = circumstances;
    const auto& layer = network_.layers[index];
    const double unit = std::exp2(14 - static_cast<int>(network_.timesteps));
    for (size_t j = 0; j < run.potentials.size(); ++j) {
      const double z = run.potentials[j];
      const bool limited = layer.lowest_level != 0 || layer.highest_level != 0;
      const bool at_limit = limited && (z <= layer.lowest_level || z >= layer.highest_level);
      bool stays = false;
      bool sure = run.exact_until[j] == run.train.size();
      if (!first) {
        const double distance = std::abs(std::floor(z * unit) - LevelOf(before_[index], j) * unit);
        stays = distance <= limit_;
        // z is rounded down to a unit, on either side of a whole number.
        if (std::abs(distance - limit_) <= 1) sure = false;
      }
      if (at_limit || (!sure && !stays) || std::abs(z * unit) > 32000) {
        ++counts.not_compared;
        continue;
      }
      if (!first && !sure) continue;
      ++counts.compared;
      const Train& expected = stays ? before_[index] : run.train;
      ASSERT_EQ(LevelOf(actual, j), LevelOf(expected, j)) << "neuron " << j << ", z " << z;
      if (stays && LevelOf(run.train, j) != LevelOf(expected, j)) ++kept;
      if (levels_alone) continue;
      for (size_t k = 0; k < actual.size(); ++k) ASSERT_EQ(actual[k][j], expected[k][j]);
    }
  }

  const format::NetworkT& description_;
  const internal::LoadedNetwork& network_;
  internal::IntegerPlan plan_;
  double limit_;
  std::vector<Train> before_;
};

void RunDeadZone(const format::NetworkT& description, uint32_t seed, double dead_zone,
                 DeadZoneCounts& counts) {
  const std::shared_ptr<const Network> network = LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  DeadZoneComparison comparison(description, *network, dead_zone);
  StreamOptions options;
  options.dead_zone = dead_zone;
  StreamEngine stream(internal::Loaded(*network), options);
  oracle::Draw draw(seed);
  const format::Extent image = *description.nodes[0]->extent;
  std::vector<uint8_t> frame = RandomFrame(draw, Neurons(image));
  StreamAnswer answer;
  for (int i = 0; i < 4; ++i) {
    SCOPED_TRACE("frame " + std::to_string(i));
    if (i > 0) Move(draw, i % 2 == 1 ? Motion::kNoise : Motion::kPatch, image, frame);
    ASSERT_TRUE(stream.Next({.bytes = frame}, answer).ok());
    comparison.Frame(stream, frame, i == 0, counts);
    if (testing::Test::HasFatalFailure()) return;
  }
}

// Level kernels with whatever joins their sums.
void RunKinds(double dead_zone, DeadZoneCounts& counts) {
  for (const oracle::Kind kind : {oracle::Kind::kDepthwise, oracle::Kind::kLevelConv}) {
    for (const oracle::Join join :
         {oracle::Join::kNothing, oracle::Join::kAlignedShortcut, oracle::Join::kCopiedShortcut,
          oracle::Join::kPixels, oracle::Join::kDisjointPool, oracle::Join::kOverlappingPool,
          oracle::Join::kOtherSums}) {
      for (const bool long_train : {false, true}) {
        const oracle::KindOptions options{kind, join, true, long_train};
        const auto seed = static_cast<uint32_t>(join);
        RunDeadZone(oracle::KindNetwork(options, seed), seed, dead_zone, counts);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(StreamDeadZoneTest, KeepsLevelsByItsRule) {
  DeadZoneCounts counts;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    oracle::RandomOptions options;
    options.settled = true;
    options.direct = seed % 2 == 0;
    options.whole_weights = seed % 3 == 0;
    RunDeadZone(oracle::RandomNetwork(seed, options), seed, seed % 4 == 0 ? 0.5 : 0.25, counts);
    if (HasFailure()) return;
  }
  RunKinds(0.5, counts);
  EXPECT_GT(counts.kept_by_bounds, 200U);
  EXPECT_GT(counts.kept_by_potentials, 500U);
  EXPECT_GT(counts.compared, 20 * counts.not_compared);
}

// Each instruction set writes bounds by instructions of its own.
TEST(StreamDeadZoneTest, KeepsLevelsOnEveryInstructionSet) {
  ForEveryInstructionSet([&] {
    for (const double dead_zone : {0.25, 3.0, 255.0}) {
      DeadZoneCounts counts;
      RunKinds(dead_zone, counts);
      EXPECT_GT(counts.kept_by_bounds, 100U);
      EXPECT_GT(counts.kept_by_potentials, 100U);
    }
  });
}

// The same levels on every instruction set and with threads.
TEST(StreamDeadZoneTest, SameBitsEverywhere) {
  const format::NetworkT description = oracle::ResidualNetwork(2);
  const std::shared_ptr<const Network> network = LoadInIntegers(description);
  ASSERT_NE(network, nullptr);
  const auto logits = [&](unsigned threads) {
    StreamOptions options;
    options.dead_zone = 0.3;
    options.threads = threads;
    StreamEngine stream(internal::Loaded(*network), options, {.fewest_synapses = 0});
    oracle::Draw draw(9);
    std::vector<uint8_t> frame = RandomFrame(draw, Neurons(*description.nodes[0]->extent));
    std::vector<std::vector<float>> answers;
    StreamAnswer answer;
    for (int i = 0; i < 5; ++i) {
      if (i > 0) Move(draw, Motion::kNoise, *description.nodes[0]->extent, frame);
      EXPECT_TRUE(stream.Next({.bytes = frame}, answer).ok());
      answers.push_back(answer.logits);
    }
    return answers;
  };
  const auto expected = logits(1);
  EXPECT_EQ(logits(3), expected);
  ForEveryInstructionSet([&] { EXPECT_EQ(logits(1), expected); });
}

}  // namespace
}  // namespace cssrun
