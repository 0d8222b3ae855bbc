// Tests cssrun --stream as its users see it.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/cli_fixture.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

const std::string kCssrun = CSSRUN_TOOLS_DIR "/cssrun";

class StreamCliTest : public CliTest {
 protected:
  static constexpr uint32_t kFrames = 6;

  void SetUp() override {
    WriteNetwork("net.fb", SettledNetwork(kLabels));
    // Each frame twice, so that something stays.
    for (uint32_t i = 0; i < kFrames; ++i) {
      WriteImage("frames/" + std::to_string(i) + ".png", i / 2);
      const std::vector<uint8_t> rgb = NumberedImage(i / 2).rgb;
      raw_.append(rgb.begin(), rgb.end());
    }
  }

  Finished RunStream(std::vector<std::string> arguments, RunOptions options = {}) {
    arguments.insert(arguments.begin(), {"net.fb", "--stream"});
    return RunCssrun(std::move(arguments), std::move(options));
  }

  // Runs a script in the folder, with the program as $0.
  Finished RunScript(const std::string& script, RunOptions options = {}) {
    options.folder = folder_.path().string();
    return RunProgram({"/bin/bash", "-c", script, kCssrun}, options);
  }

  std::string raw_;  // the frames, as a pipe has them
};

std::vector<Json> JsonLines(const std::string& text) {
  std::vector<Json> lines;
  for (const std::string& line : Lines(text)) lines.push_back(Json::parse(line));
  return lines;
}

TEST_F(StreamCliTest, AnswersAreThoseOfImages) {
  const Finished images = RunCssrun({"net.fb", "frames", "--format", "jsonl", "-k", "6"});
  const Finished folder = RunStream({"frames", "--format", "jsonl", "-k", "6"});
  const Finished pipe =
      RunStream({"-", "--size", "4x4", "--format", "jsonl", "-k", "6"}, {.input = raw_});
  ASSERT_EQ(folder.exit_code, 0) << folder.err;
  ASSERT_EQ(pipe.exit_code, 0) << pipe.err;
  const std::vector<Json> expected = JsonLines(images.out);
  const std::vector<Json> of_folder = JsonLines(folder.out);
  const std::vector<Json> of_pipe = JsonLines(pipe.out);
  ASSERT_EQ(expected.size(), kFrames);
  ASSERT_EQ(of_folder.size(), kFrames);
  ASSERT_EQ(of_pipe.size(), kFrames);
  for (size_t i = 0; i < kFrames; ++i) {
    EXPECT_EQ(of_folder[i]["frame"], i);
    EXPECT_EQ(of_folder[i]["name"], expected[i]["path"]);
    EXPECT_TRUE(of_folder[i]["time"].is_null());
    EXPECT_EQ(of_folder[i]["top"], expected[i]["top"]);
    EXPECT_TRUE(of_pipe[i]["name"].is_null());
    EXPECT_TRUE(of_pipe[i]["time"].is_number());
    EXPECT_EQ(of_pipe[i]["top"], expected[i]["top"]);
  }
}

TEST_F(StreamCliTest, PrintsWhatIsAskedFor) {
  const std::vector<std::string> all = Lines(RunStream({"frames"}).out);
  ASSERT_EQ(all.size(), kFrames);
  EXPECT_TRUE(all[3].starts_with("     3  frames/3.png  ")) << all[3];
  EXPECT_TRUE(all[3].ends_with(" M SyOPs")) << all[3];
  const std::vector<std::string> third = Lines(RunStream({"frames", "--every", "3"}).out);
  ASSERT_EQ(third.size(), 2U);
  EXPECT_TRUE(third[1].starts_with("     3  ")) << third[1];

  // A frame is printed where its answer is another one than that of the frame before.
  const std::vector<Json> frames = JsonLines(RunStream({"frames", "--format", "jsonl"}).out);
  std::vector<Json> expected;
  for (size_t i = 0; i < frames.size(); ++i) {
    const auto label = [&](size_t frame) { return frames[frame]["top"][0]["label"]; };
    if (i == 0 || label(i) != label(i - 1)) expected.push_back(frames[i]["frame"]);
  }
  const Finished changes =
      RunStream({"frames", "--format", "jsonl", "--changes-only", "--summary", "s.json"});
  std::vector<Json> printed;
  for (const Json& line : JsonLines(changes.out)) printed.push_back(line["frame"]);
  EXPECT_EQ(printed, expected);
  ASSERT_GT(expected.size(), 1U);
  const Json summary = Json::parse(Contents(folder_ / "s.json"));
  EXPECT_EQ(summary["frames"], kFrames);
  EXPECT_EQ(summary["answer_changes"], expected.size() - 1);

  const std::vector<std::string> csv = Lines(RunStream({"frames", "--format", "csv"}).out);
  ASSERT_EQ(csv.size(), kFrames + 1);
  EXPECT_TRUE(csv[0].starts_with("frame,name,time,label1,")) << csv[0];
  EXPECT_TRUE(Contains(RunStream({"frames", "--profile"}).err, "layer1 "));
}

