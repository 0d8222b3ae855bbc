// Random spiking networks and random events, from a NIR file to spikes and potentials, against the
// plain step-by-step reference: every bit is equal.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "converter/nir/convert_nir.h"
#include "cssrun/event_session.h"
#include "tests/converter/nir_writer.h"
#include "tests/oracle/event_model.h"

namespace cssrun {
namespace {

using oracle::EventModel;
using oracle::EventModelNode;
using oracle::EventOp;

converter::NirOptions OptionsOf(const EventModel& model) {
  converter::NirOptions options;
  options.dt = model.dt;
  options.reset = static_cast<converter::NirReset>(model.reset);
  options.several_spikes = model.several;
  options.floor =
      model.floor_at_threshold ? converter::NirFloor::kThreshold : converter::NirFloor::kNone;
  return options;
}

std::shared_ptr<const Network> Convert(const EventModel& model, uint32_t seed) {
  const testing_models::NirStyle style{
      .compressed = seed % 2 == 0, .floats = seed % 3 == 0, .nested = seed % 5 == 0};
  const std::vector<uint8_t> bytes = testing_models::WriteNir(testing_models::NirOf(model), style);
  const auto conversion = converter::ConvertNir(bytes, "model.nir", OptionsOf(model), {}, {});
  EXPECT_TRUE(conversion.ok()) << conversion.status().message();
  if (!conversion.ok()) return nullptr;
  const flatbuffers::DetachedBuffer& file = conversion.value().bytes;
  auto network = Network::FromBytes({file.data(), file.size()}, "net");
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

// The events of each step, some of which are silent; silences are long at times.
class RandomEvents {
 public:
  RandomEvents(uint32_t seed, size_t addresses) : random_(seed), addresses_(addresses) {}

  void Next(uint64_t step, std::vector<TimedEvent>& events) {
    if (silent_ > 0) {
      --silent_;
      return;
    }
    const size_t kind = Below(12);
    if (kind == 0) silent_ = Below(60);
    if (kind < 4) return;
    const size_t count = kind < 11 ? 1 + Below(4) : 1 + Below(2 * addresses_);
    for (size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(Below(8) == 0 ? static_cast<int>(Below(5)) - 2 : 1);
      events.push_back({step, static_cast<uint32_t>(Below(addresses_)), value});
    }
  }

  size_t Below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }

 private:
  std::mt19937 random_;
  size_t addresses_;
  size_t silent_ = 0;
};

// The layer of each node of the model that has neurons.
std::vector<size_t> LayersOf(const EventModel& model, const Network& network) {
  std::vector<size_t> layers;
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    if (!model.nodes[i].has_neurons()) continue;
    const std::string name = "n" + std::to_string(i);
    for (size_t layer = 0; layer < network.layers().size(); ++layer) {
      const std::string& full = network.layers()[layer].name;
      if (full == name || full == "inner." + name) layers.push_back(layer);
    }
  }
  return layers;
}

void Compare(const oracle::EventReference& reference, const EventSession& session,
             const std::vector<size_t>& layers) {
  for (size_t i = 0; i < layers.size(); ++i) {
    std::vector<uint64_t> counts;
    std::vector<double> potentials;
    ASSERT_TRUE(session.ReadCounts(layers[i], counts).ok());
    ASSERT_TRUE(session.ReadPotentials(layers[i], potentials).ok());
    ASSERT_EQ(counts, reference.counts(i)) << "layer " << i << ", step " << session.now();
    ASSERT_EQ(potentials, reference.potentials(i)) << "layer " << i << ", step " << session.now();
  }
}

// How many networks of each kind were run.
using Reached = std::map<std::string, size_t>;

void NoteLinear(const EventModelNode& node, Reached& reached) {
  if (node.op == EventOp::kConv && node.groups > 1) ++reached["groups"];
  if (node.op == EventOp::kConv && node.stride_x > 1) ++reached["strides"];
  if (node.op == EventOp::kConv && node.dilation_x > 1) ++reached["dilation"];
  if (!node.bias.empty()) ++reached["bias"];
}

void NoteNeurons(const EventModelNode& node, Reached& reached) {
  if (!node.back.empty()) ++reached["loop"];
  if (!node.back.empty() && node.to.height * node.to.width > 1) ++reached["loop on a map"];
  if (node.op == EventOp::kIf || node.op == EventOp::kThreshold) return;
  const bool alike = std::equal(node.tau.begin() + 1, node.tau.end(), node.tau.begin());
  ++reached[alike ? "one decay" : "many decays"];
  if (node.v_leak[0] != 0) ++reached["leak to a level"];
}

void Note(const EventModel& model, Reached& reached) {
  const std::vector<std::string> names = {"conv",    "dense", "sum pool", "average pool",
                                          "flatten", "scale", "IF",       "LIF",
                                          "CubaLIF", "LI",    "threshold"};
  for (const EventModelNode& node : model.nodes) {
    ++reached[names.at(static_cast<size_t>(node.op))];
    if (node.has_neurons()) {
      NoteNeurons(node, reached);
    } else {
      NoteLinear(node, reached);
    }
  }
  ++reached["reset " + std::to_string(static_cast<int>(model.reset))];
  if (model.several) ++reached["many spikes"];
  if (model.floor_at_threshold) ++reached["floor"];
  ++reached["networks"];
}

// By chance, random gains are those of an exporter, who reads them otherwise than the reference.
bool IsReadOtherwise(const EventModel& model, const Network& network) {
  const bool leaks = std::any_of(model.nodes.begin(), model.nodes.end(), [](const auto& node) {
    return node.op == EventOp::kLif || node.op == EventOp::kCuba || node.op == EventOp::kLi;
  });
  const std::string& exporter = network.events()->assumptions.at(0);
  return leaks && exporter.find("not recognized") == std::string::npos;
}

// Runs a model on random events, fed in pieces of some steps, and compares after each piece.
void RunModel(const EventModel& model, uint32_t seed, Reached& reached) {
  const std::shared_ptr<const Network> network = Convert(model, seed);
  ASSERT_NE(network, nullptr);
  if (IsReadOtherwise(model, *network)) {
    ++reached["read otherwise"];
    return;
  }
  Note(model, reached);
  const std::vector<size_t> layers = LayersOf(model, *network);
  Result<EventSession> session = EventSession::Create(network);
  ASSERT_TRUE(session.ok()) << session.status().message();
  oracle::EventReference reference(model);
  ASSERT_EQ(layers.size(), reference.layers());
  RandomEvents source(seed, model.input.size());
  uint64_t step = 0;
  for (size_t piece = 0; piece < 16; ++piece) {
    std::vector<TimedEvent> events;
    const uint64_t until = step + 1 + source.Below(piece % 3 == 0 ? 1 : 12);
    for (; step < until; ++step) {
      std::vector<double> input(model.input.size(), 0.0);
      const size_t first = events.size();
      source.Next(step, events);
      for (size_t i = first; i < events.size(); ++i) {
        input[events[i].address] += static_cast<double>(events[i].value);
      }
      reference.Step(input);
    }
    const Status fed = session.value().Feed(events, until);
    ASSERT_TRUE(fed.ok()) << fed.message();
    ASSERT_NO_FATAL_FAILURE(Compare(reference, session.value(), layers)) << "piece " << piece;
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    uint64_t spikes = 0;
    for (const uint64_t count : reference.counts(i)) spikes += count;
    EXPECT_EQ(session.value().layers()[layers[i]].spikes, spikes);
    if (spikes > 0) ++reached["layers that fired"];
  }
}

TEST(NirNetworksTest, RandomNetworksGiveTheBitsOfTheReference) {
  constexpr size_t kNetworks = 200;
  Reached reached;
  for (uint32_t seed = 0; reached["networks"] < kNetworks; ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_NO_FATAL_FAILURE(RunModel(oracle::RandomEventModel(seed), seed, reached));
    ASSERT_LT(reached["read otherwise"], kNetworks / 4);
  }
  for (const char* kind :
       {"conv",      "dense",       "sum pool",      "average pool", "flatten",
        "scale",     "IF",          "LIF",           "CubaLIF",      "LI",
        "threshold", "groups",      "strides",       "dilation",     "bias",
        "loop",      "one decay",   "many decays",   "reset 0",      "reset 1",
        "reset 2",   "many spikes", "loop on a map", "floor",        "leak to a level"}) {
    EXPECT_GE(reached[kind], 10U) << kind;
  }
  EXPECT_GE(reached["layers that fired"], 200U);
  for (const auto& [kind, count] : reached) std::printf("%s: %zu\n", kind.c_str(), count);
}

}  // namespace
}  // namespace cssrun
