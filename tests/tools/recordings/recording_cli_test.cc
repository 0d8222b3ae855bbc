// Tests cssrun on recordings of events as its users see it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/cli_fixture.h"
#include "tests/tools/recordings/write_recordings.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

const std::string kCssrun = CSSRUN_TOOLS_DIR "/cssrun";
constexpr SensorSize kSensor = {6, 5};

// Counts darker and brighter events: its potentials are the logits.
format::NetworkT CountingNetwork() {
  format::NetworkT network = oracle::ChainNetwork(1, 4, 2.0F, 3);
  network.format_version = format::kEventsVersion;
  network.nodes.clear();
  network.labels = {"darker", "brighter"};
  network.origin->model_file = "model.nir";
  network.origin->converter_version = "0.1.0";
  auto events = std::make_unique<format::EventNetworkT>();
  events->step_seconds = 0.001;
  events->assumptions = {"time is cut into steps of 1 ms"};
  auto input = std::make_unique<format::EventNodeT>();
  input->name = "input";
  input->extent = std::make_unique<format::Extent>(2, kSensor.height, kSensor.width);
  auto sums = std::make_unique<format::EventNodeT>();
  sums->name = "sums";
  sums->extent = std::make_unique<format::Extent>(2, 1, 1);
  sums->sending = format::EventSending::Nothing;
  sums->decay = {1};
  sums->gain = {1};
  sums->drive = {0};
  auto synapses = std::make_unique<format::EventSynapsesT>();
  synapses->source = 0;
  synapses->window =
      std::make_unique<format::Window>(kSensor.height, kSensor.width, 1, 1, 0, 0, 0, 0, 1, 1);
  const size_t pixels = size_t{kSensor.height} * kSensor.width;
  synapses->weights.assign(4 * pixels, 0.0F);
  std::fill_n(synapses->weights.begin(), pixels, 1.0F);
  std::fill_n(synapses->weights.begin() + static_cast<ptrdiff_t>(3 * pixels), pixels, 1.0F);
  sums->synapses.push_back(std::move(synapses));
  events->nodes.push_back(std::move(input));
  events->nodes.push_back(std::move(sums));
  network.events = std::move(events);
  return network;
}

// 100 events of one class, a millisecond apart, and a few of the other.
std::vector<Event> Recorded(uint8_t polarity, size_t others) {
  std::vector<Event> events;
  for (int i = 0; i < 100; ++i) {
    const auto x = static_cast<uint16_t>(i % 6);
    events.push_back({i * 1000 + 500, x, static_cast<uint16_t>(i % 5), polarity});
  }
  for (size_t i = 0; i < others; ++i) events[i].polarity = 1 - polarity;
  return events;
}

class RecordingCliTest : public CliTest {
 protected:
  void SetUp() override {
    WriteNetwork("events.fb", CountingNetwork());
    folder_.Write("set/brighter/a.bin", WriteNmnist(Recorded(1, 3)));
    folder_.Write("set/brighter/b.raw", WriteEvt3(Recorded(1, 4), kSensor));
    folder_.Write("set/darker/c.aedat4", WriteAedat4(Recorded(0, 5), {.sensor = kSensor}));
    folder_.Write("set/darker/d.csv", WriteCsv(Recorded(1, 6)));  // looks like the other
    folder_.Write("set/notes.txt", std::string_view("no recording"));
  }

  Finished RunEvents(std::vector<std::string> arguments, RunOptions options = {}) {
    arguments.insert(arguments.begin(), "events.fb");
    return RunCssrun(std::move(arguments), std::move(options));
  }
};

std::vector<Json> JsonLines(const std::string& text) {
  std::vector<Json> lines;
  for (const std::string& line : Lines(text)) lines.push_back(Json::parse(line));
  return lines;
}

