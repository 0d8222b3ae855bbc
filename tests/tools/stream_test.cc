// Tests the parts of cssrun --stream in memory: sources, lines, sums, what the report keeps.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/encode_images.h"
#include "tests/tools/test_network.h"
#include "tools/report/stream_tally.h"
#include "tools/stream/frame_source.h"
#include "tools/stream/stream_arguments.h"
#include "tools/stream/stream_lines.h"
#include "tools/stream/stream_summary.h"
#include "tools/stream/video.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

const std::atomic<bool> kNeverStopped = false;

SourceRequest RequestFor(const std::string& source) {
  SourceRequest request;
  request.source = source;
  request.most_frames = 1000;
  request.stop = &kNeverStopped;
  return request;
}

// An image whose every number is `shade`.
Image Plain(uint32_t side, uint8_t shade) {
  return {side, side, std::vector<uint8_t>(size_t{side} * side * 3, shade)};
}

TEST(FrameSizeTest, IsWidthTimesHeight) {
  const auto size = ParseFrameSize("640x360");
  ASSERT_TRUE(size.has_value());
  EXPECT_EQ(size->width, 640U);
  EXPECT_EQ(size->height, 360U);
  for (const char* text : {"", "640", "640x", "x360", "640x0", "0x3", "-1x3", "640X360", "1x2x3",
                           "640x360 ", "4294967296x1", "6.4x3"}) {
    EXPECT_FALSE(ParseFrameSize(text).has_value()) << text;
  }
}

TEST(FolderFramesTest, AreInTheOrderOfTheirNumbersAndDamageIsPassedOver) {
  const TemporaryFolder folder;
  folder.Write("f/frame1.ppm", EncodePpm(Plain(2, 1)));
  folder.Write("f/frame2.ppm", "P6\n2 2\n255\n");
  folder.Write("f/frame10.ppm", EncodePpm(Plain(3, 10)));
  folder.Write("f/frame9.ppm", EncodePpm(Plain(2, 9)));
  folder.Write("f/notes.txt", "no frame");
  Result<FrameSource> source = OpenSource(RequestFor(folder / "f"));
  ASSERT_TRUE(source.ok()) << source.status().message();
  Frame frame;
  std::string order;
  for (;;) {
    const Result<Delivered> delivered = source.value().next(frame);
    ASSERT_TRUE(delivered.ok());
    if (delivered.value() == Delivered::kEnd) break;
    if (delivered.value() == Delivered::kDamaged) {
      EXPECT_TRUE(frame.error.starts_with(frame.name)) << frame.error;
      order += "damaged ";
    } else {
      order += std::to_string(frame.image.rgb[0]) + " ";
    }
  }
  EXPECT_EQ(order, "1 damaged 9 10 ");

  SourceRequest few = RequestFor(folder / "f");
  few.most_frames = 3;
  EXPECT_NE(OpenSource(few).status().message().find("more than 3 frames"), std::string::npos);
  few.size = FrameSize{2, 2};
  EXPECT_NE(OpenSource(few).status().message().find("leave --size out"), std::string::npos);
}

// Frames of one shade each, as a video without compression.
std::string PlainVideo(const std::vector<uint8_t>& shades) {
  std::string video = "YUV4MPEG2 W8 H6 F25:1 Ip A1:1 C444\n";
  for (const uint8_t shade : shades) {
    video += "FRAME\n" + std::string(48, static_cast<char>(shade)) + std::string(96, '\x80');
  }
  return video;
}

std::string JpegVideo(uint32_t frames) {
  std::string video;
  for (uint32_t i = 0; i < frames; ++i) {
    const std::vector<uint8_t> jpeg =
        EncodeJpeg(Plain(16, static_cast<uint8_t>(40 * i)), JpegKind::kColor);
    video.append(jpeg.begin(), jpeg.end());
  }
  return video;
}

class VideoTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(CSSRUN_VIDEO_MODULE).empty()) GTEST_SKIP() << "built without FFmpeg";
    std::string why;
    open_ = LoadVideoModule(CSSRUN_VIDEO_MODULE, why);
    ASSERT_NE(open_, nullptr) << why;
  }

  struct Seen {
    Status status;
    std::vector<Frame> frames;
    size_t damaged = 0;
  };
  // Reads the video to its end.
  Seen Read(const std::string& video, SourceRequest request = RequestFor("")) {
    request.source = folder_.Write("video", video);
    Result<FrameSource> source = Status::Ok();
    open_(request, false, source);
    Seen seen;
    if (!source.ok()) {
      seen.status = source.status();
      return seen;
    }
    Frame frame;
    for (;;) {
      const Result<Delivered> delivered = source.value().next(frame);
      seen.status = delivered.status();
      if (!delivered.ok() || delivered.value() == Delivered::kEnd) return seen;
      if (delivered.value() == Delivered::kFrame) {
        seen.frames.push_back(frame);
      } else {
        EXPECT_FALSE(frame.error.empty());
        ++seen.damaged;
      }
    }
  }

  OpenVideoFunction* open_ = nullptr;
  TemporaryFolder folder_;
};

TEST_F(VideoTest, FramesHaveTheirColoursAndTimes) {
  const Seen seen = Read(PlainVideo({16, 125, 235}));
  ASSERT_TRUE(seen.status.ok()) << seen.status.message();
  ASSERT_EQ(seen.frames.size(), 3U);
  EXPECT_EQ(seen.damaged, 0U);
  // Video levels, 16 to 235.
  const std::vector<int> shades = {0, 127, 255};
  for (size_t i = 0; i < 3; ++i) {
    const Image& image = seen.frames[i].image;
    ASSERT_EQ(image.width, 8U);
    ASSERT_EQ(image.height, 6U);
    ASSERT_EQ(image.rgb.size(), 8U * 6 * 3);
    for (const uint8_t pixel : image.rgb) EXPECT_NEAR(pixel, shades[i], 1);
    EXPECT_NEAR(seen.frames[i].seconds.value_or(-1), 0.04 * static_cast<double>(i), 1e-9);
  }
}

TEST_F(VideoTest, DamagedFramesAreCountedAndTheOthersRead) {
  std::string video = JpegVideo(6);
  const size_t each = video.size() / 6;
  ASSERT_EQ(Read(video).frames.size(), 6U);
  // The third frame's size: 65,535 x 65,535.
  const size_t sizes = video.find("\xFF\xC0", 2 * each) + 5;
  video.replace(sizes, 4, 4, '\xFF');
  const Seen seen = Read(video);
  EXPECT_TRUE(seen.status.ok()) << seen.status.message();
  EXPECT_GE(seen.damaged, 1U);
  EXPECT_GE(seen.frames.size(), 4U);
}

TEST_F(VideoTest, KeepsTheLimits) {
  SourceRequest request = RequestFor("");
  request.most_frames = 2;
  EXPECT_NE(Read(PlainVideo({1, 2, 3}), request).status.message().find("\"frames\""),
            std::string::npos);
  EXPECT_EQ(Read(PlainVideo({1, 2}), request).frames.size(), 2U);
  request.limits.side = 7;
  EXPECT_NE(Read(PlainVideo({1, 2}), request).status.message().find("\"side\""), std::string::npos);
  request.limits = {};
  request.limits.pixels = 47;
  const Status status = Read(PlainVideo({1, 2}), request).status;
  EXPECT_FALSE(status.ok());
}

TEST_F(VideoTest, SaysThatAFileEndsWithinAFrame) {
  const std::string whole = PlainVideo({16, 125, 235});
  const size_t each = PlainVideo({16, 125}).size() - PlainVideo({16}).size();
  for (const size_t missing : {size_t{1}, each / 2, each - 1}) {
    const Seen seen = Read(whole.substr(0, whole.size() - missing));
    EXPECT_TRUE(seen.status.ok()) << seen.status.message();
    EXPECT_EQ(seen.frames.size(), 2U) << missing;
    EXPECT_EQ(seen.damaged, 1U) << missing;
  }
  EXPECT_EQ(Read(whole.substr(0, whole.size() - each)).damaged, 0U);
}

