// Tests the built programs as a shell sees them: output, messages and exit codes.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cssrun/session.h"
#include "tests/tools/cli_fixture.h"
#include "tools/output.h"

namespace cssrun::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

TEST_F(CliTest, HelpAndVersion) {
  for (const std::string program : {"cssrun", "cssinspect"}) {
    const Finished help = RunTool(program, {"--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_TRUE(Contains(help.out, "Usage: " + program)) << help.out;
    EXPECT_TRUE(Contains(help.out, "Examples:")) << help.out;
    const Finished version = RunTool(program, {"--version"});
    EXPECT_EQ(version.exit_code, 0);
    EXPECT_EQ(version.err, "");
    EXPECT_EQ(Lines(version.out).size(), 1U);
    EXPECT_EQ(version.out.find(program + " 0."), 0U) << version.out;
    EXPECT_TRUE(Contains(version.out, "format 6")) << version.out;
    EXPECT_EQ(RunTool(program, {"--help"}, {.output = Stream::kFull}).exit_code, 4);
  }
}

TEST_F(CliTest, UsageErrorsAreOneClearMessage) {
  WriteImage("a.png", 1);
  ExpectRefusal(RunCssrun({}), 2, "NET is required");
  ExpectRefusal(RunCssrun({"net.fb"}), 2, "no images are named");
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--bogus"}), 2, "--bogus");
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--format", "xml"}), 2, "xml");
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--format", "1"}), 2, "--format");
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--format"}), 2, "--format");
  for (const std::string count : {"0", "-1", "x", "1.5", "1001", "", "99999999999999999999"}) {
    ExpectRefusal(RunCssrun({"net.fb", "a.png", "--topk=" + count}), 2, "--topk");
  }
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--threads", "-1"}), 2, "--threads");
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--threads", "1000000"}), 2, "--threads");
  for (const std::string margin : {"-1", "x", "1e", "nan", "inf", "", "Auto"}) {
    ExpectRefusal(RunCssrun({"net.fb", "a.png", "--early-exit=" + margin}), 2, "--early-exit");
  }
  ExpectRefusal(RunCssrun({"net.fb", "a.png", "--steps", "--early-exit", "1"}), 2, "--steps");
  ExpectRefusal(RunTool("cssinspect", {}), 2, "NET is required");
  ExpectRefusal(RunTool("cssinspect", {"net.fb", "net.fb"}), 2, "net.fb");
  ExpectRefusal(RunTool("cssinspect", {"net.fb", "--xml"}), 2, "--xml");
}

TEST_F(CliTest, NetworksThatCannotBeLoaded) {
  WriteImage("a.png", 1);
  folder_.Write("junk.fb", "this is no network, but text");
  folder_.Write("empty.fb", "");
  std::vector<uint8_t> cut = Serialized(SmallNetwork(kLabels));
  cut.resize(cut.size() / 2);
  folder_.Write("cut.fb", cut);
  format::NetworkT newer = SmallNetwork(kLabels);
  newer.format_version = 99;
  WriteNetwork("newer.fb", newer);
  ASSERT_EQ(mkfifo((folder_ / "pipe.fb").c_str(), 0600), 0);
  for (const std::string program : {"cssrun", "cssinspect"}) {
    const auto refusal = [&](const std::string& name, int exit_code) {
      std::vector<std::string> arguments = {name};
      if (program == "cssrun") arguments.emplace_back("a.png");
      ExpectRefusal(RunTool(program, arguments), exit_code, name + ": ");
    };
    refusal("missing.fb", 4);
    refusal(".", 4);
    refusal("pipe.fb", 4);
    refusal("empty.fb", 3);
    refusal("junk.fb", 3);
    refusal("cut.fb", 3);
    refusal("newer.fb", 3);
    refusal("a.png", 3);
  }
}

TEST_F(CliTest, InputsThatCannotBeFound) {
  fs::create_directory(folder_ / "nothing");
  folder_.Write("list", "");
  ExpectRefusal(RunCssrun({"net.fb", "missing"}), 4, "missing: ");
  ExpectRefusal(RunCssrun({"net.fb", "nothing"}), 2, "no images");
  ExpectRefusal(RunCssrun({"net.fb", "-"}), 2, "no images");
  ExpectRefusal(RunCssrun({"net.fb", "--files0-from", "list"}), 2, "no images");
  ExpectRefusal(RunCssrun({"net.fb", "--files0-from", "missing"}), 4, "missing: ");
  ExpectRefusal(RunCssrun({"net.fb", "--files0-from", "nothing"}), 4, "nothing: ");
}

// Returns the line that cssrun has to print for one image, computed with the library.
std::string ExpectedLine(const format::NetworkT& network, const std::string& path, uint32_t number,
                         int truth, OutputFormat format, size_t topk) {
  const auto loaded = Loaded(network);
  Session session(loaded);
  Answer answer;
  EXPECT_TRUE(session.Run(NumberedImage(number).rgb, answer).ok());
  ImageResult result;
  result.path = path;
  result.guesses = BestGuesses(answer.logits, kLabels, 2);
  result.margin = result.guesses[0].logit - result.guesses[1].logit;
  result.has_truth = truth >= 0;
  if (truth >= 0) result.truth = kLabels[static_cast<size_t>(truth)];
  result.right = truth == static_cast<int>(result.guesses[0].index);
  result.guesses.resize(topk);
  result.steps = answer.steps;
  return FormatResult(format, result, topk);
}

TEST_F(CliTest, PrintsEveryImageInOrderInEveryFormat) {
  WriteSet();
  const std::vector<std::pair<std::string, OutputFormat>> formats = {
      {"text", OutputFormat::kText},
      {"csv", OutputFormat::kCsv},
      {"jsonl", OutputFormat::kJsonLines}};
  for (const auto& [name, format] : formats) {
    for (const size_t topk : {1, 2}) {
      std::string expected = FormatHeader(format, topk);
      for (uint32_t i = 0; i < 5; ++i) {
        expected += ExpectedLine(SmallNetwork(kLabels),
                                 "set/" + kLabels[i] + "/" + std::to_string(i) + ".png", i,
                                 static_cast<int>(i), format, topk);
      }
      expected += ExpectedLine(SmallNetwork(kLabels), "set/other/9.png", 9, -1, format, topk);
      const Finished finished =
          RunCssrun({"net.fb", "set", "--format", name, "--topk", std::to_string(topk)});
      EXPECT_EQ(finished.exit_code, 0) << finished.err;
      EXPECT_EQ(finished.out, expected);
      EXPECT_TRUE(Contains(finished.err, "6 images in")) << finished.err;
      EXPECT_TRUE(Contains(finished.err, "of 5 images with a known class")) << finished.err;
      EXPECT_FALSE(Contains(finished.err, "\x1b")) << "a progress bar without a terminal";
    }
  }
}

TEST_F(CliTest, TheSameBytesWithAnyNumberOfThreads) {
  for (uint32_t i = 0; i < 60; ++i) WriteImage("many/" + std::to_string(i) + ".png", i);
  folder_.Write("many/31b.png", "broken");
  const Finished one = RunCssrun({"net.fb", "many", "--format", "jsonl", "--threads", "1"});
  EXPECT_EQ(one.exit_code, 1);
  EXPECT_EQ(Lines(one.out).size(), 61U);
  for (const std::string threads : {"0", "2", "7"}) {
    const Finished more = RunCssrun({"net.fb", "many", "--format", "jsonl", "--threads", threads});
    EXPECT_EQ(more.out, one.out) << threads;
  }
}

TEST_F(CliTest, OneBadImageIsReportedAndTheRestIsDone) {
  WriteImage("set/ant/0.png", 0);
  folder_.Write("set/bee/1.png", "no image");
  WriteImage("set/cat/2.png", 2);
  for (const std::string format : {"text", "csv", "jsonl"}) {
    const Finished finished = RunCssrun({"net.fb", "set", "--format", format});
    EXPECT_EQ(finished.exit_code, 1);
    EXPECT_TRUE(Contains(finished.out, "set/ant/0.png"));
    EXPECT_TRUE(Contains(finished.out, "set/cat/2.png"));
    EXPECT_TRUE(Contains(finished.err, "cssrun: set/bee/1.png: ")) << finished.err;
    EXPECT_TRUE(Contains(finished.err, "2 images, 1 failed")) << finished.err;
    EXPECT_EQ(Contains(finished.out, "set/bee/1.png"), format != "text");
  }
  const Finished csv = RunCssrun({"net.fb", "set", "--format", "csv"});
  // The truth of the image is known, even though the image could not be read.
  EXPECT_EQ(Lines(csv.out)[2].find("set/bee/1.png,bee,,,,,,\"set/bee/1.png: "), 0U) << csv.out;
  EXPECT_EQ(RunCssrun({"net.fb", "set/bee"}).exit_code, 1);
}

TEST_F(CliTest, ListsOfPaths) {
  WriteImage("a b.png", 1);
  WriteImage("c\nd.png", 2);
  WriteImage("folder/e.png", 3);
  const Finished lines =
      RunCssrun({"net.fb", "-", "--format", "jsonl"}, {.input = "a b.png\nmissing.png\n"});
  EXPECT_EQ(lines.exit_code, 1);
  EXPECT_EQ(Lines(lines.out).size(), 2U);

  const std::string list = "a b.png\0c\nd.png\0folder"s;
  folder_.Write("list", list);
  const Finished from_file = RunCssrun({"net.fb", "--files0-from", "list", "--format", "jsonl"});
  EXPECT_EQ(from_file.exit_code, 0) << from_file.err;
  EXPECT_EQ(Lines(from_file.out).size(), 3U);
  const Finished from_input =
      RunCssrun({"net.fb", "--files0-from", "-", "--format", "jsonl"}, {.input = list});
  EXPECT_EQ(from_input.out, from_file.out);
  // Paths on the command line come first.
  const Finished both =
      RunCssrun({"net.fb", "folder/e.png", "--files0-from", "list", "--format", "jsonl"});
  EXPECT_EQ(Lines(both.out).size(), 4U);
  EXPECT_TRUE(Contains(Lines(both.out)[0], "folder/e.png"));
}

// Tests names to which CLI11 or a shell would give a meaning of its own.
TEST_F(CliTest, UnusualNamesAreNames) {
  for (const std::string name : {"[a,b].png", "[c]/d.png", "{}", "a=b.png", "x,y.png", "%s.png"}) {
    WriteImage(name, 1);
    EXPECT_EQ(RunCssrun({"net.fb", name}).exit_code, 0) << name;
  }
  // CLI11 takes an argument in brackets for a list, unless something stands before it.
  EXPECT_EQ(RunCssrun({"net.fb", "./[c]"}).exit_code, 0);
  WriteImage("--topk", 1);
  EXPECT_EQ(RunCssrun({"net.fb", "--", "--topk"}).exit_code, 0);
  EXPECT_EQ(RunCssrun({"net.fb", "./--topk"}).exit_code, 0);
}

TEST_F(CliTest, NothingUntrustedSteersTheTerminal) {
  std::vector<std::string> labels = kLabels;
  for (std::string& label : labels) label += "\x1b]0;owned\x07\xff";
  format::NetworkT evil = SmallNetwork(labels);
  evil.nodes[1]->name = "layer\x1b[31m\n";
  evil.origin->model_file = "\x1b[2Jmodel";
  WriteNetwork("evil\x1b[31m.fb", evil);
  WriteImage("good\x1b[31m\n\xff.png", 1);
  folder_.Write("bad\x1b[31m\n\xff.png", "x");
  const auto expect_safe = [](const Finished& finished) {
    for (const std::string& text : {finished.out, finished.err}) {
      for (const char* bad : {"\x1b", "\x07", "\xff"}) EXPECT_FALSE(Contains(text, bad)) << text;
    }
  };
  for (const std::string format : {"text", "csv", "jsonl"}) {
    const Finished finished = RunCssrun({"evil\x1b[31m.fb", ".", "--format", format, "--profile"});
    EXPECT_EQ(finished.exit_code, 1);
    expect_safe(finished);
  }
  expect_safe(RunTool("cssinspect", {"evil\x1b[31m.fb"}));
  expect_safe(RunTool("cssinspect", {"evil\x1b[31m.fb", "--json"}));
  expect_safe(RunCssrun({"missing\x1b[31m\xff.fb", "."}));
  expect_safe(RunCssrun({"net.fb", "missing\x1b[31m\xff"}));
  expect_safe(RunCssrun({"net.fb", ".", "--\x1b[31m\xff"}));
  expect_safe(RunCssrun({"net.fb", ".", "--format", "\x1b[31m\xff"}));
}

TEST_F(CliTest, SummaryIsWrittenAsJson) {
  WriteSet();
  const Finished finished = RunCssrun({"net.fb", "set", "--summary", "run.json"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const Json json = Json::parse(Contents(folder_ / "run.json"));
  EXPECT_EQ(json["images"], 6);
  EXPECT_EQ(json["failed"], 0);
  EXPECT_TRUE(json["top1"].is_number());
  EXPECT_GT(json["synops_per_image"].get<double>(), 0);
  EXPECT_TRUE(json["layers"][1]["seconds"].is_null());

  const Finished profiled = RunCssrun({"net.fb", "set", "--summary", "run.json", "--profile"});
  EXPECT_TRUE(Json::parse(Contents(folder_ / "run.json"))["layers"][1]["seconds"].is_number());
  EXPECT_EQ(profiled.out, finished.out);
  const std::vector<std::string> lines = Lines(profiled.err);
  ASSERT_GE(lines.size(), 5U);
  for (const char* column :
       {"layer", "kind", "neurons", "spikes", "rate", "SyOPs", "ms", "share"}) {
    EXPECT_TRUE(Contains(lines[0], column)) << lines[0];
  }
  EXPECT_EQ(lines[1].find("input "), 0U);
  EXPECT_EQ(lines[4].find("logits "), 0U);
}

TEST_F(CliTest, AnEarlyExitIsWhatStepsShows) {
  WriteSet();
  format::NetworkT network = SmallNetwork(kLabels);
  WriteNetwork("net.fb", network);
  const Finished whole = RunCssrun({"net.fb", "set", "--steps", "--summary", "steps.json"});
  EXPECT_EQ(whole.exit_code, 0);
  EXPECT_TRUE(Contains(whole.err, "as at the end")) << whole.err;
  EXPECT_EQ(whole.out, RunCssrun({"net.fb", "set"}).out);
  const Json steps = Json::parse(Contents(folder_ / "steps.json"));
  ASSERT_EQ(steps["steps"].size(), 6U);
  EXPECT_EQ(steps["steps"].back()["as_at_the_end"], 1.0);
  EXPECT_EQ(steps["steps"].back()["synops_per_image"], steps["synops_per_image"]);
  EXPECT_EQ(steps["steps_per_image"], steps["latency_steps"]);

  // With a margin of zero, everything stops at the first reading.
  const Finished first =
      RunCssrun({"net.fb", "set", "--early-exit", "0", "--summary", "first.json"});
  EXPECT_EQ(first.exit_code, 0);
  const Json early = Json::parse(Contents(folder_ / "first.json"));
  EXPECT_EQ(early["steps_per_image"], steps["steps"][0]["step"]);
  EXPECT_EQ(early["synops_per_image"], steps["steps"][0]["synops_per_image"]);
  EXPECT_EQ(early["top1"], steps["steps"][0]["top1"]);
  EXPECT_EQ(RunCssrun({"net.fb", "set", "--early-exit", "1e9"}).out, whole.out);

  ExpectRefusal(RunCssrun({"net.fb", "set", "--early-exit", "auto"}), 2, "no margin of its own");
  network.code->early_exit_margin = 0;
  WriteNetwork("net.fb", network);
  EXPECT_EQ(RunCssrun({"net.fb", "set", "--early-exit", "auto"}).out, first.out);
}

TEST_F(CliTest, AFileThatCannotBeWrittenIsAnIoErrorBeforeTheRun) {
  WriteImage("a.png", 1);
  for (const char* option : {"--summary", "--report"}) {
    const Finished finished = RunCssrun({"net.fb", "a.png", option, "no/such/run.json"});
    EXPECT_EQ(finished.exit_code, 4);
    EXPECT_EQ(finished.out, "");
    EXPECT_TRUE(Contains(finished.err, "no/such/run.json: ")) << finished.err;
  }
  const Finished full = RunCssrun({"net.fb", "a.png", "--summary", "/dev/full"});
  EXPECT_EQ(full.exit_code, 4);
  EXPECT_TRUE(Contains(full.out, "a.png")) << "nobody could know; the results are there";
  EXPECT_TRUE(Contains(full.err, "/dev/full: ")) << full.err;
}

TEST_F(CliTest, NoFileIsNamedAsStandardOutputIs) {
  WriteImage("a.png", 1);
  for (const char* option : {"--summary", "--report"}) {
    const Finished finished = RunCssrun({"net.fb", "a.png", option, "-"});
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_TRUE(Contains(finished.err, std::string(option) + " -: name a file")) << finished.err;
  }
  EXPECT_FALSE(fs::exists(folder_ / "-"));
  // The remedies.
  const Finished shown = RunCssrun({"net.fb", "a.png", "--summary", "/dev/stdout"});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_TRUE(Contains(shown.out, "\"images\": 1")) << shown.out;
  EXPECT_EQ(RunCssrun({"net.fb", "a.png", "--summary", "./-"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "-"));
}

TEST_F(CliTest, OutputThatCannotBeWrittenIsAnIoErrorNotASignal) {
  for (uint32_t i = 0; i < 200; ++i) WriteImage("many/" + std::to_string(i) + ".png", i);
  for (const Stream stream : {Stream::kBrokenPipe, Stream::kFull, Stream::kClosed}) {
    for (const std::string path : {"many", "many/1.png"}) {
      const Finished finished = RunCssrun({"net.fb", path}, {.output = stream});
      EXPECT_EQ(finished.exit_code, 4);
      EXPECT_TRUE(Contains(finished.err, "cannot write")) << finished.err;
    }
    EXPECT_EQ(RunTool("cssinspect", {"net.fb"}, {.output = stream}).exit_code, 4);
  }
}

TEST_F(CliTest, MessagesThatCannotBeWrittenChangeNothing) {
  WriteImage("set/ant/0.png", 0);
  const Finished normal = RunCssrun({"net.fb", "set"});
  for (const Stream stream : {Stream::kBrokenPipe, Stream::kFull, Stream::kClosed}) {
    const Finished finished = RunCssrun({"net.fb", "set", "--profile"}, {.error = stream});
    EXPECT_EQ(finished.exit_code, 0);
    EXPECT_EQ(finished.out, normal.out);
    EXPECT_EQ(RunCssrun({"missing.fb", "set"}, {.error = stream}).exit_code, 4);
    EXPECT_EQ(RunCssrun({"--bogus"}, {.error = stream}).exit_code, 2);
    EXPECT_EQ(RunTool("cssinspect", {"missing.fb"}, {.error = stream}).exit_code, 4);
  }
}

TEST_F(CliTest, ProgressShowsOnATerminalAndIsCleared) {
  if (!HasTerminals()) GTEST_SKIP() << "no pseudo terminals here";
  for (uint32_t i = 0; i < 20; ++i) WriteImage("many/" + std::to_string(i) + ".png", i);
  const Finished finished = RunCssrun({"net.fb", "many"}, {.error = Stream::kTerminal});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(Lines(finished.out).size(), 20U);
  EXPECT_FALSE(Contains(finished.out, "\x1b"));
  EXPECT_TRUE(Contains(finished.err, "20/20")) << finished.err;
  // The progress line is cleared before the summary.
  EXPECT_TRUE(Contains(finished.err, "\r\x1b[K20 images in")) << finished.err;
}

TEST_F(CliTest, WithoutLabelsTheIndexIsPrinted) {
  format::NetworkT network = SmallNetwork(kLabels);
  network.labels.clear();
  WriteNetwork("bare.fb", network);
  WriteSet();
  const Finished finished =
      RunCssrun({"bare.fb", "set", "--format", "jsonl", "--summary", "run.json"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  for (const std::string& line : Lines(finished.out)) {
    const Json json = Json::parse(line);
    EXPECT_TRUE(json["truth"].is_null());
    EXPECT_EQ(json["top"][0]["label"], std::to_string(json["top"][0]["index"].get<int>()));
  }
  EXPECT_TRUE(Json::parse(Contents(folder_ / "run.json"))["top1"].is_null());
}

TEST_F(CliTest, InspectForPeople) {
  const Finished finished = RunTool("cssinspect", {"net.fb"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.err, "");
  for (const char* part :
       {"net.fb: ", "model.onnx", "T = 6, beta = 1.5, L = 1", "8 steps (9 as the paper counts)",
        "3x4x4", "6 logits, 6 labels", "1.00 M MACs", "input", "encoder", "layer0", "layer1",
        "neurons", "logits", "readout", "1x1 from 0", "4x4 from 2"}) {
    EXPECT_TRUE(Contains(finished.out, part)) << part << "\n" << finished.out;
  }
}

TEST_F(CliTest, InspectThePlan) {
  const Finished finished = RunTool("cssinspect", {"net.fb", "--plan"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.err, "");
  for (const char* part : {"in integers with ", "kernel", "layout", "weights", "expected", "layer0",
                           "tile_gather", "int16", "readout", "M additions"}) {
    EXPECT_TRUE(Contains(finished.out, part)) << part << "\n" << finished.out;
  }
  ExpectRefusal(RunTool("cssinspect", {"net.fb", "--plan", "--json"}), 2, "--plan");
  ExpectRefusal(RunTool("cssinspect", {"missing.fb", "--plan"}), 4, "missing.fb");
  // A network whose weights are too large for 16 bits has a line that says so instead.
  format::NetworkT large = SmallNetwork(kLabels);
  large.nodes[1]->synapses[0]->weights[0] = 100.0F;
  WriteNetwork("large.fb", large);
  const Finished in_float = RunTool("cssinspect", {"large.fb", "--plan"});
  EXPECT_EQ(in_float.exit_code, 0);
  EXPECT_TRUE(Contains(in_float.out, "runs in float: layer0")) << in_float.out;
}

TEST_F(CliTest, InspectAsJson) {
  const Finished finished = RunTool("cssinspect", {"net.fb", "--json"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.err, "");
  const Json json = Json::parse(finished.out, nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << finished.out;
  EXPECT_EQ(json["format_version"], 5);
  EXPECT_EQ(json["bytes"], Serialized(SmallNetwork(kLabels)).size());
  EXPECT_EQ(json["timesteps"], 6);
  EXPECT_EQ(json["latency_steps"], 8);
  EXPECT_EQ(json["latency_steps_paper"], 9);
  EXPECT_EQ(json["macs_per_image"], 1'000'000);
  EXPECT_EQ(json["labels"], Json(kLabels));
  EXPECT_EQ(json["input"]["extent"], Json({3, 4, 4}));
  ASSERT_EQ(json["nodes"].size(), 4U);
  EXPECT_EQ(json["nodes"][0]["kind"], "encoder");
  EXPECT_TRUE(json["nodes"][0]["synapses"].empty());
  EXPECT_EQ(json["nodes"][3]["synapses"][0]["source"], 2);
  EXPECT_EQ(json["nodes"][3]["synapses"][0]["window"]["kernel"], Json({4, 4}));
  EXPECT_EQ(json["nodes"][3]["synapses"][0]["weights"], 6 * 48);
}

// Networks of every shape can be inspected and run.
TEST_F(CliTest, RandomNetworks) {
  for (uint32_t seed = 0; seed < 25; ++seed) {
    const format::NetworkT network = oracle::RandomNetwork(seed);
    WriteNetwork("random.fb", network);
    const Finished inspected = RunTool("cssinspect", {"random.fb", "--json"});
    EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
    EXPECT_EQ(Json::parse(inspected.out)["nodes"].size(), network.nodes.size());
    EXPECT_EQ(RunTool("cssinspect", {"random.fb"}).exit_code, 0);
    WriteImage("a.png", seed);
    const uint32_t channels = network.nodes[0]->extent->channels();
    const Finished ran = RunCssrun({"random.fb", "a.png", "--topk", "5"});
    // A network with another number of channels than one or three gets a message.
    EXPECT_EQ(ran.exit_code, channels == 1 || channels == 3 ? 0 : 1) << ran.err;
  }
}

}  // namespace
}  // namespace cssrun::tools
