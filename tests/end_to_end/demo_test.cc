// Tests the demo that ships with the project, through the programs that a user runs.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace cssrun {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string kDemo = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo";
const std::string kTools = CSSRUN_TOOLS_DIR;

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class DemoTest : public testing::Test {
 protected:
  // Runs a shell command. Standard output and error go to files in the folder.
  int Shell(const std::string& command) {
    const std::string full =
        command + " >" + (folder_ / "out").string() + " 2>" + (folder_ / "err").string();
    const int status = std::system(full.c_str());  // NOLINT(concurrency-mt-unsafe)
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string Out() const { return Contents(folder_ / "out"); }
  std::string Err() const { return Contents(folder_ / "err"); }

  int Convert(const std::string& output, const std::string& more = "") {
    return Shell(kTools + "/cssconvert " + kDemo + "/digits.onnx -o " + output + " --calibration " +
                 kDemo + "/calibration --labels " + kDemo + "/labels.txt --mean 0.5 --std 0.25 " +
                 more);
  }

  // Where it does not matter which code the network has: names one, so that none is looked for.
  int ConvertQuickly(const std::string& output) {
    return Convert(output, "-T 8 --beta 2 --silent 7");
  }

  const TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path();
};

TEST_F(DemoTest, ConvertsAndClassifiesAsWellAsTheAnn) {
  const std::string net = (folder_ / "digits.fb").string();
  const std::string report = (folder_ / "report.json").string();
  ASSERT_EQ(Convert(net, "--validate " + kDemo + "/test --report " + report), 0) << Err();
  EXPECT_EQ(Out(), "");  // results go to standard output, but a conversion has none
  const Json converted = Json::parse(Contents(report));
  EXPECT_GE(converted["validation"]["ann_top1"].get<double>(), 0.97);
  EXPECT_GE(converted["validation"]["agreement"].get<double>(), 0.99);
  EXPECT_EQ(converted["calibration"]["images"], 100);

  const std::string summary = (folder_ / "summary.json").string();
  ASSERT_EQ(Shell(kTools + "/cssrun " + net + " " + kDemo + "/test --summary " + summary), 0)
      << Err();
  const std::string answers = Out();
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '\n'), 200);
  const Json ran = Json::parse(Contents(summary));
  // The programs agree with the converter's own measurement to the last spike.
  EXPECT_EQ(ran["top1"], converted["validation"]["snn_top1"]);
  EXPECT_NEAR(ran["synops_per_image"].get<double>(),
              converted["validation"]["synops_per_image"].get<double>(), 1e-6);
  for (const char* key :
       {"images", "failed", "top1", "top5", "seconds", "images_per_second", "latency_ms",
        "timesteps", "latency_steps", "spikes_per_image", "synops_per_image", "macs_per_image",
        "energy_mj", "peak_rss_bytes", "threads", "simd_target", "layers"}) {
    EXPECT_TRUE(ran.contains(key)) << key;
  }
  EXPECT_EQ(ran["images"], 200);
  EXPECT_EQ(ran["failed"], 0);
  for (const char* key : {"name", "kind", "neurons", "spikes", "synops", "rate", "seconds"}) {
    EXPECT_TRUE(ran["layers"][1].contains(key)) << key;
  }
}