TEST_F(VideoTest, OpensNoOtherFile) {
  const std::string inner = folder_.Write("inner.y4m", PlainVideo({16, 17}));
  for (const std::string& list : std::vector<std::string>{
           "ffconcat version 1.0\nfile '" + inner + "'\n",
           "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + inner + "\n#EXT-X-ENDLIST\n",
           "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP "
           "96\n"
           "a=rtpmap:96 H264/90000\n"}) {
    const Seen seen = Read(list);
    EXPECT_EQ(seen.status.code(), StatusCode::kInvalidArgument) << list;
    EXPECT_TRUE(seen.frames.empty());
  }
}

TEST_F(VideoTest, SurvivesDamage) {
  SourceRequest request = RequestFor("");
  request.limits.pixels = 1 << 16;
  std::mt19937 random(7);
  size_t read = 0;
  for (const std::string& sound : {PlainVideo({16, 99, 200, 3}), JpegVideo(4)}) {
    for (int i = 0; i < 150; ++i) {
      std::string damaged = sound;
      const size_t count = 1 + random() % 8;
      for (size_t k = 0; k < count; ++k) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      if (i % 5 == 0) damaged.resize(random() % damaged.size());
      const Seen seen = Read(damaged, request);
      EXPECT_TRUE(seen.status.ok() || !seen.status.message().empty());
      for (const Frame& frame : seen.frames) {
        EXPECT_EQ(frame.image.rgb.size(), size_t{frame.image.width} * frame.image.height * 3);
      }
      read += seen.frames.size();
    }
  }
  EXPECT_GT(read, 300U);
}

StreamAnswer AnswerOf(uint64_t frame, double seconds, uint64_t changed) {
  StreamAnswer answer;
  answer.logits = {1, 3, 2};
  answer.frame = frame;
  answer.neurons = 100;
  answer.changed = changed;
  answer.updates = 10 * changed;
  answer.synops = 1000;
  answer.seconds = seconds;
  answer.layers.resize(4);
  answer.layers[1] = {.neurons = 100,
                      .changed = changed,
                      .touched = 2 * changed,
                      .spikes = 50,
                      .synops = 1000,
                      .updates = 10 * changed,
                      .seconds = seconds};
  return answer;
}

FrameResult ResultOf(uint64_t number, size_t answer) {
  FrameResult result;
  result.number = number;
  result.guesses = {{answer, "a \"b\"\x1b", 3, 0.75}};
  return result;
}

TEST(StreamLinesTest, AllFormatsSayTheSame) {
  const auto network = Loaded(SettledNetwork({"a", "b", "c"}));
  FrameResult result = ResultOf(12, 1);
  result.name = "f,\x1b.png";
  result.seconds = 0.48;
  const StreamAnswer answer = AnswerOf(12, 0.0015, 8);
  const auto line = [&](OutputFormat format) {
    return StreamLine(format, result, answer, *network, 1);
  };
  EXPECT_EQ(
      line(OutputFormat::kText),
      "    12  f,\\x1b.png  0.480 s  a \"b\"\\x1b 75.0%  1.500 ms  8.0% changed  0.00 M SyOPs\n");
  EXPECT_EQ(StreamHeader(OutputFormat::kCsv, 1),
            "frame,name,time,label1,probability1,logit1,ms,changed,updates,synops,error\n");
  EXPECT_EQ(
      line(OutputFormat::kCsv),
      "12,\"f,\\x1b.png\",0.480000,\"a \"\"b\"\"\\x1b\",0.750000,3,1.5000,0.080000,80,1000,\n");
  const Json json = Json::parse(line(OutputFormat::kJsonLines));
  EXPECT_EQ(json["frame"], 12);
  EXPECT_EQ(json["name"], result.name);
  EXPECT_EQ(json["time"], 0.48);
  EXPECT_EQ(json["top"][0]["label"], result.guesses[0].label);
  EXPECT_EQ(json["ms"], 1.5);
  EXPECT_EQ(json["changed"], 0.08);
  EXPECT_EQ(json["updates"], 80);
  EXPECT_EQ(json["synops"], 1000);
  EXPECT_TRUE(json["error"].is_null());

  result.error = "f: broken";
  result.guesses.clear();
  EXPECT_EQ(line(OutputFormat::kText), "");
  EXPECT_EQ(line(OutputFormat::kCsv), "12,\"f,\\x1b.png\",0.480000,,,,,,,,f: broken\n");
  const Json failed = Json::parse(line(OutputFormat::kJsonLines));
  EXPECT_EQ(failed["error"], "f: broken");
  EXPECT_TRUE(failed["ms"].is_null() && failed["top"].empty());
}

