// Tests the protocol of opponents with scripts of a line, and bench_networks with one of them.
#include "bench/networks/opponent.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/subprocess.h"

namespace cssrun::bench {
namespace {

const std::string kDemo = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo";
const std::string kTools = CSSRUN_TOOLS_DIR;

Pictures TwoPictures() {
  Pictures pictures;
  pictures.normalized = {{1, 2, 3}, {4, 5, 6}};
  pictures.set.pixels.resize(2);
  return pictures;
}

std::shared_ptr<Opponent> Start(const std::string& command) {
  auto opponent = Opponent::Start(command);
  EXPECT_TRUE(opponent.ok());
  return std::move(opponent).value();
}

// What a turn and the answers of a command fail with.
std::string WhyNoTime(const std::string& command) {
  const auto seconds = Start(command)->Run(0, 1);
  EXPECT_FALSE(seconds.ok());
  return seconds.ok() ? "" : seconds.status().message();
}
std::string WhyNoAnswers(const std::string& command) {
  const auto answers = Start(command)->Answers(2);
  EXPECT_FALSE(answers.ok());
  return answers.ok() ? "" : answers.status().message();
}

void ExpectHas(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(OpponentTest, StaysAliveAndTakesTurns) {
  // Its reply is the number of the request, and so is the first class.
  const auto opponent = Start(
      "n=0; while read what first count; do n=$((n + 1)); "
      "if [ $what = run ]; then echo $n$first$count; else echo $n 7; fi; done");
  const Contender contender = ContenderOf("fake", opponent, 2);
  const auto first = contender.turn(3, 2);  // 132 ms an image
  ASSERT_TRUE(first.ok());
  EXPECT_DOUBLE_EQ(first.value(), 0.132 * 2);
  const auto answers = contender.answer();
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ(answers.value(), (std::vector<size_t>{2, 7}));
  const auto third = contender.turn(5, 4);
  ASSERT_TRUE(third.ok());
  EXPECT_DOUBLE_EQ(third.value(), 0.354 * 4);
}

TEST(OpponentTest, SaysWhatIsWrongWithAReply) {
  ExpectHas(WhyNoTime("read line; echo soon"), "not the milliseconds of an image");
  ExpectHas(WhyNoTime("read line; echo 3 ms"), "not the milliseconds of an image");
  ExpectHas(WhyNoTime("read line; echo -1"), "not the milliseconds of an image");
  ExpectHas(WhyNoTime("read line; echo inf"), "not the milliseconds of an image");
  ExpectHas(WhyNoTime("exit 3"), "it ended instead of replying to \"run 0 1\"");
  ExpectHas(Start("read line; echo much")->MemoryMib().status().message(),
            "it replied \"much\n\" to \"memory\" and not the MiB of a process");
  ExpectHas(WhyNoAnswers("read line; echo 1 2 3"), "3 numbers of classes for 2 pictures");
  ExpectHas(WhyNoAnswers("read line; echo 1 cat"), "1 numbers of classes for 2 pictures");
}

TEST(OpponentTest, FindsThePicturesInAFile) {
  const auto file = PictureFile::Write(TwoPictures());
  ASSERT_TRUE(file.ok());
  const auto named =
      ParseOpponent("count=read line; wc -c {pictures} | sed 's/ .*//'", file.value().path(), "");
  ASSERT_TRUE(named.ok()) << named.status().message();
  EXPECT_EQ(named.value().name, "count");
  const auto bytes = Start(named.value().command)->Run(0, 1);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  EXPECT_DOUBLE_EQ(bytes.value() * 1e3, 6 * sizeof(float));
}

TEST(OpponentTest, RefusesOptionsThatMakeNoSense) {
  for (const char* option : {"true", "=true", "a b=true", "sh -c 'x=1'"}) {
    const auto named = ParseOpponent(option, "p", "c");
    ASSERT_FALSE(named.ok()) << option;
    ExpectHas(named.status().message(), "write --opponent NAME='COMMAND'");
  }
  const auto named = ParseOpponent("a=run {calibration}", "p", "");
  ASSERT_FALSE(named.ok());
  ExpectHas(named.status().message(), "{calibration} needs --calibration FOLDER");
}

TEST(OpponentTest, StandsBesideTheOthersInTheResult) {
  const TemporaryFolder folder;
  const std::string net = folder / "digits.fb";
  const tools::Finished converted =
      tools::RunProgram({kTools + "/cssconvert", kDemo + "/digits.onnx", "-o", net, "--calibration",
                         kDemo + "/calibration", "--labels", kDemo + "/labels.txt", "--mean", "0.5",
                         "--std", "0.25", "--timesteps", "4", "--beta", "2", "--silent", "3"});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  // The first pictures, of the folder "eight", all show one; it calls two of them zero.
  const std::string fake =
      "fake=while read what rest; do case $what in run) echo 2.5;; memory) echo 30.5;; "
      "*) echo 8 8 8 8 8 0 8 8 8 8 8 0;; esac; done";
  const tools::Finished ran = tools::RunProgram(
      {CSSRUN_BENCH_NETWORKS, kDemo + "/digits.onnx", net, kDemo + "/test", "--calibration",
       kDemo + "/calibration", "--most", "12", "--seconds", "0.01", "--opponent", fake});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["pictures"], 12);
  EXPECT_DOUBLE_EQ(json["ms_per_image"]["fake"].get<double>(), 2.5);
  EXPECT_DOUBLE_EQ(json["load"]["fake"]["peak_mib"].get<double>(), 30.5);
  EXPECT_DOUBLE_EQ(json["agreement"]["dense"].get<double>(), 1);
  for (const char* name : {"snn", "dense", "dense_int8", "fake"}) {
    EXPECT_GE(json["top1"][name].get<double>(), 0.0) << name;
    EXPECT_GT(json["ratio_to_snn"][name]["median"].get<double>(), 0) << name;
    EXPECT_EQ(json["ratio_to_snn"][name]["quartiles"].size(), 2U) << name;
  }
  EXPECT_GT(json["ratio_to_snn"]["snn_counting"]["median"].get<double>(), 0);
  EXPECT_DOUBLE_EQ(json["top1"]["fake"].get<double>(), 10.0 / 12);
  EXPECT_GE(json["top1"]["dense_int8"].get<double>(), 11.0 / 12);
  EXPECT_EQ(json["times_ms"]["snn"].size(), json["rounds"]);
}

}  // namespace
}  // namespace cssrun::bench
