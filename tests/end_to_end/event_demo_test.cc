// Tests the recordings and the spiking network that ship with the project, through the programs
// that a user runs.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/subprocess.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::json;

const std::string kEvents = CSSRUN_SOURCE_DIR "/tools/demo/events";
const std::string kTools = CSSRUN_TOOLS_DIR;

// What PyTorch, with which the network was trained, answers to each recording, is what cssrun does:
// the same number of spikes of every class.
TEST(EventDemoTest, SpikesAreThoseOfPyTorch) {
  const TemporaryFolder folder;
  const Finished converted =
      RunProgram({kTools + "/cssconvert", kEvents + "/digits.nir", "-o", folder / "net.fb", "--dt",
                  "3ms", "--reset", "subtract", "--spikes", "one", "--floor", "none", "--labels",
                  CSSRUN_SOURCE_DIR "/tools/demo/labels.txt"});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  const Finished run =
      RunProgram({kTools + "/cssrun", folder / "net.fb", kEvents + "/test", "--format", "jsonl",
                  "-k", "10", "--summary", folder / "s.json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;

  std::ifstream card_file(kEvents + "/card.json");
  const Json card = Json::parse(card_file);
  std::istringstream lines(run.out);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json answer = Json::parse(line);
    // "00.bin" to "19.bin"
    const std::string path = answer["path"];
    const Json& expected = card["test_spikes"][std::stoul(path.substr(path.size() - 6, 2))];
    for (const Json& guess : answer["top"]) {
      EXPECT_EQ(guess["logit"], expected[guess["index"].get<size_t>()]) << path;
    }
  }
  EXPECT_EQ(count, card["test"].get<size_t>());
  std::ifstream summary_file(folder / "s.json");
  const Json summary = Json::parse(summary_file);
  EXPECT_DOUBLE_EQ(summary["top1"], card["test_top1"]);
  EXPECT_GT(summary["macs_per_step"], 0);
}

// The numbers that the program has for them would be taken for what they say: one spike, and a
// reset to zero.
TEST(EventDemoTest, ChoicesHaveNamesAndNoNumbers) {
  const TemporaryFolder folder;
  const std::pair<const char*, const char*> wrong[] = {
      {"--spikes", "1"}, {"--reset", "0"}, {"--reset", "none"}};
  for (const auto& [option, value] : wrong) {
    const Finished finished = RunProgram(
        {kTools + "/cssconvert", kEvents + "/digits.nir", "-o", folder / "net.fb", option, value});
    EXPECT_EQ(finished.exit_code, 2) << option;
    EXPECT_NE(finished.err.find(std::string(value) + " is none of "), std::string::npos)
        << finished.err;
  }
  const Finished capital = RunProgram({kTools + "/cssconvert", kEvents + "/digits.nir", "-o",
                                       folder / "net.fb", "--reset", "Zero"});
  EXPECT_EQ(capital.exit_code, 0) << capital.err;
}

TEST(EventDemoTest, AnOutputThatCannotBeWrittenIsKnownBeforehand) {
  const TemporaryFolder folder;
  // A NIR file by its first bytes, and damaged: it has not been read when the output is refused.
  std::ofstream(folder / "damaged.nir", std::ios::binary) << "\x89HDF\r\n\x1a\n";
  const Finished finished =
      RunProgram({kTools + "/cssconvert", folder / "damaged.nir", "-o", folder / "no/net.fb"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_NE(finished.err.find("net.fb: cannot create a file beside it"), std::string::npos)
      << finished.err;
}

}  // namespace
}  // namespace cssrun::tools