TEST(DurationsTest, PercentilesAreRightToOnePercent) {
  Durations durations;
  EXPECT_EQ(durations.Percentile(0.5), 0);
  for (int i = 1; i <= 1000; ++i) durations.Add(i * 1e-5);
  EXPECT_NEAR(durations.Percentile(0.5), 500e-5, 5e-5);
  EXPECT_NEAR(durations.Percentile(0.99), 990e-5, 10e-5);
  durations.Add(0);
  durations.Add(1e9);
  EXPECT_GT(durations.Percentile(1), 3600);
}

TEST(StreamSummaryTest, TheFirstFrameIsNoChange) {
  const auto network = Loaded(SettledNetwork({"a", "b", "c"}));
  StreamOptions options;
  options.hold = 4;
  StreamSummary summary(*network, options);
  summary.Add(AnswerOf(0, 0.004, 100));
  summary.Add(AnswerOf(1, 0.001, 8));
  summary.Add(AnswerOf(2, 0.001, 4));
  summary.AddDamaged();
  summary.Finish(0.5);
  EXPECT_NEAR(summary.ChangedShare(), 0.06, 1e-12);
  EXPECT_NEAR(summary.ChangedShare(1), 0.06, 1e-12);
  EXPECT_NEAR(summary.TouchedShare(1), 0.12, 1e-12);
  EXPECT_EQ(summary.ChangedShare(3), 0);
  EXPECT_EQ(summary.SynopsPerFrame(), 1000);
  const Json json = Json::parse(summary.ToJson());
  EXPECT_EQ(json["frames"], 3);
  EXPECT_EQ(json["damaged"], 1);
  EXPECT_EQ(json["frames_per_second"], 6);
  EXPECT_EQ(json["hold"], 4);
  EXPECT_NEAR(json["latency_ms"]["p50"].get<double>(), 1, 0.01);
  EXPECT_NEAR(json["latency_ms"]["p95"].get<double>(), 4, 0.04);
  EXPECT_EQ(json["layers"].size(), 4U);
  EXPECT_NE(summary.ToText().find("3 frames, 1 damaged in 0.50 s: 6.0 frames/s"), std::string::npos)
      << summary.ToText();
}

TEST(StreamTallyTest, ItsMemoryHasAnEnd) {
  StreamTally tally;
  const Image image = Plain(4, 9);
  constexpr uint64_t kFrames = 5000;
  for (uint64_t i = 0; i < kFrames; ++i) {
    tally.Add(ResultOf(i, i / 2 % 3), AnswerOf(i, i == 77 ? 1.0 : 0.001, i % 100), image);
    FrameResult failed;
    failed.error = "broken";
    tally.AddDamaged(failed);
  }
  EXPECT_LE(tally.bins().size(), StreamTally::kMostBins);
  EXPECT_EQ(tally.BinSize(), 16U);
  uint64_t frames = 0;
  double changed = 0;
  double slowest = 0;
  for (const StreamTally::Bin& bin : tally.bins()) {
    frames += bin.frames;
    changed += bin.changed;
    slowest = std::max(slowest, bin.slowest);
  }
  EXPECT_EQ(frames, kFrames);
  EXPECT_NEAR(changed / kFrames, 0.495, 1e-9);
  EXPECT_EQ(slowest, 1.0);
  ASSERT_EQ(tally.stretches().size(), StreamTally::kMostStretches);
  EXPECT_EQ(tally.stretches()[5].answer, 2U);
  EXPECT_EQ(tally.stretches()[5].first, 10U);
  EXPECT_EQ(tally.stretches()[5].last, 11U);
  ASSERT_EQ(tally.changes().size(), StreamTally::kMostPictures);
  EXPECT_EQ(tally.changes()[1].frame.number, 2U);
  EXPECT_TRUE(tally.changes()[1].picture.has_value());
  EXPECT_EQ(tally.failures().size(), StreamTally::kMostFailures);
}

}  // namespace
}  // namespace cssrun::tools
