// Tests cssrun --resume: a run that was interrupted anywhere continues to the same file.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tools/cli_fixture.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

class ResumeTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    WriteSet();
    folder_.Write("set/ant/broken.png", "no image");
    WriteImage("set/dog/\xff\"name.png", 7);
  }

  Finished Resume(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"net.fb", "set", "--topk", "5", "--resume", "done.jsonl"});
    return RunCssrun(more);
  }
  std::string Done() { return Contents(folder_ / "done.jsonl"); }
};

TEST_F(ResumeTest, ABeginningIsAnOrdinaryRun) {
  const Finished plain = RunCssrun({"net.fb", "set", "--topk", "5", "--format", "jsonl"});
  const Finished resumed = Resume({"--format", "jsonl"});
  EXPECT_EQ(resumed.exit_code, plain.exit_code);
  EXPECT_EQ(resumed.out, "");
  EXPECT_EQ(Done(), plain.out);
  EXPECT_EQ(Lines(resumed.err).size(), Lines(plain.err).size());
  // Once everything is done, a further run has nothing to do.
  const Finished again = Resume();
  EXPECT_EQ(again.exit_code, 1) << "an image failed, then as now";
  EXPECT_EQ(Done(), plain.out);
  EXPECT_TRUE(Contains(again.err, "7 images, 1 failed, 8 done before")) << again.err;
}

TEST_F(ResumeTest, GoesOnFromEveryByte) {
  const std::string whole = RunCssrun({"net.fb", "set", "--topk", "5", "--format", "jsonl"}).out;
  ASSERT_EQ(Lines(whole).size(), 8U);
  // Cutting at every byte would be slow, so the file is cut at the ends of lines and at some places
  // between.
  for (size_t size = 0; size <= whole.size(); ++size) {
    const bool at_an_end =
        size + 1 >= whole.size() || whole[size] == '\n' || (size > 0 && whole[size - 1] == '\n');
    if (!at_an_end && size % 97 != 0) continue;
    folder_.Write("done.jsonl", whole.substr(0, size));
    EXPECT_EQ(Resume().exit_code, 1);
    EXPECT_EQ(Done(), whole) << "after " << size << " bytes";
  }
  // A crash of the machine may leave such a line.
  folder_.Write("done.jsonl", Lines(whole)[0] + "\n" + std::string(50, '\0') + "\n");
  EXPECT_EQ(Resume().exit_code, 1);
  EXPECT_EQ(Done(), whole);
}

TEST_F(ResumeTest, TheSummaryCountsWhatWasDoneBefore) {
  EXPECT_EQ(Resume({"--summary", "whole.json", "--steps"}).exit_code, 1);
  const Json whole = Json::parse(Contents(folder_ / "whole.json"));
  EXPECT_FALSE(whole.contains("earlier"));
  const std::vector<std::string> lines = Lines(Done());
  for (size_t kept = 1; kept <= lines.size(); ++kept) {
    std::string begun;
    for (size_t i = 0; i < kept; ++i) begun += lines[i] + "\n";
    folder_.Write("done.jsonl", begun);
    EXPECT_EQ(Resume({"--summary", "rest.json", "--steps"}).exit_code, 1);
    const Json rest = Json::parse(Contents(folder_ / "rest.json"));
    EXPECT_EQ(rest["earlier"], kept);
    for (const char* key : {"images", "failed", "top1", "top5"}) {
      EXPECT_EQ(rest[key], whole[key]) << key << " with " << kept;
    }
    if (kept < lines.size()) {
      EXPECT_GT(rest["synops_per_image"].get<double>(), 0);
      EXPECT_LE(
          rest["steps"].back()["top1"].is_null() ? 0 : rest["steps"].back()["top1"].get<double>(),
          1);
    }
  }
  // A line with fewer than five classes does not say whether the right one is among the best five.
  std::filesystem::remove(folder_ / "done.jsonl");
  RunCssrun({"net.fb", "set", "--resume", "done.jsonl"});
  RunCssrun({"net.fb", "set", "--resume", "done.jsonl", "--summary", "rest.json"});
  const Json rest = Json::parse(Contents(folder_ / "rest.json"));
  EXPECT_EQ(rest["top1"], whole["top1"]);
  EXPECT_TRUE(rest["top5"].is_null() || rest["top1"] == 1.0);
}

