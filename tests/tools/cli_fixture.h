// Runs the built programs in a folder of their own, which contains the network net.fb.
#ifndef CSSRUN_TESTS_TOOLS_CLI_FIXTURE_H_
#define CSSRUN_TESTS_TOOLS_CLI_FIXTURE_H_

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/encode_images.h"
#include "tests/tools/subprocess.h"
#include "tests/tools/test_network.h"

namespace cssrun::tools {

inline const std::vector<std::string> kLabels = {"ant", "bee", "cat", "dog", "eel", "fox"};

// Makes an image of the network's size that is different for each number.
inline Image NumberedImage(uint32_t number) {
  Image image = PatternImage(4, 4);
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<uint8_t>(image.rgb[i] * (number + 3) + number * 29);
  }
  return image;
}

inline std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

inline std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class CliTest : public testing::Test {
 protected:
  void SetUp() override { WriteNetwork("net.fb", SmallNetwork(kLabels)); }

  void WriteNetwork(const std::string& name, const format::NetworkT& network) {
    folder_.Write(name, Serialized(network));
  }
  void WriteImage(const std::string& name, uint32_t number) {
    folder_.Write(name, EncodePng(NumberedImage(number)));
  }
  // Writes set/ant/0.png, set/bee/1.png, ... and one image in a folder that is not a label.
  void WriteSet() {
    for (uint32_t i = 0; i < 5; ++i) {
      WriteImage("set/" + kLabels[i] + "/" + std::to_string(i) + ".png", i);
    }
    WriteImage("set/other/9.png", 9);
  }

  // Runs the program in the folder, so that paths are short and the same in every run.
  Finished RunTool(const std::string& program, std::vector<std::string> arguments,
                   RunOptions options = {}) {
    arguments.insert(arguments.begin(), std::string(CSSRUN_TOOLS_DIR "/") + program);
    options.folder = folder_.path().string();
    return RunProgram(arguments, options);
  }
  Finished RunCssrun(std::vector<std::string> arguments, RunOptions options = {}) {
    return RunTool("cssrun", std::move(arguments), std::move(options));
  }

  // Expects one line on standard error that begins with the program's name, and no other output.
  void ExpectRefusal(const Finished& finished, int exit_code, const std::string& message) {
    EXPECT_EQ(finished.exit_code, exit_code);
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(Lines(finished.err).size(), 1U) << finished.err;
    EXPECT_EQ(finished.err.find("css"), 0U) << finished.err;
    EXPECT_TRUE(Contains(finished.err, message)) << finished.err;
  }

  TemporaryFolder folder_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TESTS_TOOLS_CLI_FIXTURE_H_
