// NIR files that cannot be converted, loops, and neurons with currents.
#include "converter/nir/nir_reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/nir/convert_nir.h"
#include "cssrun/event_session.h"
#include "format/network_file.h"
#include "tests/converter/nir_writer.h"

namespace cssrun {
namespace {

using converter::NirArray;
using converter::NirGraph;
using converter::NirNode;

NirNode Node(const std::string& name, const std::string& type,
             std::map<std::string, NirArray> arrays = {}) {
  NirNode node;
  node.name = name;
  node.type = type;
  node.arrays = std::move(arrays);
  return node;
}

NirArray Vector(std::vector<double> numbers) {
  const auto size = static_cast<int64_t>(numbers.size());
  return {{size}, std::move(numbers)};
}

// Two inputs, a matrix, two neurons of the given type.
NirGraph Small(const NirNode& neurons) {
  NirGraph graph;
  graph.nodes = {Node("input", "Input", {{"shape", Vector({2})}}),
                 Node("fc", "Linear", {{"weight", {{2, 2}, {0.5, 0.25, 0, 0.75}}}}), neurons,
                 Node("output", "Output", {{"shape", Vector({2})}})};
  graph.edges = {{0, 1}, {1, 2}, {2, 3}};
  return graph;
}

NirNode Lif(const std::string& name) {
  return Node(name, "LIF",
              {{"tau", Vector({0.004, 0.008})},
               {"r", Vector({1, 3})},
               {"v_leak", Vector({0, 0})},
               {"v_threshold", Vector({0.5, 0.25})}});
}

Result<converter::NirConversion> Convert(const NirGraph& graph,
                                         const converter::NirOptions& options = {}) {
  return converter::ConvertNir(testing_models::WriteNir(graph), "model.nir", options, {}, {});
}

std::string ErrorOf(const NirGraph& graph, const converter::NirOptions& options = {}) {
  const auto conversion = Convert(graph, options);
  EXPECT_FALSE(conversion.ok());
  return conversion.status().message();
}

TEST(NirReaderTest, AllNodesThatCannotBeConvertedAreNamedAtOnce) {
  NirGraph graph = Small(Lif("lif"));
  graph.nodes[1].type = "Fourier";
  graph.nodes[2].arrays["v_threshold"] = Vector({-1, 1});
  graph.nodes.push_back(Node("delay", "Delay", {{"delay", Vector({1})}}));
  graph.nodes.push_back(Node("pool", "SumPool2d"));
  graph.edges.emplace_back(0, 5);
  const std::string error = ErrorOf(graph);
  EXPECT_EQ(error.rfind("model.nir: 3 nodes cannot be converted", 0), 0U) << error;
  for (const char* said : {"fc ", "Fourier", "delay ", "Delay", "pool ", "docs/events.md"}) {
    EXPECT_NE(error.find(said), std::string::npos) << said << " in " << error;
  }
}

TEST(NirReaderTest, WhatIsWrongIsSaid) {
  struct Case {
    const char* said;
    void (*damage)(NirGraph&);
  };
  const std::vector<Case> cases = {
      {"holds 3 numbers",
       [](NirGraph& g) {
         g.nodes[2].arrays["tau"] = Vector({1, 1, 1});
       }},
      {"holds 0 numbers", [](NirGraph& g) { g.nodes[2].arrays["tau"] = Vector({}); }},
      {"shorter than a step",
       [](NirGraph& g) {
         g.nodes[2].arrays["tau"] = Vector({1e-5, 1});
       }},
      {"million steps",
       [](NirGraph& g) {
         g.nodes[2].arrays["tau"] = Vector({1e9, 1});
       }},
      {"never rests",
       [](NirGraph& g) {
         g.nodes[2].arrays["v_reset"] = Vector({9, 9});
       }},
      {"get 2",
       [](NirGraph& g) {
         g.nodes[1].arrays["weight"] = {{1, 3}, {1, 2, 3}};
       }},
      {"nothing leads to it",
       [](NirGraph& g) {
         g.edges = {{0, 1}, {2, 3}};
       }},
      {"shape is not",
       [](NirGraph& g) {
         g.nodes[0].arrays["shape"] = Vector({1, 2, 3, 4});
       }},
  };
  for (const Case& wrong : cases) {
    NirGraph graph = Small(Lif("lif"));
    wrong.damage(graph);
    const std::string error = ErrorOf(graph);
    EXPECT_NE(error.find(wrong.said), std::string::npos) << wrong.said << " in " << error;
  }
}

TEST(NirReaderTest, OptionsThatCannotBeAreRefused) {
  const NirGraph graph = Small(Lif("lif"));
  std::vector<converter::NirOptions> wrong(4);
  wrong[0].dt = 0;
  wrong[1].dt = -1;
  wrong[2].reset = converter::NirReset::kZero;
  wrong[2].several_spikes = true;
  wrong[3].floor = converter::NirFloor::kValue;
  wrong[3].floor_value = 1;
  for (const converter::NirOptions& options : wrong) {
    EXPECT_EQ(Convert(graph, options).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(NirReaderTest, EveryTruncationIsRefused) {
  const std::vector<uint8_t> bytes = testing_models::WriteNir(Small(Lif("lif")));
  for (size_t size = 0; size < bytes.size(); size += 97) {
    const auto conversion =
        converter::ConvertNir(std::span(bytes).first(size), "model.nir", {}, {}, {});
    EXPECT_EQ(conversion.status().code(), StatusCode::kBadModel) << size;
  }
}

TEST(NirReaderTest, ExportersAreToldByTheirGains) {
  const auto reading = [](const NirGraph& graph) {
    const auto chosen = converter::ChooseReading(graph, {});
    EXPECT_TRUE(chosen.ok());
    return chosen.value();
  };
  NirNode neurons = Lif("lif");
  EXPECT_EQ(reading(Small(neurons)).exporter, converter::NirExporter::kUnknown);
  neurons.arrays["r"] = Vector({1, 1});
  EXPECT_EQ(reading(Small(neurons)).exporter, converter::NirExporter::kNorse);
  neurons.arrays["r"] = Vector({40, 80});  // tau / 1e-4
  const converter::NirReading snn_torch = reading(Small(neurons));
  EXPECT_EQ(snn_torch.exporter, converter::NirExporter::kSnnTorch);
  EXPECT_DOUBLE_EQ(snn_torch.equation_dt, 1e-4);
  EXPECT_EQ(snn_torch.reset, converter::NirReset::kSubtract);
  neurons.arrays["r"] = Vector({40 * std::exp(-0.025), 80 * std::exp(-0.0125)});
  EXPECT_EQ(reading(Small(neurons)).exporter, converter::NirExporter::kRockpool);
  neurons.type = "IF";
  neurons.arrays.erase("tau");
  neurons.arrays["r"] = Vector({1, 1});
  EXPECT_EQ(reading(Small(neurons)).exporter, converter::NirExporter::kSinabs);
  EXPECT_TRUE(reading(Small(neurons)).several_spikes);
  neurons.arrays["r"] = Vector({1000, 1000});
  EXPECT_EQ(reading(Small(neurons)).exporter, converter::NirExporter::kSpikingJelly);
}

TEST(NirReaderTest, MultiplicationsOfADenseStepAreCounted) {
  const auto macs = [](const NirGraph& graph) {
    const auto conversion = Convert(graph);
    EXPECT_TRUE(conversion.ok()) << conversion.status().message();
    return conversion.ok() ? format::GetNetwork(conversion.value().bytes.data())->macs_per_image()
                           : 0;
  };
  EXPECT_EQ(macs(Small(Lif("lif"))), 4U);
  // Sums of 2x2 of a map of 6x6, and 3x3 weights for two channels: 7 of the 9 taps of a row or
  // column are not in the padding.
  NirGraph graph;
  graph.nodes = {
      Node("input", "Input", {{"shape", Vector({1, 6, 6})}}),
      Node("pool", "SumPool2d", {{"kernel_size", Vector({2, 2})}, {"stride", Vector({2, 2})}}),
      Node("conv", "Conv2d",
           {{"weight", {{2, 1, 3, 3}, std::vector<double>(18, 1)}}, {"padding", Vector({1, 1})}}),
      Node("if", "IF", {{"r", Vector({1})}, {"v_threshold", Vector({1})}}),
      Node("output", "Output", {{"shape", Vector({2, 3, 3})}})};
  graph.edges = {{0, 1}, {1, 2}, {2, 3}, {3, 4}};
  EXPECT_EQ(macs(graph), 2U * 7 * 7);
}

std::vector<uint64_t> CountsOf(const EventSession& session, size_t layer) {
  std::vector<uint64_t> counts;
  EXPECT_TRUE(session.ReadCounts(layer, counts).ok());
  return counts;
}

// A layer with currents, which leads back to itself: against the same few lines.
TEST(NirReaderTest, ALoopArrivesAStepLater) {
  NirGraph graph = Small(Node("lif", "CubaLIF",
                              {{"tau_mem", Vector({0.004, 0.002})},
                               {"tau_syn", Vector({0.002, 0.008})},
                               {"r", Vector({2, 3})},
                               {"w_in", Vector({1, 2})},
                               {"v_leak", Vector({0, 0})},
                               {"v_threshold", Vector({0.25, 0.125})}}));
  graph.nodes.push_back(Node("back", "Linear", {{"weight", {{2, 2}, {0, 0.5, -0.25, 0.125}}}}));
  graph.edges.emplace_back(2, 4);
  graph.edges.emplace_back(4, 2);
  converter::NirOptions options;
  options.dt = 0.001;
  options.reset = converter::NirReset::kSubtract;
  const auto conversion = Convert(graph, options);
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  const flatbuffers::DetachedBuffer& file = conversion.value().bytes;
  const auto network = Network::FromBytes({file.data(), file.size()}, "net");
  ASSERT_TRUE(network.ok()) << network.status().message();
  EventSession session = EventSession::Create(network.value()).value();

  const double weights[2][2] = {{0.5, 0.25}, {0, 0.75}};
  const double back[2][2] = {{0, 0.5}, {-0.25, 0.125}};
  const double mem[2] = {0.001 / 0.004, 0.001 / 0.002};
  const double syn[2] = {0.001 / 0.002, 0.001 / 0.008};
  const double gain[2] = {mem[0] * 2 * (syn[0] * 1), mem[1] * 3 * (syn[1] * 2)};
  const double threshold[2] = {0.25, 0.125};
  double i[2] = {};
  double v[2] = {};
  double before[2] = {};
  std::vector<uint64_t> counts = {0, 0};
  for (uint64_t step = 0; step < 200; ++step) {
    const double input[2] = {step % 3 == 0 && step < 100 ? 1.0 : 0.0, step % 7 == 1 ? 1.0 : 0.0};
    std::vector<TimedEvent> events;
    for (uint32_t k = 0; k < 2; ++k) {
      if (input[k] != 0) events.push_back({step, k, 1});
    }
    double now[2] = {};
    for (size_t k = 0; k < 2; ++k) {
      const double x = weights[k][0] * input[0] + weights[k][1] * input[1] +
                       back[k][0] * before[0] + back[k][1] * before[1];
      i[k] = (1 - syn[k]) * i[k] + x;
      v[k] = (1 - mem[k]) * v[k] + gain[k] * i[k];
      now[k] = v[k] > threshold[k] ? 1 : 0;
      v[k] -= now[k] * threshold[k];
      counts[k] += static_cast<uint64_t>(now[k]);
    }
    before[0] = now[0];
    before[1] = now[1];
    ASSERT_TRUE(session.Feed(events, step + 1).ok());
    ASSERT_EQ(CountsOf(session, 1), counts) << "step " << step;
    std::vector<double> potentials;
    ASSERT_TRUE(session.ReadPotentials(1, potentials).ok());
    ASSERT_EQ(potentials, std::vector<double>({v[0], v[1]})) << "step " << step;
  }
  EXPECT_GT(counts[0], 10U);
  EXPECT_GT(counts[1], 10U);
}

}  // namespace
}  // namespace cssrun
