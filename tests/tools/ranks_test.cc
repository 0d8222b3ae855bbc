// Tests one run by many processes: the batches handed out, the results that come back, and that the
// output is that of one process.
#include "tools/ranks/ranks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/tools/cli_fixture.h"
#include "tools/ranks/batches.h"
#include "tools/ranks/wire.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

// Makes outcomes that can be distinguished by their steps.
std::vector<FileOutcome> OutcomesOf(const Batch& batch) {
  std::vector<FileOutcome> outcomes(batch.count);
  for (size_t i = 0; i < batch.count; ++i) {
    outcomes[i].answer.steps = static_cast<uint32_t>(batch.first + i);
  }
  return outcomes;
}

TEST(BatchesTest, EveryImageOnceAndInOrder) {
  std::mt19937 random(1);
  for (const size_t images : {0U, 1U, 7U, 8U, 100U, 5000U}) {
    for (const size_t workers : {1U, 2U, 7U}) {
      Batches batches(images, workers, 64);
      std::vector<Batch> out;
      size_t delivered = 0;
      size_t most = 0;
      while (!batches.all_delivered()) {
        // A random worker takes a batch or hands one in.
        const bool takes = out.size() < workers && (out.empty() || random() % 2 == 0);
        const auto batch = takes ? batches.Next() : std::nullopt;
        if (batch.has_value()) {
          EXPECT_GE(batch->count, 1U);
          EXPECT_LE(batch->count, 64U);
          out.push_back(*batch);
          most = std::max(most, batch->first + batch->count - delivered);
          continue;
        }
        ASSERT_FALSE(out.empty()) << "nobody has work, but all is not done";
        std::swap(out[random() % out.size()], out.back());
        const Batch done = out.back();
        out.pop_back();
        EXPECT_TRUE(
            batches.Take(done, OutcomesOf(done), [&](size_t index, const FileOutcome& outcome) {
              EXPECT_EQ(index, delivered);
              EXPECT_EQ(outcome.answer.steps, delivered);
              ++delivered;
              return true;
            }));
      }
      EXPECT_EQ(delivered, images);
      EXPECT_FALSE(batches.Next().has_value());
      // However slow one of the workers is, few images wait for it.
      EXPECT_LE(most, 5 * workers * 64);
    }
  }
}

