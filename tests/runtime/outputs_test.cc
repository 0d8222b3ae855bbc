// Checks outputs that are maps, or several: each engine's readouts against the oracle, which is
// driven with the engine's own spikes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/network_parts.h"
#include "tests/oracle/random_network.h"
#include "tests/oracle/reference.h"

namespace cssrun {
namespace {

// What the drawn readouts were, so that the test can tell that it reached every kind.
struct Reached {
  int maps = 0, vectors = 0, grouped = 0, means = 0, reordered = 0, pixels = 0, several = 0;
};

// Appends a readout of `source` with a random window; a shape, and sometimes another order.
void AppendReadout(oracle::Draw& draw, uint32_t source, format::NetworkT& network,
                   Reached& reached) {
  const format::Extent from = *network.nodes[source]->extent;
  std::optional<format::Window> mean;
  format::Extent seen = from;
  if (draw.Chance(0.3)) {
    mean = oracle::RandomWindow(draw, from, false);
    seen = oracle::Through(*mean, from, from.channels());
    ++reached.means;
  }
  const format::Window window = oracle::RandomWindow(draw, seen, true);
  const bool divides = from.channels() % 2 == 0;
  const uint32_t groups = divides && draw.Chance(0.3) ? 2 : 1;
  const uint32_t channels = groups * draw.Count(1, 20);
  const format::Extent extent = oracle::Through(window, seen, channels);
  auto node = oracle::Node("output" + std::to_string(network.nodes.size()),
                           format::NodeKind::Readout, extent);
  node->synapses.push_back(
      oracle::Convolution(draw, source, seen, window, channels, groups, false));
  if (mean.has_value()) node->synapses[0]->average = std::make_unique<format::Window>(*mean);
  oracle::DrawBias(draw, network.code->timesteps, false, *node);
  const uint32_t neurons = channels * extent.height() * extent.width();
  if (draw.Chance(0.5)) {
    for (uint32_t i = 0; i < neurons; ++i) node->output_order.push_back(i);
    draw.Shuffle(node->output_order);
    if (neurons > 1 && draw.Chance(0.5)) node->output_order.pop_back();
    node->output_shape = {static_cast<uint32_t>(node->output_order.size())};
    ++reached.reordered;
  }
  ++(extent.height() * extent.width() > 1 ? reached.maps : reached.vectors);
  reached.grouped += groups > 1 ? 1 : 0;
  reached.pixels += source == 0 && network.code->input == format::InputCoding::Direct ? 1 : 0;
  network.nodes.push_back(std::move(node));
}

format::NetworkT DrawNetwork(uint32_t seed, Reached& reached) {
  oracle::RandomOptions options;
  options.direct = seed % 2 == 0;
  options.settled = seed % 3 == 0;
  format::NetworkT network = oracle::RandomNetwork(seed, options);
  oracle::Draw draw(seed + 1000);
  const auto neurons = static_cast<int>(network.nodes.size()) - 2;
  const bool keeps_logits = draw.Chance(0.3);
  if (!keeps_logits) network.nodes.pop_back();
  const uint32_t more = keeps_logits ? draw.Count(0, 2) : draw.Count(1, 3);
  for (uint32_t i = 0; i < more; ++i) {
    AppendReadout(draw, draw.Count(0, neurons), network, reached);
  }
  network.answer = format::AnswerKind::Numbers;
  network.labels.clear();
  oracle::SetTiming(network);
  return network;
}

// The trains of all layers that send spikes, [index][channel, row, column].
std::vector<oracle::Train> TrainsOf(const format::NetworkT& network, const Answer& answer) {
  std::vector<oracle::Train> trains(network.nodes.size());
  for (size_t i = 0; i < trains.size(); ++i) {
    const std::vector<int8_t>& spikes = answer.recordings[i].spikes;
    const size_t steps = network.code->timesteps;
    const size_t neurons = spikes.size() / steps;
    for (size_t k = 0; k < steps && neurons > 0; ++k) {
      const auto first = spikes.begin() + static_cast<std::ptrdiff_t>(k * neurons);
      trains[i].emplace_back(first, first + static_cast<std::ptrdiff_t>(neurons));
    }
  }
  return trains;
}

void CompareWithOracle(const format::NetworkT& description, const Network& network,
                       const std::vector<uint8_t>& pixels, const Answer& answer) {
  const std::vector<oracle::Train> trains = TrainsOf(description, answer);
  const std::vector<double> inputs = oracle::Normalize(description, pixels);
  const size_t first = description.nodes.size() - network.outputs().size();
  for (size_t i = 0; i < network.outputs().size(); ++i) {
    const OutputInfo& output = network.outputs()[i];
    const format::NodeT& node = *description.nodes[first + i];
    const oracle::NodeRun run = oracle::RunNode(description, first + i, trains, inputs);
    double largest = 1e-6;
    for (const double potential : run.potentials) largest = std::max(largest, std::abs(potential));
    const std::span<const float> numbers = output.In(answer.logits);
    ASSERT_EQ(numbers.size(),
              node.output_order.empty() ? run.potentials.size() : node.output_order.size());
    for (size_t k = 0; k < numbers.size(); ++k) {
      const size_t neuron = node.output_order.empty() ? k : node.output_order[k];
      ASSERT_NEAR(numbers[k], run.potentials[neuron], 1e-4 * largest)
          << output.name << ", number " << k;
    }
  }
}

TEST(OutputsTest, EveryReadoutIsThatOfTheOracle) {
  Reached reached;
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const format::NetworkT description = DrawNetwork(seed, reached);
    const std::vector<uint8_t> pixels = oracle::RandomPixels(description, seed);
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
    for (const EngineKind engine : {EngineKind::kInteger, EngineKind::kFloat}) {
      const auto network =
          Network::FromBytes({bytes.data(), bytes.size()}, "outputs", LoadOptions(engine));
      ASSERT_TRUE(network.ok()) << network.status().message();
      SessionOptions options;
      for (size_t i = 0; i < description.nodes.size(); ++i) options.record.push_back({i, true});
      Answer answer;
      ASSERT_TRUE(Session(network.value(), options).Run(pixels, answer).ok());
      reached.several += network.value()->outputs().size() > 1 ? 1 : 0;
      CompareWithOracle(description, *network.value(), pixels, answer);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GE(reached.maps, 30);
  EXPECT_GE(reached.vectors, 10);
  EXPECT_GE(reached.grouped, 10);
  EXPECT_GE(reached.means, 10);
  EXPECT_GE(reached.reordered, 30);
  EXPECT_GE(reached.pixels, 5);
  EXPECT_GE(reached.several, 50);
}

// Readouts that begin at different steps are read together; the last reading is the answer.
TEST(OutputsTest, TheLastReadingIsTheAnswer) {
  Reached reached;
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    const format::NetworkT description = DrawNetwork(seed, reached);
    const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
    const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "outputs");
    ASSERT_TRUE(network.ok()) << network.status().message();
    SessionOptions options;
    options.keep_readings = true;
    Answer answer;
    ASSERT_TRUE(Session(network.value(), options)
                    .Run(oracle::RandomPixels(description, seed), answer)
                    .ok());
    ASSERT_EQ(answer.readings.size(), description.code->timesteps);
    EXPECT_EQ(answer.readings.back().logits, answer.logits) << "seed " << seed;
    Answer plain;
    ASSERT_TRUE(Session(network.value()).Run(oracle::RandomPixels(description, seed), plain).ok());
    EXPECT_EQ(plain.logits, answer.logits) << "seed " << seed;
  }
}

TEST(OutputsTest, NumbersHaveNoEarlyExit) {
  Reached reached;
  const format::NetworkT description = DrawNetwork(1, reached);
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(description);
  const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "outputs");
  ASSERT_TRUE(network.ok());
  SessionOptions options;
  options.early_exit_margin = 1;
  const Result<Session> session = Session::Create(network.value(), options);
  ASSERT_FALSE(session.ok());
  EXPECT_NE(session.status().message().find("numbers"), std::string::npos);
}

}  // namespace
}  // namespace cssrun