// Checks that every setting works: same file format, same engines, same report.
TEST_F(DemoTest, EverySettingConvertsAndRuns) {
  struct Case {
    std::string options;
    double agreement;  // the least, on the test images
    double error;      // the largest relative logit error
    bool direct;
  };
  const Case cases[] = {
      {"-T 8 --beta 2 --silent 2 --threshold 0.667", 0.99, 0.02, false},
      {"-T 8 --beta 2 --silent 2 --threshold 0.667 --last-threshold 0.6", 0.99, 0.025, false},
      {"-T 6 --beta 2 --silent 2 --amplitudes maximum", 0.99, 0.04, false},
      {"-T 6 --beta 2 --silent 2 --amplitudes least-squares", 0.99, 0.04, false},
      {"-T 6 --beta 2 --silent 2 --per-channel", 0.99, 0.04, false},
      {"-T 6 --beta 2 --silent 1 --percentile 99 --adjust 3", 0.97, 0.12, false},
      {"-T 4 --beta 2 --silent 3", 0.97, 0.1, true},
      {"-T 4 --beta 2 --silent 3 --input css", 0.97, 0.12, false},
      {"-T 12 --no-negative", 0.9, 0.4, false},
      {"--coding rate -T 8", 0.9, 0.4, true},
      {"--coding rate -T 32", 0.98, 0.08, true},
      {"--coding rate -T 32 --no-negative", 0.98, 0.15, true},
      {"--coding rate -T 32 --input css", 0.97, 0.2, false},
      {"--coding rate -T 100", 0.98, 0.04, true},
  };
  // Every fifth picture of each digit, since there are many settings.
  const fs::path test = folder_ / "test";
  for (const auto& digit : fs::directory_iterator(kDemo + "/test")) {
    const fs::path folder = test / digit.path().filename();
    fs::create_directories(folder);
    for (const auto& file : fs::directory_iterator(digit)) {
      if (std::stoi(file.path().stem()) / 10 % 5 == 0) fs::copy(file, folder);
    }
  }
  const std::string net = (folder_ / "net.fb").string();
  const std::string report = (folder_ / "report.json").string();
  const std::string summary = (folder_ / "summary.json").string();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.options);
    ASSERT_EQ(Convert(net, c.options + " --validate " + test.string() + " --report " + report), 0)
        << Err();
    const Json converted = Json::parse(Contents(report));
    EXPECT_GE(converted["validation"]["agreement"].get<double>(), c.agreement);
    EXPECT_LE(converted["validation"]["relative_logit_error"].get<double>(), c.error);
    EXPECT_EQ(converted["input"], c.direct ? "direct" : "css");
    const bool rate = c.options.find("rate") != std::string::npos;
    EXPECT_EQ(converted["coding"], rate ? "rate" : "css");
    ASSERT_EQ(Shell(kTools + "/cssrun " + net + " " + test.string() + " --summary " + summary), 0)
        << Err();
    const Json ran = Json::parse(Contents(summary));
    EXPECT_EQ(ran["top1"], converted["validation"]["snn_top1"]);
    EXPECT_EQ(ran["direct_macs_per_image"].get<double>() > 0, c.direct);
  }
}

// Checks that the paper's adjustment repairs amplitudes that cut off a hundredth of the
// activations.
TEST_F(DemoTest, AdjustedAmplitudesLoseLess) {
  const std::string net = (folder_ / "net.fb").string();
  const std::string report = (folder_ / "report.json").string();
  double last = 1;
  for (const char* rounds : {"0", "1", "3"}) {
    ASSERT_EQ(Convert(net, "-T 6 --beta 2 --silent 1 --percentile 99 --report " + report +
                               " --adjust " + rounds),
              0)
        << Err();
    const double error =
        Json::parse(Contents(report))["calibration"]["relative_logit_error"].get<double>();
    EXPECT_LT(error, last) << rounds << " rounds";
    last = error;
  }
}

// A higher last threshold leaves out last spikes that gain little, a twentieth of all spikes;
// rounding to nearest loses least.
TEST_F(DemoTest, AHigherLastThresholdSavesSpikes) {
  const std::string net = (folder_ / "net.fb").string();
  const std::string report = (folder_ / "report.json").string();
  double spikes = 0;
  double error = 0;
  for (const char* last : {"0.5", "0.62", "0.8"}) {
    ASSERT_EQ(
        Convert(net, std::string("-T 6 --beta 2 --last-threshold ") + last + " --report " + report),
        0)
        << Err();
    const Json converted = Json::parse(Contents(report));
    const double now = converted["calibration"]["spikes_per_image"].get<double>();
    if (spikes > 0) {
      EXPECT_LT(now, 0.97 * spikes) << last;
      EXPECT_GT(converted["calibration"]["relative_logit_error"].get<double>(), error) << last;
    }
    spikes = now;
    error = converted["calibration"]["relative_logit_error"].get<double>();
  }
}

TEST_F(DemoTest, ASearchChoosesWhatNobodyElseMay) {
  const std::string net = (folder_ / "net.fb").string();
  for (const char* option :
       {"-T 5", "--beta 2", "--silent 1", "--threshold 0.5", "--last-threshold 0.6", "--input css",
        "--coding rate", "--amplitudes maximum", "--per-channel", "--adjust 1", "--no-negative"}) {
    EXPECT_EQ(Convert(net, std::string("--auto 2 ") + option), 2) << option;
    EXPECT_NE(Err().find("--auto"), std::string::npos) << Err();
  }
  EXPECT_EQ(Convert(net, "--auto 101"), 2);
  EXPECT_EQ(Convert(net, "--agree 0.99"), 2);
  for (const char* search : {"--goal speed", "--goal latency-steps", "--agree 99"}) {
    EXPECT_EQ(Convert(net, std::string(search) + " --beta 2"), 2) << search;
    EXPECT_NE(Err().find("--beta: --"), std::string::npos) << Err();
  }
  EXPECT_EQ(Convert(net, "--auto 2 --goal energy"), 2);
  EXPECT_EQ(Convert(net, "--auto 2 --agree 99"), 2);
  EXPECT_FALSE(fs::exists(net));
}