TEST(BatchesTest, OneSlowWorkerHoldsUpTheOthersInTime) {
  Batches batches(100'000, 2, 10);
  const Batch slow = *batches.Next();
  size_t ahead = 0;
  const auto never = [](size_t, const FileOutcome&) { return false; };
  for (auto batch = batches.Next(); batch.has_value(); batch = batches.Next()) {
    ahead += batch->count;
    EXPECT_TRUE(batches.Take(*batch, OutcomesOf(*batch), never)) << "nothing to deliver yet";
  }
  EXPECT_LE(ahead, 100U);
  EXPECT_FALSE(batches.Take(slow, OutcomesOf(slow), never));
}

FileOutcome RichOutcome() {
  FileOutcome outcome;
  outcome.warning = "Corrupt JPEG data";
  outcome.load_seconds = 0.25;
  outcome.run_seconds = 0.5;
  outcome.answer.logits = {1.5F, -0.0F, 3e-39F};
  outcome.answer.steps = 17;
  outcome.answer.ending = Ending::kSure;
  outcome.answer.layers = {{1, 2, 3, 4.5}, {6, 7, 8, 9.5}};
  outcome.answer.readings = {{5, {1, 2, 3}, 0.5, 99}, {6, {}, 7, 100}};
  return outcome;
}

TEST(WireTest, NothingIsLost) {
  FileOutcome failed;
  failed.status = Status::InvalidArgument("a\xff.png: damaged");
  failed.load_seconds = 3;
  const Bytes bytes = Packed(OutcomeBatch{{40, 2}, {RichOutcome(), failed}});
  const auto unpacked = UnpackOutcomes(bytes);
  ASSERT_TRUE(unpacked.has_value());
  EXPECT_EQ(unpacked->batch.first, 40U);
  ASSERT_EQ(unpacked->outcomes.size(), 2U);
  const FileOutcome& outcome = unpacked->outcomes[0];
  const FileOutcome expected = RichOutcome();
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_EQ(outcome.load_seconds, 0.25);
  EXPECT_EQ(outcome.run_seconds, 0.5);
  EXPECT_EQ(outcome.warning, expected.warning);
  EXPECT_EQ(unpacked->outcomes[1].warning, "");
  EXPECT_EQ(outcome.answer.logits, expected.answer.logits);
  EXPECT_EQ(outcome.answer.steps, 17U);
  EXPECT_EQ(outcome.answer.ending, Ending::kSure);
  ASSERT_EQ(outcome.answer.layers.size(), 2U);
  EXPECT_EQ(outcome.answer.layers[1].spikes, 6U);
  EXPECT_EQ(outcome.answer.layers[1].synops, 7U);
  EXPECT_EQ(outcome.answer.layers[1].macs, 8U);
  EXPECT_EQ(outcome.answer.layers[1].seconds, 9.5);
  ASSERT_EQ(outcome.answer.readings.size(), 2U);
  EXPECT_EQ(outcome.answer.readings[0].step, 5U);
  EXPECT_EQ(outcome.answer.readings[0].logits, expected.answer.readings[0].logits);
  EXPECT_EQ(outcome.answer.readings[0].margin, 0.5);
  EXPECT_EQ(outcome.answer.readings[1].synops, 100U);
  EXPECT_EQ(unpacked->outcomes[1].status.code(), failed.status.code());
  EXPECT_EQ(unpacked->outcomes[1].status.message(), failed.status.message());
  EXPECT_EQ(unpacked->outcomes[1].load_seconds, 3);

  const PathBatch paths{{7, 3}, {"a", "", std::string("\xff\0\n", 3)}};
  const auto path_batch = UnpackPaths(Packed(paths));
  ASSERT_TRUE(path_batch.has_value());
  EXPECT_EQ(path_batch->batch.first, 7U);
  EXPECT_EQ(path_batch->paths, paths.paths);

  RankJob job;
  job.engine = EngineKind::kFloat;
  job.limits.network.timesteps = 9;
  job.limits.image.pixels = 77;
  job.options.threads = 3;
  job.options.statistics = true;
  job.options.profile = true;
  job.options.chunk = 2;
  job.options.early_exit_margin = 0.75;
  job.options.keep_readings = true;
  job.threads = 5;
  job.network_bytes = 123;
  const auto same = UnpackJob(Packed(job));
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(same->engine, EngineKind::kFloat);
  EXPECT_EQ(same->limits.network.timesteps, 9U);
  EXPECT_EQ(same->limits.image.pixels, 77U);
  EXPECT_EQ(same->options.threads, 3U);
  EXPECT_TRUE(same->options.statistics);
  EXPECT_TRUE(same->options.profile);
  EXPECT_EQ(same->options.chunk, 2U);
  EXPECT_EQ(same->options.early_exit_margin, 0.75);
  EXPECT_TRUE(same->options.keep_readings);
  EXPECT_EQ(same->threads, 5U);
  EXPECT_EQ(same->network_bytes, 123U);
  EXPECT_FALSE(UnpackJob(Packed(RankJob{}))->options.early_exit_margin.has_value());
}

TEST(WireTest, CutOrPaddedBytesAreRefused) {
  Bytes outcomes = Packed(OutcomeBatch{{0, 1}, {RichOutcome()}});
  Bytes paths = Packed(PathBatch{{0, 2}, {"one", "two"}});
  Bytes job = Packed(RankJob{});
  for (size_t size = 0; size < outcomes.size(); ++size) {
    EXPECT_FALSE(UnpackOutcomes(std::span(outcomes).first(size)).has_value()) << size;
  }
  for (size_t size = 0; size < paths.size(); ++size) {
    EXPECT_FALSE(UnpackPaths(std::span(paths).first(size)).has_value()) << size;
  }
  for (size_t size = 0; size < job.size(); ++size) {
    EXPECT_FALSE(UnpackJob(std::span(job).first(size)).has_value()) << size;
  }
  for (Bytes* bytes : {&outcomes, &paths, &job}) bytes->push_back(0);
  EXPECT_FALSE(UnpackOutcomes(outcomes).has_value());
  EXPECT_FALSE(UnpackPaths(paths).has_value());
  EXPECT_FALSE(UnpackJob(job).has_value());
  // The count is larger than any message could hold.
  Bytes huge = Packed(PathBatch{{0, size_t{1} << 60}, {}});
  EXPECT_FALSE(UnpackPaths(huge).has_value());
  EXPECT_FALSE(UnpackOutcomes(huge).has_value());
}

TEST(RanksTest, AloneThereIsNothingToJoin) {
  Result<Ranks> ranks = Ranks::Join();
  ASSERT_TRUE(ranks.ok());
  EXPECT_TRUE(ranks.value().leads());
  EXPECT_EQ(ranks.value().Leave(3), 3);
}

class WithoutMpiTest : public CliTest {};

TEST_F(WithoutMpiTest, RunsAloneAndRefusesToBeOneOfMany) {
  WriteSet();
  const std::string program = CSSRUN_WITHOUT_MPI;
  const RunOptions here = {.folder = folder_.path().string()};
  const Finished alone = RunProgram({program, "net.fb", "set"}, here);
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  EXPECT_EQ(alone.out, RunCssrun({"net.fb", "set"}).out);
  const std::string environment = "/usr/bin/env";
  const Finished one =
      RunProgram({environment, "OMPI_COMM_WORLD_SIZE=1", program, "net.fb", "set"}, here);
  EXPECT_EQ(one.out, alone.out);
  ExpectRefusal(RunProgram({environment, "OMPI_COMM_WORLD_SIZE=2", program, "net.fb", "set"}, here),
                2, "built without MPI");
}

class MpirunTest : public CliTest {
 protected:
  void SetUp() override {
    if (std::string(CSSRUN_MPIRUN).empty()) GTEST_SKIP() << "built without MPI";
    CliTest::SetUp();
    // These settings let mpirun run as root in a container, on fewer cores than ranks.
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);
    // A leak checker would report memory that MPI keeps until the end.
    setenv("ASAN_OPTIONS", "detect_leaks=0", 0);
  }

  static std::vector<std::string> Command(int ranks, std::vector<std::string> arguments) {
    const std::string program = CSSRUN_TOOLS_DIR "/cssrun";
    arguments.insert(arguments.begin(),
                     {CSSRUN_MPIRUN, "-n", std::to_string(ranks), program, "net.fb"});
    return arguments;
  }
  Finished RunRanks(int ranks, std::vector<std::string> arguments, RunOptions options = {}) {
    options.folder = folder_.path().string();
    return RunProgram(Command(ranks, std::move(arguments)), options);
  }
};