TEST_F(RecordingCliTest, FoldersGiveTheTruthAndAnswersTheKeysOfImages) {
  const Finished run = RunEvents({"set", "--format", "jsonl", "-k", "2", "--summary", "s.json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::vector<Json> lines = JsonLines(run.out);
  ASSERT_EQ(lines.size(), 4U);
  const char* names[] = {"set/brighter/a.bin", "set/brighter/b.raw", "set/darker/c.aedat4",
                         "set/darker/d.csv"};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(lines[i]["path"], names[i]);
    EXPECT_EQ(lines[i]["truth"], i < 2 ? "brighter" : "darker");
    EXPECT_EQ(lines[i]["top"][0]["label"], i == 2 ? "darker" : "brighter");
    EXPECT_EQ(lines[i]["top"][0]["logit"], 97.0 - static_cast<double>(i));
    EXPECT_EQ(lines[i]["top"][1]["logit"], 3.0 + static_cast<double>(i));
    EXPECT_EQ(lines[i]["margin"], 94.0 - 2 * static_cast<double>(i));
    EXPECT_EQ(lines[i]["steps"], 100);
    EXPECT_EQ(lines[i]["time"], 0.1);
    EXPECT_EQ(lines[i]["events"], 100);
    EXPECT_TRUE(lines[i]["error"].is_null());
  }
  const Json summary = Json::parse(Contents(folder_ / "s.json"));
  EXPECT_EQ(summary["recordings"], 4);
  EXPECT_EQ(summary["failed"], 0);
  EXPECT_EQ(summary["damaged"], 0);
  EXPECT_EQ(summary["top1"], 0.75);
  EXPECT_EQ(summary["events"], 400);
  EXPECT_EQ(summary["steps"], 400);
  EXPECT_TRUE(summary["macs_per_step"].is_null());  // the file does not say
  EXPECT_EQ(summary["layers"][0]["kind"], "events");
  EXPECT_EQ(summary["layers"][1]["synops"], 100.0 * 2);
  EXPECT_TRUE(Contains(run.err, "top-1 75.00 % of 4 recordings with a known class")) << run.err;
}

TEST_F(RecordingCliTest, TextAndCsvAreThoseOfImages) {
  const std::vector<std::string> text = Lines(RunEvents({"set"}).out);
  ASSERT_EQ(text.size(), 4U);
  EXPECT_EQ(text[0], "set/brighter/a.bin  right   brighter 100.0%");
  EXPECT_EQ(text[3], "set/darker/d.csv  WRONG   brighter 100.0%  (is darker)");
  const std::vector<std::string> csv = Lines(RunEvents({"set", "--format", "csv"}).out);
  ASSERT_EQ(csv.size(), 5U);
  EXPECT_EQ(csv[0], "path,truth,label1,probability1,logit1,margin,steps,time,events,error");
  EXPECT_EQ(csv[1], "set/brighter/a.bin,brighter,brighter,1.000000,97,94,100,0.100000,100,");
}

TEST_F(RecordingCliTest, AnswersComeAsOftenAsAskedFor) {
  const Finished run = RunEvents({"set/brighter/a.bin", "--every", "30ms", "--format", "jsonl"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::vector<Json> lines = JsonLines(run.out);
  ASSERT_EQ(lines.size(), 4U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(lines[i]["steps"], 30 * (i + 1));
    EXPECT_EQ(lines[i]["events"], 30 * (i + 1));
    EXPECT_EQ(lines[i]["top"][0]["logit"], 30.0 * static_cast<double>(i + 1) - 3);
  }
  EXPECT_EQ(lines[3]["events"], 100);
  const std::vector<std::string> text =
      Lines(RunEvents({"set/brighter/a.bin", "--every", "50ms"}).out);
  ASSERT_EQ(text.size(), 3U);
  EXPECT_EQ(text[0], "set/brighter/a.bin  0.05 s  brighter 100.0%");
}

// A silence of half an hour, which is one step and not 180,000 answers.
TEST_F(RecordingCliTest, ALongSilenceIsQuick) {
  folder_.Write("silence.csv", std::string_view("0,0,0,1\n1800000000,0,0,1\n"));
  const Finished run = RunEvents({"silence.csv", "--every", "10ms", "--format", "jsonl"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const std::vector<Json> lines = JsonLines(run.out);
  EXPECT_LT(lines.size(), 1100U);
  EXPECT_EQ(lines.back()["steps"], 1'800'001);
  EXPECT_EQ(lines.back()["top"][0]["logit"], 2.0);
}

// As a damaged clock may give them.
TEST_F(RecordingCliTest, MillionsOfEventsAtOneTimeTakeLittleMemory) {
  std::vector<Event> events(3'000'000, {500, 1, 1, 1});
  events.front().polarity = 0;
  folder_.Write("dense.bin", WriteNmnist(events));
  const Finished run =
      RunEvents({"dense.bin", "--format", "jsonl", "-k", "2", "--summary", "s.json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Json line = JsonLines(run.out)[0];
  EXPECT_EQ(line["events"], 3'000'000);
  EXPECT_EQ(line["steps"], 1);
  EXPECT_EQ(line["top"][0]["logit"], 2'999'999.0);
  EXPECT_EQ(line["top"][1]["logit"], 1.0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep memory
  EXPECT_LT(Json::parse(Contents(folder_ / "s.json"))["peak_rss_bytes"], 100'000'000);
#endif
}

TEST_F(RecordingCliTest, APipeIsAnsweredWhileEventsArrive) {
  RunOptions options;
  options.folder = folder_.path().string();
  const Finished run =
      RunProgram({"/bin/bash", "-c",
                  "coproc \"$0\" events.fb - --every 10s 2>err\n"
                  "printf '500,0,0,1\\n12000000,1,1,1\\n12000000,1,1,1\\n' >&${COPROC[1]}\n"
                  "read -t 60 line <&${COPROC[0]} && echo \"$line\"\n"  // before the pipe has ended
                  "printf '12000500,2,2,0\\n12000500,2,2,0\\n12000501,3,3,0\\n' >&${COPROC[1]}\n"
                  "printf '12000501,3,3,0\\n' >&${COPROC[1]}\n"
                  "exec {end}>&${COPROC[1]} {rest}<&${COPROC[0]}\n"
                  "eval \"exec ${COPROC[1]}>&- {end}>&-\"\n"
                  "cat <&$rest",
                  kCssrun},
                 options);
  EXPECT_EQ(run.out, "-  10 s  brighter 73.1%\n-  darker 73.1%\n")
      << run.err << Contents(folder_ / "err");
  const std::vector<Event> events = Recorded(1, 3);
  const Bytes raw = WriteNmnist(events);
  const Finished binary = RunEvents({"-"}, {.input = std::string(raw.begin(), raw.end())});
  EXPECT_EQ(binary.out, "-  brighter 100.0%\n") << binary.err;
}

// The clock says when answers are due, and events that come later still are in the later ones.
TEST_F(RecordingCliTest, ASilentPipeIsAnsweredOnTime) {
  RunOptions options;
  options.folder = folder_.path().string();
  const Finished run =
      RunProgram({"/bin/bash", "-c",
                  "coproc \"$0\" events.fb - --every 10ms --format jsonl 2>err\n"
                  "printf '500,0,0,1\\n600,0,0,1\\n' >&${COPROC[1]}\n"
                  "for i in 1 2 3; do read -t 60 line <&${COPROC[0]} && echo \"$line\"; done\n"
                  "printf '15500,1,1,1\\n' >&${COPROC[1]}\n"
                  "exec {end}>&${COPROC[1]} {rest}<&${COPROC[0]}\n"
                  "eval \"exec ${COPROC[1]}>&- {end}>&-\"\n"
                  "cat <&$rest",
                  kCssrun},
                 options);
  const std::vector<Json> lines = JsonLines(run.out);
  ASSERT_GE(lines.size(), 4U) << run.err << Contents(folder_ / "err");
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["steps"], 10 * (i + 1));
    EXPECT_EQ(lines[i]["top"][0]["logit"], lines[i]["events"]);
    if (i < 3) {
      EXPECT_EQ(lines[i]["events"], 2);
    }
  }
  EXPECT_EQ(lines.back()["steps"], 16);
  EXPECT_EQ(lines.back()["events"], 3);
  EXPECT_EQ(lines.back()["top"][0]["logit"], 3.0);
}

TEST_F(RecordingCliTest, StepsOfEventsAndPartsOfASensorAreTaken) {
  const auto line = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "jsonl"});
    const Finished run = RunEvents(arguments);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    const std::vector<Json> lines = JsonLines(run.out);
    return lines.empty() ? Json() : lines[0];
  };
  EXPECT_EQ(line({"set/brighter/a.bin", "--bin-events", "7"})["steps"], 15);
  EXPECT_EQ(line({"set/brighter/a.bin", "--bin", "100us"})["steps"], 996);
  folder_.Write("large.raw", WriteEvt2(RandomEvents(1, 500, {60, 50}), {60, 50}));
  EXPECT_EQ(line({"large.raw", "--scale"})["events"], 500);
  const Json middle = line({"large.raw", "--crop", "6x5"});
  EXPECT_LT(middle["events"], 100);
  EXPECT_EQ(line({"large.raw", "--crop", "6x5+27+22"})["events"], middle["events"]);
  const Finished refused = RunEvents({"large.raw"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(Contains(refused.err, "give --scale, or --crop 6x5 for a part")) << refused.err;
}

TEST_F(RecordingCliTest, DamageIsNamedAndTheRestUsed) {
  Bytes cut = WriteNmnist(Recorded(1, 3));
  cut.resize(cut.size() - 2);
  folder_.Write("cut.bin", cut);
  folder_.Write("none.csv", std::string_view("t,x,y,p\n"));
  const Finished run = RunEvents(
      {"cut.bin", "none.csv", "set/brighter/a.bin", "--format", "jsonl", "--summary", "s.json"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_TRUE(Contains(run.err, "cut.bin: damaged: 3 bytes belong to no record")) << run.err;
  const std::vector<Json> lines = JsonLines(run.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["events"], 99);
  EXPECT_EQ(lines[1]["error"], "none.csv: no events");
  EXPECT_TRUE(lines[1]["steps"].is_null());
  const Json summary = Json::parse(Contents(folder_ / "s.json"));
  EXPECT_EQ(summary["recordings"], 3);
  EXPECT_EQ(summary["failed"], 1);
  EXPECT_EQ(summary["damaged"], 1);
}

// Else it would get the answer to silence.
TEST_F(RecordingCliTest, ARecordingThatDoesNotReachTheNetworkFails) {
  folder_.Write("far.csv", std::string_view("t,x,y,p\n1,99,9,1\n2,9,99,0\n"));
  const Finished run = RunEvents({"far.csv", "set/brighter/a.bin", "--format", "jsonl"});
  EXPECT_EQ(run.exit_code, 1);
  const std::vector<Json> lines = JsonLines(run.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["error"],
            "far.csv: none of its 2 events reaches the network's input of 6 x 5 pixels; --crop "
            "chooses a part of the sensor, --scale brings it to that size");
  EXPECT_EQ(lines[1]["events"], 100);
  EXPECT_EQ(RunEvents({"far.csv", "--crop", "6x5+95+5"}).exit_code, 0);  // the remedy
}

// One in a folder would be waited for without an end; one that is named is a camera's.
TEST_F(RecordingCliTest, APipeInAFolderIsReported) {
  const std::string script =
      "mkfifo set/pipe.bin; timeout 20 $0 events.fb set --format jsonl; code=$?; "
      "cat set/brighter/a.bin >set/pipe.bin & timeout 20 $0 events.fb set/pipe.bin; "
      "[ $? -eq 0 ] || code=named; exit $code";
  const Finished run =
      RunProgram({"/bin/bash", "-c", script, kCssrun}, {.folder = folder_.path().string()});
  EXPECT_EQ(run.exit_code, 1) << run.err;
  EXPECT_TRUE(Contains(run.err, "cssrun: set/pipe.bin: not a regular file")) << run.err;
  EXPECT_TRUE(Contains(run.out, "\nset/pipe.bin  ")) << run.out;
}

TEST_F(RecordingCliTest, ImagesAndRecordingsAreNotTakenForEachOther) {
  WriteNetwork("net.fb", SmallNetwork(kLabels));
  WriteImage("cat.png", 1);
  ExpectRefusal(RunEvents({"cat.png"}), 2,
                "takes events, and cat.png is an image; name recordings");
  ExpectRefusal(RunCssrun({"net.fb", "set/darker/c.aedat4"}), 2,
                "takes images, and set/darker/c.aedat4 is a recording of events (AEDAT4); take");
  ExpectRefusal(RunCssrun({"net.fb", "set/brighter/a.bin"}), 2, "(N-MNIST .bin)");
  ExpectRefusal(RunCssrun({"net.fb", "set"}), 2, "set/brighter/a.bin is a recording of events");
  ExpectRefusal(RunCssrun({"net.fb", "cat.png", "--bin", "1ms"}), 2, "takes images; --bin");
  ExpectRefusal(RunEvents({"--stream", "-", "--size", "4x4"}), 2,
                "takes events, with which --stream");
  ExpectRefusal(RunEvents({"set", "--steps"}), 2, "take --every TIME");
  ExpectRefusal(RunEvents({"set", "--engine", "float"}), 2, "--engine float has no meaning");
  ExpectRefusal(RunEvents({"set", "--every", "1500us"}), 2, "give a multiple");
  ExpectRefusal(RunEvents({"set", "--every", "3"}), 2, "a time such as 10ms");
  ExpectRefusal(RunEvents({"set", "--bin", "1"}), 2, "--bin: a time in us, ms or s");
  ExpectRefusal(RunEvents({"set", "--crop", "6"}), 2, "--crop: width x height");
  ExpectRefusal(RunEvents({}), 2, "no recordings are named");
  ExpectRefusal(RunEvents({"absent.bin"}), 4, "No such file");
}

TEST_F(RecordingCliTest, TheReportShowsEventsAndAnswersOverTime) {
  const Finished run = RunEvents({"set", "--report", "r.html", "--profile"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_TRUE(Contains(run.err, "layer")) << run.err;
  const std::string page = Contents(folder_ / "r.html");
  for (const char* part :
       {"<h1>events.fb</h1>", "Event by event", "Answer over time", "Layer by layer", "75.0",
        "d.csv", "time is cut into steps of 1 ms", "aria-label=\"events over time\""}) {
    EXPECT_TRUE(Contains(page, part)) << part;
  }
}

TEST_F(RecordingCliTest, NpyHasARowForEachRecording) {
  folder_.Write("none.csv", std::string_view("t,x,y,p\n"));
  const Finished run = RunEvents({"set/brighter", "none.csv", "--format", "npy"});
  EXPECT_TRUE(Contains(run.out, "(3, 2)")) << run.out.substr(0, 128);
}

}  // namespace
}  // namespace cssrun::tools