TEST_F(DemoTest, TheDefaultShowsWhatItTried) {
  const std::string net = (folder_ / "net.fb").string();
  const std::string report = (folder_ / "report.json").string();
  ASSERT_EQ(Convert(net, "--amplitudes maximum --report " + report), 0) << Err();
  EXPECT_NE(Err().find("expected ms"), std::string::npos) << Err();
  const Json converted = Json::parse(Contents(report));
  EXPECT_EQ(converted["goal"], "speed");
  EXPECT_EQ(converted["wanted_agreement"], 0.985);
  const Json& chosen = converted["tried"].back();
  EXPECT_EQ(chosen["chosen"], true);
  EXPECT_EQ(chosen["timesteps"], converted["timesteps"]);
  EXPECT_GE(chosen["expected_agreement"].get<double>(), 0.985);
  EXPECT_GT(chosen["expected_ms"].get<double>(), 0);
  EXPECT_EQ(chosen["latency_steps"], converted["latency_steps"]);
}

TEST_F(DemoTest, ThePapersCodeGivesWayToOtherOptions) {
  const std::string net = (folder_ / "net.fb").string();
  const std::string report = (folder_ / "report.json").string();
  ASSERT_EQ(Convert(net, "--paper --report " + report), 0) << Err();
  Json converted = Json::parse(Contents(report));
  EXPECT_EQ(converted["timesteps"], 12);
  EXPECT_EQ(converted["beta"], 1.5);
  EXPECT_EQ(converted["silent_steps"], 1);
  EXPECT_EQ(converted["threshold"], 0.5);
  EXPECT_EQ(converted["input"], "css");
  EXPECT_TRUE(converted["goal"].is_null());
  ASSERT_EQ(Convert(net, "--paper -T 8 --report " + report), 0) << Err();
  converted = Json::parse(Contents(report));
  EXPECT_EQ(converted["timesteps"], 8);
  EXPECT_EQ(converted["silent_steps"], 1);
  EXPECT_EQ(Convert(net, "--paper --coding rate"), 2);
}

TEST_F(DemoTest, ARateCodeHasNoBetaAndNoSilence) {
  const std::string net = (folder_ / "net.fb").string();
  for (const char* option : {"--beta 2", "--silent 1", "--threshold 0.5", "--last-threshold 1"}) {
    EXPECT_EQ(Convert(net, std::string("--coding rate ") + option), 2);
    EXPECT_NE(Err().find(std::string(option).substr(0, 6)), std::string::npos) << Err();
  }
  EXPECT_FALSE(fs::exists(net));
}

TEST_F(DemoTest, TheSameInputGivesTheSameBytes) {
  const std::string first = (folder_ / "first.fb").string();
  const std::string second = (folder_ / "second.fb").string();
  ASSERT_EQ(Convert(first, "--threads 1"), 0) << Err();
  ASSERT_EQ(Convert(second, "--threads 2"), 0) << Err();
  EXPECT_EQ(Contents(first), Contents(second));
  EXPECT_GT(Contents(first).size(), 100000U);
}

TEST_F(DemoTest, AnswersDoNotDependOnThreadsOrOrder) {
  const std::string net = (folder_ / "digits.fb").string();
  ASSERT_EQ(ConvertQuickly(net), 0) << Err();
  ASSERT_EQ(Shell(kTools + "/cssrun " + net + " " + kDemo + "/test --format csv --threads 1"), 0);
  const std::string one = Out();
  ASSERT_EQ(Shell(kTools + "/cssrun " + net + " " + kDemo + "/test --format csv --threads 2"), 0);
  EXPECT_EQ(one, Out());
  EXPECT_NE(one.find("path,truth,"), std::string::npos);
}