// Removes what differs from run to run.
Json WithoutTimes(Json summary) {
  for (const char* key : {"seconds", "images_per_second", "load_seconds", "run_seconds",
                          "latency_ms", "peak_rss_bytes"}) {
    summary.erase(key);
  }
  for (Json& layer : summary["layers"]) layer.erase("seconds");
  return summary;
}

TEST_F(MpirunTest, ResultsAndSummaryAreThoseOfOneProcess) {
  for (uint32_t i = 0; i < 300; ++i) {
    WriteImage("set/" + kLabels[i % 5] + "/" + std::to_string(i) + ".png", i);
  }
  folder_.Write("set/ant/broken.png", "no image");
  const std::vector<std::string> arguments = {"set",       "--format", "jsonl",     "--topk",
                                              "3",         "--steps",  "--threads", "1",
                                              "--summary", "run.json"};
  std::vector<std::string> alone = arguments;
  alone.insert(alone.begin(), "net.fb");
  const Finished one = RunCssrun(alone);
  EXPECT_EQ(one.exit_code, 1);
  EXPECT_EQ(Lines(one.out).size(), 301U);
  const Json summary = WithoutTimes(Json::parse(Contents(folder_ / "run.json")));
  for (const int ranks : {1, 2, 4}) {
    std::filesystem::remove(folder_ / "run.json");
    const Finished many = RunRanks(ranks, arguments);
    EXPECT_EQ(many.exit_code, 1) << many.err;
    EXPECT_EQ(many.out, one.out) << ranks;
    EXPECT_EQ(WithoutTimes(Json::parse(Contents(folder_ / "run.json"))).dump(), summary.dump());
  }
}

TEST_F(MpirunTest, EveryOptionReachesEveryRank) {
  for (uint32_t i = 0; i < 60; ++i) WriteImage("set/ant/" + std::to_string(i) + ".png", i);
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--engine", "float"},
                                                  {"--early-exit", "0.5"},
                                                  {"--latency"},
                                                  {"--limit", "pixels=10"}}) {
    std::vector<std::string> arguments = {"set", "--format", "csv", "--threads", "2"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Finished many = RunRanks(2, arguments);
    EXPECT_EQ(many.exit_code, options[0] == "--limit" ? 1 : 0) << many.err;
    arguments.insert(arguments.begin(), "net.fb");
    EXPECT_EQ(many.out, RunCssrun(arguments).out) << options[0];
  }
  std::string list;
  for (int i = 0; i < 60; ++i) list += "set/ant/" + std::to_string(i) + ".png\n";
  EXPECT_EQ(RunRanks(2, {"-", "--report", "page.html"}, {.input = list}).out,
            RunCssrun({"net.fb", "-"}, {.input = list}).out);
  EXPECT_TRUE(Contains(Contents(folder_ / "page.html"), "id=\"hardest\""));
}

