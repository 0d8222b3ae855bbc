// Tests what cssrun says of pictures that it leaves out or that are not as they should be, and that
// it prepares them as the network's file says.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/network/input_format.h"
#include "tests/tools/cli_fixture.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

class CliPicturesTest : public CliTest {
 protected:
  Json SummaryOf(const std::vector<std::string>& arguments, Finished& finished) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--summary", "run.json"});
    finished = RunCssrun(all);
    return Json::parse(Contents(folder_ / "run.json"), nullptr, false);
  }

  static size_t Count(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++count;
    return count;
  }
};

TEST_F(CliPicturesTest, WhatFoldersHaveBesideIsCountedOnce) {
  WriteSet();
  for (const char* name : {"set/ant/a.gif", "set/bee/b.GIF", "set/c.tiff", "set/notes.txt"}) {
    folder_.Write(name, "x");
  }
  Finished finished;
  const Json json = SummaryOf({"net.fb", "set"}, finished);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(json["images"], 6);
  EXPECT_EQ(json["left_out"], Json({{".gif", 2}, {".tiff", 1}}));
  EXPECT_EQ(Count(finished.err, "3 images are left out of the folders"), 1U) << finished.err;
  EXPECT_TRUE(Contains(finished.err, "2 .gif, 1 .tiff")) << finished.err;
  ExpectRefusal(RunCssrun({"net.fb", "set/none"}), 4, "set/none");
  folder_.Write("only/a.heic", "x");
  ExpectRefusal(RunCssrun({"net.fb", "only"}), 2, "1 .heic");
}

TEST_F(CliPicturesTest, WarningsOfDecodersAreCountedOnce) {
  for (const char* name : {"a.jpg", "b.jfif"}) {
    std::vector<uint8_t> file = EncodeJpeg(NumberedImage(3), JpegKind::kColor);
    file.insert(file.end() - 2, 30, 1);
    folder_.Write(std::string("set/") + name, file);
  }
  WriteImage("set/c.png", 3);
  Finished finished;
  const Json json = SummaryOf({"net.fb", "set"}, finished);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(json["images"], 3);
  EXPECT_EQ(json["warned"], 2);
  EXPECT_EQ(Count(finished.err, "2 images were read with warnings, the first: set/a.jpg: Corrupt"),
            1U)
      << finished.err;
}

TEST_F(CliPicturesTest, EveryKindIsClassified) {
  const Image image = NumberedImage(5);
  folder_.Write("set/a.png", EncodePng(image));
  folder_.Write("set/b.webp", EncodeWebp(image));
  folder_.Write("set/c.bmp", EncodeBmp(image));
  folder_.Write("set/d.ppm", EncodePpm(image));
  const Finished finished = RunCssrun({"net.fb", "set", "--format", "csv"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const std::vector<std::string> lines = Lines(finished.out);
  ASSERT_EQ(lines.size(), 5U);
  for (size_t i = 2; i < 5; ++i) {
    EXPECT_EQ(lines[i].substr(lines[i].find(',')), lines[1].substr(lines[1].find(',')));
  }
}

// Where two classes have one name, either is the right answer to an image of that name.
TEST_F(CliPicturesTest, EitherOfTwoClassesOfOneNameIsRight) {
  WriteSet();
  const Finished before = RunCssrun({"net.fb", "set/ant/0.png"});
  ASSERT_EQ(before.exit_code, 0);
  std::vector<std::string> labels(kLabels.size(), "ant");
  WriteNetwork("twins.fb", SmallNetwork(labels));
  Finished finished;
  const Json json = SummaryOf({"twins.fb", "set", "--steps"}, finished);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(json["top1"], 1.0);  // of the one image in set/ant
  EXPECT_EQ(json["steps"].back()["top1"], 1.0);
  EXPECT_TRUE(Contains(finished.out, "set/ant/0.png  right")) << finished.out;
  EXPECT_EQ(Count(finished.err, "1 label is the name of several classes (ant)"), 1U)
      << finished.err;
  // A run that goes on grades the lines of the earlier one in the same way.
  for (int run = 0; run < 2; ++run) {
    const Json again = SummaryOf({"twins.fb", "set", "--resume", "r.jsonl"}, finished);
    EXPECT_EQ(again["top1"], 1.0) << run;
  }
  // Without a known class, nothing is graded and nothing said.
  EXPECT_FALSE(Contains(RunCssrun({"twins.fb", "set/other"}).err, "several classes"));
}

TEST_F(CliPicturesTest, PicturesArePreparedAsTheFileSays) {
  format::NetworkT network = SmallNetwork(kLabels);
  InputFormat input;
  input.channels = 3;
  input.height = input.width = 4;
  input.mean = network.preprocessing->mean;
  input.stddev = network.preprocessing->stddev;
  input.resizing = Resizing::kFit;
  input.resize_height = input.resize_width = 4;
  input.interpolation = Interpolation::kNearest;
  input.colours = Colours::kBgr;
  input.fill = {200, 10, 90};
  network.preprocessing = internal::PackInput(input);
  WriteNetwork("fit.fb", network);
  const Image picture = PatternImage(9, 5);
  folder_.Write("picture.png", EncodePng(picture));
  // The same pixels as an image of the network's size, whose colours the network exchanges again.
  Image image{4, 4, {}};
  ASSERT_TRUE(Preprocess(input, picture.rgb, 9, 5, image.rgb).ok());
  for (size_t i = 0; i < image.rgb.size(); i += 3) std::swap(image.rgb[i], image.rgb[i + 2]);
  folder_.Write("image.png", EncodePng(image));
  const Finished finished =
      RunCssrun({"fit.fb", "picture.png", "image.png", "--format", "csv", "--topk", "6"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const std::vector<std::string> lines = Lines(finished.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1].substr(lines[1].find(',')), lines[2].substr(lines[2].find(',')));
  const Finished inspected = RunTool("cssinspect", {"fit.fb"});
  EXPECT_TRUE(Contains(inspected.out, "bgr, fitted into 4x4 (nearest)")) << inspected.out;
  const Json json = Json::parse(RunTool("cssinspect", {"fit.fb", "--json"}).out);
  EXPECT_EQ(json["input"]["exif"], false);
}

}  // namespace
}  // namespace cssrun::tools