TEST_F(StreamCliTest, OutputsMayBeNumbers) {
  format::NetworkT network = SettledNetwork(kLabels);
  network.answer = format::AnswerKind::Numbers;
  network.labels.clear();
  WriteNetwork("net.fb", network);
  const std::vector<Json> expected =
      JsonLines(RunCssrun({"net.fb", "frames", "--format", "jsonl"}).out);
  const Finished finished = RunStream({"frames", "--format", "jsonl", "--report", "page.html"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const std::vector<Json> lines = JsonLines(finished.out);
  ASSERT_EQ(lines.size(), kFrames);
  for (size_t i = 0; i < kFrames; ++i) EXPECT_EQ(lines[i]["outputs"], expected[i]["outputs"]);
  EXPECT_FALSE(Contains(Contents(folder_ / "page.html"), "id=\"answers\""));
  const std::string text = RunStream({"frames"}).out;
  EXPECT_TRUE(Contains(text, "     0  frames/0.png  ")) << text;
  EXPECT_TRUE(Contains(text, ", mean ")) << text;
  ExpectRefusal(RunStream({"frames", "--format", "csv"}), 2, "take --format jsonl");
  ExpectRefusal(RunStream({"frames", "--changes-only"}), 2, "take --every");
}

TEST_F(StreamCliTest, AHoldKeepsPixels) {
  // The second frame differs by 1 in one number.
  std::string frames = raw_.substr(0, 48) + raw_.substr(0, 48);
  frames[50] = static_cast<char>(frames[50] + 1);
  const auto logits = [&](const char* hold) {
    const Finished run = RunStream(
        {"-", "--size", "4x4", "--format", "jsonl", "-k", "6", "--hold", hold}, {.input = frames});
    std::vector<Json> top;
    for (const Json& line : JsonLines(run.out)) top.push_back(line["top"]);
    EXPECT_EQ(top.size(), 2U) << run.err;
    return top;
  };
  const std::vector<Json> held = logits("1");
  EXPECT_EQ(held[0], held[1]);
}

TEST_F(StreamCliTest, DamagedFramesAreCountedAndTheStreamGoesOn) {
  folder_.Write("frames/2b.png", "no image");
  const Finished text = RunStream({"frames", "--summary", "s.json"});
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_EQ(Lines(text.out).size(), kFrames);
  EXPECT_TRUE(Contains(text.err, "cssrun: frame 3: frames/2b.png: ")) << text.err;
  EXPECT_TRUE(Contains(text.err, "6 frames, 1 damaged in ")) << text.err;
  EXPECT_EQ(Json::parse(Contents(folder_ / "s.json"))["damaged"], 1);
  const std::vector<Json> lines = JsonLines(RunStream({"frames", "--format", "jsonl"}).out);
  ASSERT_EQ(lines.size(), kFrames + 1);
  EXPECT_TRUE(lines[3]["error"].is_string());
  EXPECT_TRUE(lines[3]["top"].empty());
  EXPECT_EQ(lines[4]["frame"], 4);

  const Finished cut = RunStream({"-", "--size", "4x4"}, {.input = raw_.substr(0, 100)});
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_EQ(Lines(cut.out).size(), 2U);
  EXPECT_TRUE(Contains(cut.err, "the last frame has 4 of 48 bytes; is --size right")) << cut.err;
  // It has no time, and not that of the frame before.
  const Finished in_json =
      RunStream({"-", "--size", "4x4", "--format", "jsonl"}, {.input = raw_.substr(0, 100)});
  const Json last = JsonLines(in_json.out).back();
  EXPECT_FALSE(last["error"].is_null());
  EXPECT_TRUE(last["time"].is_null()) << last;
}

TEST_F(StreamCliTest, WhatMakesNoSenseIsRefusedWithARemedy) {
  WriteNetwork("early.fb", SmallNetwork(kLabels));
  folder_.Write("empty/notes.txt", "no frame");
  const struct {
    std::vector<std::string> arguments;
    int exit_code;
    const char* message;
  } cases[] = {
      {{"net.fb", "a.png", "--stream", "frames"}, 2, "leave the other paths out"},
      {{"net.fb", "--stream", "frames", "--files0-from", "x"}, 2, "leave --files0-from out"},
      {{"net.fb", "--stream", "frames", "--resume", "x"}, 2, "--format jsonl > FILE"},
      {{"net.fb", "--stream", "frames", "--early-exit", "1"}, 2, "leave --early-exit out"},
      {{"net.fb", "--stream", "frames", "--steps"}, 2, "leave --steps out"},
      {{"net.fb", "--stream", "frames", "--latency"}, 2, "leave --latency out"},
      {{"net.fb", "--stream", "frames", "--report", "x", "--neuron", "0:1"},
       2,
       "leave --neuron out"},
      {{"net.fb", "--stream", "frames", "--engine", "float"}, 2, "leave --engine float out"},
      {{"net.fb", "--stream", "frames", "--format", "npy"}, 2, "take --format jsonl"},
      {{"net.fb", "--stream", "frames", "--every", "2", "--changes-only"}, 2, "excludes"},
      {{"net.fb", "--stream", "frames", "--hold", "256"}, 2, "--hold"},
      {{"net.fb", "--stream", "frames", "--dead-zone", "nan"}, 2, "--dead-zone"},
      {{"net.fb", "--stream", "frames", "--size", "4x4"}, 2, "leave --size out"},
      {{"net.fb", "--stream", "-"}, 2, "give --size WxH"},
      {{"net.fb", "--stream", "-", "--size", "4"}, 2, "such as 640x360"},
      {{"net.fb", "--stream", "-", "--size", "4x99999"}, 2, "\"side\""},
      {{"net.fb", "--stream", "-", "--size", "4x4", "--exif"}, 2, "--exif turns the photos"},
      {{"net.fb", "--stream", ""}, 2, "needs a folder"},
      {{"net.fb", "frames", "--hold", "1"}, 2, "--hold requires --stream"},
      {{"net.fb", "--stream", "nothing"}, 4, "nothing: No such file"},
      {{"net.fb", "--stream", "empty"}, 2, "empty: no frames"},
      {{"net.fb", "--stream", "frames", "--limit", "frames=5"}, 2, "more than 5 frames"},
      {{"early.fb", "--stream", "frames"}, 2, "early.fb: "},
  };
  for (const auto& wrong : cases) {
    const Finished finished = RunCssrun(wrong.arguments);
    ExpectRefusal(finished, wrong.exit_code, wrong.message);
  }
  ExpectRefusal(RunScript("mkfifo fifo; $0 net.fb --stream fifo"), 4,
                "--stream - --size WxH < PIPE");
}

// A program before the pipe that failed sends nothing.
TEST_F(StreamCliTest, NoFrameAtAllIsAnError) {
  const Finished finished = RunStream({"-", "--size", "4x4", "--summary", "s.json"}, {.input = ""});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_TRUE(Contains(finished.err, "standard input: ended before its first frame"))
      << finished.err;
  EXPECT_EQ(Json::parse(Contents(folder_ / "s.json"))["frames"], 0);
}

TEST_F(StreamCliTest, AFileOnThePipeIsNotTakenForRawFrames) {
  const std::string mp4(
      "\0\0\0\x20"
      "ftypisom",
      12);
  const std::pair<std::string, const char*> files[] = {
      {"YUV4MPEG2 W4 H4 F25:1\n", "a Y4M video"},
      {mp4, "an MP4 video"},
      {"RIFF....AVI LIST", "an AVI video"},
      {"\x1A\x45\xDF\xA3\x9F\x42\x86\x81.webm", "a Matroska video"},
      {"\xFF\xD8\xFF\xE0..JFIF", "a JPEG"},
      {"\x89PNG\r\n\x1A\n", "a PNG"}};
  for (const auto& [bytes, name] : files) {
    const Finished finished =
        RunStream({"-", "--size", "4x4"}, {.input = bytes + std::string(200, '.')});
    EXPECT_EQ(finished.exit_code, 2) << name;
    EXPECT_EQ(finished.out, "");
    EXPECT_TRUE(Contains(finished.err, std::string(name) + ", not raw frames")) << finished.err;
  }
  // The smallest frames are shorter than what marks them.
  for (const std::string frame : {"\xFF\xD8\xFF", "RIF"}) {
    EXPECT_EQ(RunStream({"-", "--size", "1x1"}, {.input = frame}).exit_code, 0);
  }
  EXPECT_EQ(RunStream({"-", "--size", "1x1"}, {.input = std::string(3, '\0')}).exit_code, 0);
  // A frame may have any bytes after those of another.
  const Finished later = RunStream({"-", "--size", "4x4"}, {.input = raw_ + raw_});
  EXPECT_EQ(later.exit_code, 0) << later.err;
}

TEST_F(StreamCliTest, WithoutTheModuleAPipeIsTheRemedy) {
  std::filesystem::copy_file(kCssrun, folder_ / "cssrun");
  folder_.Write("clip.mp4", "no video");
  const Finished finished = RunProgram({folder_ / "cssrun", "net.fb", "--stream", "clip.mp4"},
                                       {.folder = folder_.path().string()});
  ExpectRefusal(finished, 2, "libavformat-dev");
  ExpectRefusal(finished, 2, "ffmpeg -i clip.mp4 ");
}

TEST_F(StreamCliTest, ASignalEndsItWithTheSummary) {
  folder_.Write("raw", raw_);
  for (const std::string signal : {"INT", "TERM"}) {
    // The pipe stays open: without the signal, the program would wait for the next frame. The
    // signal comes once all frames are answered; with job control, so that the shell does not let a
    // program in the background ignore it.
    const Finished finished = RunScript(
        "set -m; rm -f pipe; mkfifo pipe; : >out; exec 3<>pipe; cat raw >&3; "
        "$0 net.fb --stream - --size 4x4 --summary s.json --report r.html <pipe >out & program=$!; "
        "for turn in $(seq 1000); do [ $(wc -l <out) -lt 6 ] || break; sleep 0.02; done; "
        "kill -" +
        signal + " $program; wait $program; code=$?; cat out; exit $code");
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(Lines(finished.out).size(), kFrames);
    EXPECT_TRUE(Contains(finished.err, "6 frames in ")) << finished.err;
    EXPECT_EQ(Json::parse(Contents(folder_ / "s.json"))["frames"], kFrames);
    EXPECT_TRUE(Contains(Contents(folder_ / "r.html"), "</html>"));
  }
}

TEST_F(StreamCliTest, AClosedPipeEndsItWithTheSummary) {
  for (const Stream output : {Stream::kBrokenPipe, Stream::kFull}) {
    const Finished finished = RunStream({"frames"}, {.output = output});
    EXPECT_EQ(finished.exit_code, 4);
    EXPECT_TRUE(Contains(finished.err, "1 frame in ")) << finished.err;
    EXPECT_TRUE(Contains(finished.err, "cannot write the results")) << finished.err;
  }
}

TEST_F(StreamCliTest, ALiveLineOnATerminalOnly) {
  if (!HasTerminals()) GTEST_SKIP() << "no pseudo terminals here";
  const Finished live = RunStream({"frames"}, {.error = Stream::kTerminal});
  EXPECT_TRUE(Contains(live.err, " frames/s  ")) << live.err;
  EXPECT_TRUE(Contains(live.err, "% changed")) << live.err;
  EXPECT_TRUE(Contains(live.err, "\r\x1b[K6 frames in ")) << live.err;
  EXPECT_FALSE(Contains(RunStream({"frames"}).err, "\r"));
}

TEST_F(StreamCliTest, ReportsShowWhereTheAnswerChanged) {
  folder_.Write("frames/5b<i>.png", "no image");
  const Finished finished = RunStream({"frames", "--report", "page.html"});
  ASSERT_EQ(finished.exit_code, 1) << finished.err;
  const std::string page = Contents(folder_ / "page.html");
  const Finished parsed =
      RunProgram({"/bin/sh", "-c", "xmllint --nonet --noout -"}, {.input = page});
  EXPECT_EQ(parsed.exit_code, 0) << parsed.err;
  for (const char* id : {"time", "answers", "layers", "failed"}) {
    EXPECT_TRUE(Contains(page, std::string("<section id=\"") + id + "\">")) << id;
  }
  size_t cards = 0;
  for (size_t at = page.find("<img"); at != std::string::npos; at = page.find("<img", at + 1)) {
    ++cards;
  }
  EXPECT_EQ(cards, Lines(RunStream({"frames", "--changes-only"}).out).size());
  EXPECT_TRUE(Contains(page, "5b&lt;i&gt;.png"));
  EXPECT_FALSE(Contains(page, "<i>.png") || Contains(page, "<script") || Contains(page, ">nan"));
}

}  // namespace
}  // namespace cssrun::tools
