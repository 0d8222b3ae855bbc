// The public networks and the recording of ../shared/events; see its README. Skipped without it.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace cssrun
