// Tests failures of the system, and inputs that are not what their names say. Expects the
// documented exit codes, one clear message, and no half-written file.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/subprocess.h"

namespace cssrun {
namespace {

namespace fs = std::filesystem;
using tools::Finished;

const std::string kDemo = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo";
const std::string kTools = CSSRUN_TOOLS_DIR;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class FaultsTest : public testing::Test {
 protected:
  // Five calibration images suffice here.
  void SetUp() override {
    for (const char* digit : {"zero/0000", "one/0001", "two/0002", "three/0003", "four/0004"}) {
      const std::string name = std::string("calibration/") + digit + ".jpg";
      folder_.Write(name, Contents(kDemo + "/" + name));
    }
  }

  Finished Convert(const std::string& output, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {kTools + "/cssconvert",
                                      kDemo + "/digits.onnx",
                                      "-o",
                                      output,
                                      "--calibration",
                                      folder_ / "calibration",
                                      "--mean",
                                      "0.5",
                                      "--std",
                                      "0.25"};
    if (!fault_.empty()) {
      words.insert(words.begin(), {"/usr/bin/env", "LD_PRELOAD=" CSSRUN_IO_FAULTS,
                                   "CSSRUN_FAULT=" + fault_, "CSSRUN_FAULT_NAME=" + fault_name_});
    }
    words.insert(words.end(), more.begin(), more.end());
    return tools::RunProgram(words);
  }
  Finished Run(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words = {kTools + "/cssrun"};
    if (!fault_.empty()) {
      words.insert(words.begin(), {"/usr/bin/env", "LD_PRELOAD=" CSSRUN_IO_FAULTS,
                                   "CSSRUN_FAULT=" + fault_, "CSSRUN_FAULT_NAME=" + fault_name_});
    }
    words.insert(words.end(), arguments.begin(), arguments.end());
    return tools::RunProgram(words);
  }

  // Returns the names directly in the test's folder.
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  TemporaryFolder folder_;
  std::string fault_;
  std::string fault_name_ = "?";
};

TEST_F(FaultsTest, AConversionThatCannotBeWrittenLeavesTheOldFile) {
  if (std::string(CSSRUN_IO_FAULTS).empty()) GTEST_SKIP() << "not with sanitizers";
  const std::string net = folder_.Write("net.fb", "the old file");
  const struct {
    std::string fault;
    int error;
  } cases[] = {{"write", ENOSPC}, {"write", EIO},    {"write", EDQUOT},   {"fsync", EIO},
               {"rename", EIO},   {"rename", EXDEV}, {"mkostemp", EROFS}, {"mkostemp", EACCES}};
  for (const auto& c : cases) {
    fault_ = c.fault + ":" + std::to_string(c.error);
    SCOPED_TRACE(fault_);
    const Finished finished = Convert(net);
    EXPECT_EQ(finished.exit_code, 4);
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err.find("net.fb: cannot "), std::string::npos) << finished.err;
    EXPECT_NE(finished.err.find(std::strerror(c.error)), std::string::npos) << finished.err;
    EXPECT_EQ(Contents(net), "the old file");
    EXPECT_EQ(Names(), (std::set<std::string>{"calibration", "net.fb"}));
  }
}

TEST_F(FaultsTest, ShortTransfersChangeNothing) {
  if (std::string(CSSRUN_IO_FAULTS).empty()) GTEST_SKIP() << "not with sanitizers";
  const std::string net = folder_ / "net.fb";
  ASSERT_EQ(Convert(net).exit_code, 0);
  const std::string expected = Contents(net);
  const std::string answers = Run({net, folder_ / "calibration", "--format", "csv"}).out;
  for (const char* fault : {"write:short", "pread:short"}) {
    fault_ = fault;
    EXPECT_EQ(Convert(folder_ / "short.fb").exit_code, 0) << fault;
    EXPECT_EQ(Contents(folder_ / "short.fb"), expected) << fault;
    const Finished ran = Run({net, folder_ / "calibration", "--format", "csv"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, answers) << fault;
  }
}

TEST_F(FaultsTest, WhatCannotBeReadIsSaid) {
  if (std::string(CSSRUN_IO_FAULTS).empty()) GTEST_SKIP() << "not with sanitizers";
  const std::string net = folder_ / "net.fb";
  ASSERT_EQ(Convert(net).exit_code, 0);
  const std::string eio = std::to_string(EIO);
  // The model, or one of the images, cannot be read.
  fault_ = "pread:" + eio;
  Finished finished = Convert(folder_ / "other.fb");
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_NE(finished.err.find("digits.onnx: cannot read: Input/output error"), std::string::npos)
      << finished.err;
  fault_ = "pread:" + eio + ":3";
  finished = Convert(folder_ / "other.fb");
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_NE(finished.err.find(".jpg: cannot read: Input/output error"), std::string::npos)
      << finished.err;
  EXPECT_FALSE(fs::exists(folder_ / "other.fb"));
  // In cssrun, the network cannot be read, and then one image after two others.
  fault_ = "pread:" + eio;
  EXPECT_EQ(Run({net, folder_ / "calibration"}).exit_code, 4);
  fault_ = "pread:" + eio + ":2";
  fault_name_ = ".jpg";
  finished = Run({net, folder_ / "calibration", "--threads", "1"});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_NE(finished.err.find("2 images, 3 failed"), std::string::npos) << finished.err;
  // The file's permissions forbid reading.
  fault_ = "open:" + std::to_string(EACCES);
  fault_name_ = "net.fb";
  finished = Run({net, folder_ / "calibration"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_NE(finished.err.find("Permission denied"), std::string::npos) << finished.err;
  fault_name_ = "0003.jpg";
  finished = Run({net, folder_ / "calibration"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_NE(finished.err.find("0003.jpg: cannot open: Permission denied"), std::string::npos);
}

TEST_F(FaultsTest, AFolderThatTakesNoFiles) {
  const Finished finished = Convert("/proc/net.fb");
  EXPECT_EQ(finished.exit_code, 4) << finished.err;
  EXPECT_EQ(finished.out, "");
}

TEST_F(FaultsTest, MessagesOfAConversionMayBeLost) {
  const std::string net = folder_ / "net.fb";
  for (const tools::Stream stream :
       {tools::Stream::kBrokenPipe, tools::Stream::kFull, tools::Stream::kClosed}) {
    fs::remove(net);
    const Finished finished =
        tools::RunProgram({kTools + "/cssconvert", kDemo + "/digits.onnx", "-o", net,
                           "--calibration", folder_ / "calibration"},
                          {.error = stream});
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_TRUE(fs::exists(net));
  }
}

// Pipes that nobody writes to, endless devices and circular links are reported, and no program
// waits for them.
TEST_F(FaultsTest, WhatIsNoFileIsReportedNotFollowed) {
  const std::string net = folder_ / "net.fb";
  ASSERT_EQ(Convert(net).exit_code, 0);
  const std::string pipe = folder_ / "calibration/pipe.png";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", folder_ / "calibration/zero.png");
  fs::create_symlink("loop.png", folder_ / "calibration/loop.png");
  fs::create_directory_symlink("..", folder_ / "calibration/parent.png");
  fs::create_directory_symlink("/", folder_ / "calibration/root");
  const Finished ran = Run({net, folder_ / "calibration"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.err.find("5 images, 3 failed"), std::string::npos) << ran.err;
  for (const char* message : {"pipe.png: not a regular file", "zero.png: not a regular file",
                              "loop.png: cannot open: Too many levels of symbolic links"}) {
    EXPECT_NE(ran.err.find(message), std::string::npos) << ran.err;
  }
  // A conversion leaves them out, and says so.
  Finished converted = Convert(folder_ / "other.fb");
  EXPECT_EQ(converted.exit_code, 0) << converted.err;
  EXPECT_NE(converted.err.find("3 of 8 images cannot be read and are left out"), std::string::npos)
      << converted.err;
  for (const char* message : {"pipe.png: not a regular file", "zero.png: not a regular file",
                              "loop.png: cannot open: Too many levels of symbolic links"}) {
    EXPECT_NE(converted.err.find(message), std::string::npos) << converted.err;
  }
  for (const char* name : {"pipe.png", "zero.png", "loop.png"}) {
    fs::remove(folder_ / (std::string("calibration/") + name));
  }
  EXPECT_EQ(Convert(folder_ / "other.fb").exit_code, 0);

  // Pipes are named one by one as network, model, labels and lists.
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, std::string("/dev/zero"), folder_ / "calibration"}) {
    SCOPED_TRACE(path);
    EXPECT_EQ(Run({path, net}).exit_code, 4);
    EXPECT_EQ(tools::RunProgram({kTools + "/cssinspect", path}).exit_code, 4);
    EXPECT_EQ(tools::RunProgram({kTools + "/cssconvert", path, "-o", folder_ / "x.fb",
                                 "--calibration", folder_ / "calibration"})
                  .exit_code,
              4);
  }
  fs::remove(pipe);
  for (const std::string& path : {std::string("/dev/zero"), folder_ / "calibration"}) {
    SCOPED_TRACE(path);
    EXPECT_EQ(Run({net, "--files0-from", path}).exit_code, 4);
    EXPECT_EQ(Convert(folder_ / "x.fb", {"--labels", path}).exit_code, 4);
  }
  EXPECT_FALSE(fs::exists(folder_ / "x.fb"));
}

TEST_F(FaultsTest, LimitsAreRaisedByName) {
  const std::string net = folder_ / "net.fb";
  ASSERT_EQ(Convert(net).exit_code, 0);
  const std::string image = folder_ / "calibration/one/0001.jpg";
  for (const std::string limit :
       {"neurons", "synapses", "layers", "timesteps", "side", "pixels", "bytes", "jpeg-scans"}) {
    SCOPED_TRACE(limit);
    const bool of_network =
        limit == "neurons" || limit == "synapses" || limit == "layers" || limit == "timesteps";
    const Finished low = Run({net, image, "--limit", limit + "=1"});
    // A JPEG has at least one scan.
    EXPECT_EQ(low.exit_code, limit == "jpeg-scans" ? 0 : of_network ? 3 : 1) << low.err;
    const Finished high = Run({net, image, "--limit=" + limit + "=1000000000"});
    EXPECT_EQ(high.exit_code, 0) << high.err;
    if (of_network) {
      EXPECT_EQ(tools::RunProgram({kTools + "/cssinspect", net, "--limit", limit + "=1"}).exit_code,
                3);
    }
  }
  EXPECT_EQ(Convert(folder_ / "x.fb", {"--limit", "neurons=100"}).exit_code, 3);
  EXPECT_EQ(Convert(folder_ / "x.fb", {"--limit", "synapses=100"}).exit_code, 3);
  EXPECT_EQ(Convert(folder_ / "x.fb", {"--limit", "pixels=100"}).exit_code, 4);
  EXPECT_NE(Run({net, image, "--limit", "fish=0"}).err.find("there are neurons"),
            std::string::npos);
  for (const char* wrong : {"pixels", "pixels=", "pixels=0", "pixels=-1", "pixels=1e9", "=5",
                            "pixels=99999999999999999999", "fish=3"}) {
    EXPECT_EQ(Run({net, image, "--limit", wrong}).exit_code, 2) << wrong;
  }
}

TEST_F(FaultsTest, NumbersThatAreNone) {
  for (const char* option : {"--beta", "--threshold", "--percentile", "--mean", "--std"}) {
    for (const char* value : {"nan", "inf", "-inf", "1e999"}) {
      const Finished finished = Convert(folder_ / "x.fb", {std::string(option), value});
      EXPECT_EQ(finished.exit_code, 2) << option << " " << value << ": " << finished.err;
    }
  }
  EXPECT_FALSE(fs::exists(folder_ / "x.fb"));
}

}  // namespace
}  // namespace cssrun
