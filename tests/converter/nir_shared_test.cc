// The public networks and the recording of ../shared/events; see its README. Skipped without it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "converter/nir/convert_nir.h"
#include "cssrun/event_session.h"

namespace cssrun {
namespace {

const std::string kFolder = std::string(CSSRUN_SOURCE_DIR) + "/../shared/events/";

std::vector<uint8_t> ReadBytes(const std::string& name) {
  std::ifstream file(kFolder + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::shared_ptr<const Network> Load(const std::string& name, const converter::NirOptions& options) {
  const auto conversion = converter::ConvertNir(ReadBytes(name), name, options, {}, {});
  EXPECT_TRUE(conversion.ok()) << conversion.status().message();
  if (!conversion.ok()) return nullptr;
  const flatbuffers::DetachedBuffer& file = conversion.value().bytes;
  auto network = Network::FromBytes({file.data(), file.size()}, name);
  EXPECT_TRUE(network.ok()) << network.status().message();
  return network.ok() ? network.value() : nullptr;
}

// Records of five bytes: x, y, polarity in the highest bit and microseconds in the other 23.
std::vector<TimedEvent> ReadRecording(uint64_t microseconds_per_step) {
  const std::vector<uint8_t> bytes = ReadBytes("sample_nmnist.bin");
  constexpr uint32_t kSide = 34;
  std::vector<TimedEvent> events;
  for (size_t i = 0; i + 5 <= bytes.size(); i += 5) {
    const uint32_t polarity = bytes[i + 2] >> 7U;
    const uint64_t time = (bytes[i + 2] & 0x7FU) << 16U | bytes[i + 3] << 8U | bytes[i + 4];
    events.push_back(
        {time / microseconds_per_step, (polarity * kSide + bytes[i + 1]) * kSide + bytes[i], 1});
  }
  return events;
}

struct Reading {
  uint64_t step_microseconds;
  bool several;
  bool subtracts;
  bool has_floor;
  double winner;
  uint64_t spikes;
  double millions;
};

TEST(NirSharedTest, NMnistNetworkAnswersAsTheTableOfTheReadmeSays) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << kFolder << " is not there";
  for (const Reading& reading : {Reading{1000, true, true, true, 1484, 85252, 9.8},
                                 Reading{1000, false, true, true, 273, 70981, 9.2},
                                 Reading{1000, false, true, false, 263, 37028, 4.6},
                                 Reading{1000, false, false, false, 144, 20740, 2.9},
                                 Reading{10000, true, true, true, 1736, 74103, 8.5},
                                 Reading{100, true, true, true, 1133, 95512, 10.6}}) {
    converter::NirOptions options;
    options.several_spikes = reading.several;
    options.reset = reading.subtracts ? converter::NirReset::kSubtract : converter::NirReset::kZero;
    options.floor =
        reading.has_floor ? converter::NirFloor::kThreshold : converter::NirFloor::kNone;
    const auto network = Load("cnn_sinabs.nir", options);
    ASSERT_NE(network, nullptr);
    // 282 millions in 312 steps with the padding, 261.7 without.
    EXPECT_EQ(network->macs_per_image(), 838'688U);
    Result<EventSession> session = EventSession::Create(network);
    ASSERT_TRUE(session.ok());
    const std::vector<TimedEvent> events = ReadRecording(reading.step_microseconds);
    ASSERT_TRUE(session.value().Feed(events, events.back().step + 1).ok());
    std::vector<float> logits;
    session.value().ReadLogits(logits);
    EXPECT_EQ(BestClass(logits), 4U);
    EXPECT_EQ(logits[4], reading.winner);
    uint64_t spikes = 0;
    uint64_t synops = 0;
    for (size_t i = 1; i < session.value().layers().size(); ++i) {
      spikes += session.value().layers()[i].spikes;
      synops += session.value().layers()[i].synops;
    }
    EXPECT_EQ(spikes, reading.spikes);
    EXPECT_NEAR(static_cast<double>(synops) / 1e6, reading.millions, 0.1);
  }
}

// The lines of a table: input, potential, spike.
std::vector<std::array<double, 3>> ReadTable(const std::string& name) {
  std::ifstream file(kFolder + name);
  std::vector<std::array<double, 3>> rows;
  for (std::string line; std::getline(file, line);) {
    std::array<double, 3> row = {};
    std::istringstream words(line);
    for (double& number : row) {
      std::string word;
      std::getline(words, word, ',');
      number = std::stod(word);
    }
    rows.push_back(row);
  }
  return rows;
}

struct Trace {
  std::vector<uint64_t> spikes;  // steps at which the neuron fired
  std::vector<double> potentials;
};

Trace RunNeuron(const std::string& name, const std::vector<std::array<double, 3>>& table) {
  converter::NirOptions options;
  options.dt = 1e-4;
  const auto network = Load(name, options);
  Trace trace;
  if (network == nullptr) return trace;
  Result<EventSession> session = EventSession::Create(network);
  std::vector<uint64_t> counts = {0};
  for (uint64_t step = 0; step < table.size(); ++step) {
    std::vector<TimedEvent> events;
    if (table[step][0] != 0) events.push_back({step, 0, static_cast<float>(table[step][0])});
    EXPECT_TRUE(session.value().Feed(events, step + 1).ok());
    const uint64_t before = counts[0];
    std::vector<double> potentials;
    EXPECT_TRUE(session.value().ReadCounts(1, counts).ok());
    EXPECT_TRUE(session.value().ReadPotentials(1, potentials).ok());
    if (counts[0] > before) trace.spikes.push_back(step);
    trace.potentials.push_back(potentials[0]);
  }
  return trace;
}

std::vector<uint64_t> SpikesOf(const std::vector<std::array<double, 3>>& table) {
  std::vector<uint64_t> steps;
  for (uint64_t step = 0; step < table.size(); ++step) {
    if (table[step][2] != 0) steps.push_back(step);
  }
  return steps;
}

TEST(NirSharedTest, OneNeuronDoesWhatTheSimulatorsDo) {
  if (!std::filesystem::exists(kFolder)) GTEST_SKIP() << kFolder << " is not there";
  const auto exact = ReadTable("lif_exact.csv");
  const auto norse = ReadTable("lif_norse.csv");
  const auto snn_torch = ReadTable("lif_snntorch.csv");
  ASSERT_EQ(norse.size(), exact.size());
  // By how much the simulators differ among themselves, where none has just fired.
  double apart = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    apart = std::max(apart, std::abs(exact[i][1] - norse[i][1]));
  }
  const Trace of_norse = RunNeuron("lif_norse.nir", norse);
  const Trace of_rockpool = RunNeuron("lif_rockpool.nir", norse);
  EXPECT_EQ(of_norse.spikes, SpikesOf(norse));
  EXPECT_EQ(of_norse.spikes, SpikesOf(snn_torch));
  EXPECT_EQ(of_norse.spikes, SpikesOf(exact));
  EXPECT_EQ(of_rockpool.spikes, SpikesOf(exact));
  for (size_t i = 0; i < norse.size(); ++i) {
    // Norse computes in 32 bits.
    EXPECT_NEAR(of_norse.potentials.at(i), norse[i][1], 1e-6) << "step " << i;
    if (SpikesOf(exact) == of_rockpool.spikes) {
      EXPECT_NEAR(of_rockpool.potentials.at(i), exact[i][1], 2 * apart) << "step " << i;
    }
  }
}

}  // namespace
}  // namespace cssrun