TEST_F(DemoTest, TheClipIsAnsweredFrameByFrameAndStillFramesAreFree) {
  const std::string net = (folder_ / "digits.fb").string();
  ASSERT_EQ(ConvertQuickly(net), 0) << Err();
  const std::string clip = kDemo + "/clip";
  const auto run = [&](const std::string& arguments) {
    EXPECT_EQ(Shell(kTools + "/cssrun " + net + " " + arguments + " --format jsonl -k 10"), 0)
        << Err();
    std::vector<Json> lines;
    std::istringstream out(Out());
    for (std::string line; std::getline(out, line);) lines.push_back(Json::parse(line));
    return lines;
  };
  const std::vector<Json> images = run(clip);
  const std::vector<Json> frames = run("--stream " + clip);
  ASSERT_EQ(images.size(), 60U);
  ASSERT_EQ(frames.size(), 60U);
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(frames[i]["top"], images[i]["top"]) << i;
    // The digit of each third stands still in its middle; between two, there is none.
    const bool stands = i % 20 >= 6 && i % 20 <= 14;
    const bool still = stands || i == 20 || i == 40;
    if (stands) {
      EXPECT_EQ(frames[i]["top"][0]["label"], i < 20 ? "three" : i < 40 ? "zero" : "seven");
    }
    EXPECT_EQ(frames[i]["changed"] == 0.0, still) << i;
    EXPECT_EQ(frames[i]["updates"] == 0, still) << i;
  }
  // A dead zone so wide that no neuron changes keeps the first answer.
  for (const Json& frame : run("--stream " + clip + " --dead-zone 255")) {
    EXPECT_EQ(frame["top"], frames[0]["top"]);
  }
  EXPECT_EQ(run("--stream " + clip + " --hold 255 --changes-only").size(), 1U);
}

TEST_F(DemoTest, OneUnreadableImageIsReportedAndTheRestAreDone) {
  const std::string net = (folder_ / "digits.fb").string();
  ASSERT_EQ(ConvertQuickly(net), 0) << Err();
  const fs::path broken = folder_ / "broken.png";
  std::ofstream(broken) << "no image";
  const std::string good = kDemo + "/test/zero/0000.png";
  EXPECT_EQ(Shell(kTools + "/cssrun " + net + " " + broken.string() + " " + good), 1);
  EXPECT_NE(Err().find("broken.png"), std::string::npos) << Err();
  EXPECT_NE(Out().find("0000.png"), std::string::npos) << Out();
}

TEST_F(DemoTest, ExitCodesOfTheContract) {
  const std::string net = (folder_ / "net.fb").string();
  // Exit code 2: usage.
  EXPECT_EQ(Shell(kTools + "/cssrun"), 2);
  EXPECT_EQ(Shell(kTools + "/cssconvert --no-such-option"), 2);
  EXPECT_EQ(Shell(kTools + "/cssinspect"), 2);
  EXPECT_EQ(Convert(net, "--timesteps 0"), 2);
  EXPECT_EQ(Shell(kTools + "/cssconvert " + kDemo + "/digits.onnx -o " + net +
                  " --mean 1,2 --calibration " + kDemo + "/calibration"),
            2);
  // Exit code 3: a bad model leaves no output.
  const std::string bad = (folder_ / "bad.onnx").string();
  std::ofstream(bad) << "no model";
  EXPECT_EQ(Shell(kTools + "/cssconvert " + bad + " -o " + net + " --calibration " + kDemo +
                  "/calibration"),
            3);
  EXPECT_NE(Err().find("bad.onnx"), std::string::npos) << Err();
  EXPECT_FALSE(fs::exists(net));
  EXPECT_EQ(Shell(kTools + "/cssrun " + bad + " " + kDemo + "/test"), 3);
  EXPECT_EQ(Shell(kTools + "/cssinspect " + bad), 3);
  // Exit code 4: I/O.
  EXPECT_EQ(Shell(kTools + "/cssinspect " + net), 4);
  EXPECT_EQ(Convert((folder_ / "no" / "net.fb").string()), 4);
  ASSERT_EQ(ConvertQuickly(net), 0) << Err();
  EXPECT_EQ(Shell(kTools + "/cssrun " + net + " " + (folder_ / "nothing").string()), 4);
  // Exit code 0.
  EXPECT_EQ(Shell(kTools + "/cssinspect " + net + " --json"), 0);
  const Json inspected = Json::parse(Out());
  EXPECT_EQ(inspected["labels"].size(), 10U);
  EXPECT_EQ(inspected["nodes"].size(), 10U);
  EXPECT_EQ(Shell(kTools + "/cssrun --version"), 0);
  EXPECT_NE(Out().find("network format 6"), std::string::npos) << Out();
}

}  // namespace
}  // namespace cssrun