TEST_F(MpirunTest, OneMessageAndTheExitCode) {
  const auto messages = [](const Finished& finished) {
    return std::ranges::count_if(
        Lines(finished.err), [](const std::string& line) { return line.starts_with("cssrun:"); });
  };
  WriteImage("a.png", 1);
  const Finished usage = RunRanks(2, {"a.png", "--topk", "0"});
  EXPECT_EQ(usage.exit_code, 2);
  EXPECT_EQ(messages(usage), 1) << usage.err;
  const Finished stream = RunRanks(2, {"--stream", "set"});
  EXPECT_EQ(stream.exit_code, 2);
  EXPECT_EQ(messages(stream), 1) << stream.err;
  EXPECT_TRUE(Contains(stream.err, "run it without mpirun")) << stream.err;
  folder_.Write("net.fb", "no network");
  const Finished bad = RunRanks(2, {"a.png"});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_EQ(messages(bad), 1) << bad.err;
}

TEST_F(MpirunTest, ARankThatDiesEndsTheRunAndItCanBeContinued) {
  // The network is slow enough for the signal to arrive in the middle of the work.
  WriteNetwork("net.fb", oracle::ChainNetwork(8, 12, 1.5F, 1));
  WriteImage("a.png", 1);
  WriteImage("b.png", 2);
  constexpr size_t kImages = 40'000;
  std::string list;
  for (size_t i = 0; i < kImages / 2; ++i) list += std::string("a.png\0b.png\0", 12);
  folder_.Write("list", list);
  const Finished whole = RunCssrun({"net.fb", "--files0-from", "list", "--format", "jsonl"});
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  for (const int ranks : {2, 4}) {
    std::filesystem::remove(folder_ / "done.jsonl");
    std::vector<std::string> command =
        Command(ranks, {"--files0-from", "list", "--threads", "1", "--resume", "done.jsonl"});
    command.insert(command.begin(), {CSSRUN_SOURCE_DIR "/tests/tools/kill_rank.sh",
                                     std::to_string(ranks - 1), "done.jsonl"});
    const Finished killed = RunProgram(command, {.folder = folder_.path().string()});
    EXPECT_NE(killed.exit_code, 0);
    ASSERT_TRUE(Contains(killed.err, "killed rank")) << killed.err;
    const std::string done = Contents(folder_ / "done.jsonl");
    EXPECT_LT(done.size(), whole.out.size());
    EXPECT_TRUE(whole.out.starts_with(done));
    const std::string said =
        std::to_string(Lines(done).size()) + " of 40000 images are done, up to ";
    EXPECT_TRUE(Contains(killed.err, said)) << killed.err;

    const Finished rest = RunRanks(ranks, {"--files0-from", "list", "--resume", "done.jsonl"});
    EXPECT_EQ(rest.exit_code, 0) << rest.err;
    EXPECT_EQ(Contents(folder_ / "done.jsonl"), whole.out);
    EXPECT_TRUE(Contains(rest.err, std::to_string(Lines(done).size()) + " done before"))
        << rest.err;
  }
}

TEST_F(MpirunTest, TheCommandOfTheDocumentation) {
  for (uint32_t i = 0; i < 20; ++i) WriteImage("images/" + std::to_string(i) + ".png", i);
  folder_.Write("machines", "localhost slots=4\n");
  const std::vector<std::string> lines = Lines(Contents(CSSRUN_SOURCE_DIR "/docs/programs.md"));
  const auto command = std::ranges::find_if(
      lines, [](const std::string& line) { return line.starts_with("mpirun "); });
  ASSERT_NE(command, lines.end());
  const std::string path = "PATH=" CSSRUN_TOOLS_DIR ":$PATH ";
  const Finished finished =
      RunProgram({"/bin/sh", "-c", path + *command}, {.folder = folder_.path().string()});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(Contents(folder_ / "results.jsonl"),
            RunCssrun({"net.fb", "images/", "--format", "jsonl"}).out);
}

TEST_F(MpirunTest, ASummaryThatCannotBeWrittenIsAnIoError) {
  WriteImage("a.png", 1);
  std::string list;
  for (int i = 0; i < 2000; ++i) list += "a.png\n";
  const Finished finished = RunRanks(2, {"-", "--summary", "no/such.json"}, {.input = list});
  EXPECT_EQ(finished.exit_code, 4) << finished.err;
  EXPECT_TRUE(Contains(finished.err, "no/such.json: ")) << finished.err;
}

}  // namespace
}  // namespace cssrun::tools
