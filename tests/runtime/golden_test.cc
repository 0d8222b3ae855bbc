// Checks that files that were written once stay readable, and give the same answers as before.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = std::string(CSSRUN_SOURCE_DIR) + "/tests/golden";

std::vector<float> Logits(const std::string& file, EngineKind engine) {
  const auto network = Network::Load(file, engine);
  EXPECT_TRUE(network.ok()) << network.status().message();
  const Result<format::NetworkFile> described = format::NetworkFile::Open(file);
  EXPECT_TRUE(described.ok());
  if (!network.ok() || !described.ok()) return {};
  const std::unique_ptr<format::NetworkT> description(described.value().network().UnPack());
  Answer answer;
  EXPECT_TRUE(Session(network.value()).Run(oracle::RandomPixels(*description, 1), answer).ok());
  return answer.logits;
}

TEST(GoldenTest, EveryReleasedVersionGivesTheAnswersItGave) {
  size_t files = 0;
  std::vector<bool> versions(format::kFormatVersion + 1, false);
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".fb" || entry.path().stem() == "version6_events") continue;
    SCOPED_TRACE(entry.path().string());
    ++files;
    const Result<format::NetworkFile> file = format::NetworkFile::Open(entry.path().string());
    ASSERT_TRUE(file.ok()) << file.status().message();
    versions.at(file.value().network().format_version()) = true;
    std::ifstream answers(fs::path(entry.path()).replace_extension(".logits"));
    size_t engines = 0;
    for (std::string line; std::getline(answers, line); ++engines) {
      std::istringstream words(line);
      std::string engine;
      words >> engine;
      std::vector<float> expected;
      for (std::string word; words >> word;) expected.push_back(std::strtof(word.c_str(), nullptr));
      EXPECT_EQ(Logits(entry.path().string(),
                       engine == "integer" ? EngineKind::kInteger : EngineKind::kFloat),
                expected)
          << engine;
    }
    EXPECT_EQ(engines, 2U);
  }
  EXPECT_GE(files, 2U);
  for (uint32_t version = format::kOldestFormatVersion; version <= format::kImagesVersion;
       ++version) {
    EXPECT_TRUE(versions[version]) << "no file of version " << version;
  }
}

// The same of networks that take events: the spikes of the last layer after some events.
TEST(GoldenTest, NetworksOfEventsGiveTheAnswersTheyGave) {
  const auto network = Network::Load((fs::path(kFolder) / "version6_events.fb").string());
  ASSERT_TRUE(network.ok()) << network.status().message();
  Result<EventSession> session = EventSession::Create(network.value());
  ASSERT_TRUE(session.ok());
  std::vector<TimedEvent> events;
  for (uint32_t i = 0; i < 60; ++i) events.push_back({i * i / 7, i * 11 % 32, 1});
  ASSERT_TRUE(session.value().Feed(events, 600).ok());
  std::vector<uint64_t> counts;
  ASSERT_TRUE(session.value().ReadCounts(2, counts).ok());
  std::ifstream answers(fs::path(kFolder) / "version6_events.counts");
  std::vector<uint64_t> expected;
  for (uint64_t count = 0; answers >> count;) expected.push_back(count);
  EXPECT_EQ(counts, expected);
}

}  // namespace
}  // namespace cssrun