TEST_F(ResumeTest, AReportSaysWhatItLacks) {
  EXPECT_EQ(Resume({"--report", "page.html"}).exit_code, 1);
  EXPECT_FALSE(Contains(Contents(folder_ / "page.html"), "earlier run"));
  folder_.Write("done.jsonl", Lines(Done())[0] + "\n" + Lines(Done())[1] + "\n");
  EXPECT_EQ(Resume({"--report", "page.html"}).exit_code, 1);
  const std::string page = Contents(folder_ / "page.html");
  EXPECT_TRUE(Contains(page, "2 were done by an earlier run")) << page.substr(0, 20);
  EXPECT_TRUE(Contains(page, "of 6 images with a known class"));
  // Everything was done before, so that only the accuracy can be shown.
  EXPECT_EQ(Resume({"--report", "page.html"}).exit_code, 1);
  EXPECT_TRUE(Contains(Contents(folder_ / "page.html"), "8 were done by an earlier run"));
}

TEST_F(ResumeTest, FilesOfAnotherRunAreRefused) {
  EXPECT_EQ(Resume().exit_code, 1);
  const std::string whole = Done();
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& message) {
    ExpectRefusal(RunCssrun(arguments), 2, message);
    EXPECT_EQ(Done(), whole) << "nothing was touched";
  };
  refused({"net.fb", "set", "--resume", "done.jsonl", "--topk", "4"}, "done.jsonl: line 1 is not");
  refused({"net.fb", "set/bee", "--topk", "5", "--resume", "done.jsonl"}, "set/bee/1.png");
  refused({"net.fb", "set/ant", "--topk", "5", "--resume", "done.jsonl"}, "line 1 is not");
  refused({"net.fb", "set", "--resume", "done.jsonl", "--format", "csv"}, "--format csv");
  WriteNetwork("other.fb", SmallNetwork({"ant", "bee"}));
  refused({"other.fb", "set", "--topk", "5", "--resume", "done.jsonl"}, "line 1 is not");
  std::filesystem::remove(folder_ / "set/dog/\xff\"name.png");
  refused({"net.fb", "set", "--topk", "5", "--resume", "done.jsonl"}, "line ");

  folder_.Write("text.jsonl", "a\nb\n");
  ExpectRefusal(RunCssrun({"net.fb", "set", "--resume", "text.jsonl"}), 2, "text.jsonl: line 1 ");
  for (const std::string line :
       {"{}", "[]", "7", "null", "\"path\"", "{\"path\":1,\"truth\":{}}"}) {
    folder_.Write("text.jsonl", line + "\n");
    ExpectRefusal(RunCssrun({"net.fb", "set", "--resume", "text.jsonl"}), 2, "text.jsonl: line 1 ");
  }
}

TEST_F(ResumeTest, FilesThatCannotBeWritten) {
  ExpectRefusal(RunCssrun({"net.fb", "set", "--resume", "no/such.jsonl"}), 4, "no/such.jsonl: ");
  ExpectRefusal(RunCssrun({"net.fb", "set", "--resume", "set"}), 4, "set: ");
  ExpectRefusal(RunCssrun({"net.fb", "set", "--resume", "/dev/full"}), 4, "/dev/full: ");
  // The disk is full in the middle of a run: the results that fit are kept, and the run continues
  // when there is room.
  for (uint32_t i = 0; i < 60; ++i) WriteImage("many/" + std::to_string(i) + ".png", i);
  const std::string whole = RunCssrun({"net.fb", "many", "--format", "jsonl"}).out;
  const std::string command =
      "trap '' XFSZ; ulimit -f 4; exec " CSSRUN_TOOLS_DIR "/cssrun net.fb many --resume many.jsonl";
  ExpectRefusal(RunProgram({"/bin/sh", "-c", command}, {.folder = folder_.path().string()}), 4,
                "many.jsonl: cannot write");
  const std::string begun = Contents(folder_ / "many.jsonl");
  EXPECT_GT(begun.size(), 0U);
  EXPECT_TRUE(whole.starts_with(begun));
  EXPECT_EQ(RunCssrun({"net.fb", "many", "--resume", "many.jsonl"}).exit_code, 0);
  EXPECT_EQ(Contents(folder_ / "many.jsonl"), whole);
}

TEST_F(ResumeTest, OneRunAtATime) {
  const std::string path = folder_.Write("done.jsonl", "");
  const int other = open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(flock(other, LOCK_EX), 0);
  ExpectRefusal(Resume(), 2, "done.jsonl: another run");
  close(other);
  EXPECT_EQ(Resume().exit_code, 1);
}

}  // namespace
}  // namespace cssrun::tools
