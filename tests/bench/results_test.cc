// Tests the statistics of bench_networks, and the forms in which it prints them.
#include "bench/networks/results.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/subprocess.h"

namespace cssrun::bench {
namespace {

using Json = nlohmann::ordered_json;

TEST(ResultsTest, PercentilesAreValuesThatOccurred) {
  const std::vector<double> values = {4, 1, 3, 2};
  EXPECT_EQ(Percentile(values, 0), 1);
  EXPECT_EQ(Percentile(values, 0.25), 1);
  EXPECT_EQ(Percentile(values, 0.5), 2);
  EXPECT_EQ(Percentile(values, 0.75), 3);
  EXPECT_EQ(Percentile(values, 0.76), 4);
  EXPECT_EQ(Percentile(values, 1), 4);
  EXPECT_EQ(Percentile({7}, 0.99), 7);
  EXPECT_EQ(Percentile({}, 0.5), 0);
}

TEST(ResultsTest, TimesAreMillisecondsOfEachRound) {
  const Json times = Times({0.004, 0.001, 0.001});
  EXPECT_EQ(times["rounds"], 3);
  EXPECT_DOUBLE_EQ(times["mean_ms"].get<double>(), 2);
  EXPECT_DOUBLE_EQ(times["stddev_ms"].get<double>(), std::sqrt(3));
  EXPECT_DOUBLE_EQ(times["median_ms"].get<double>(), 1);
  EXPECT_DOUBLE_EQ(times["max_ms"].get<double>(), 4);
  EXPECT_DOUBLE_EQ(times["images_per_second"].get<double>(), 1000);
  EXPECT_EQ(times["times_ms"], Json({4.0, 1.0, 1.0}));
  EXPECT_EQ(Times({0.5})["stddev_ms"], 0);
}

TEST(ResultsTest, RatiosAreOfTheSameRound) {
  Contender us{"us", {}};
  us.seconds_per_image = {1, 2, 4};
  Contender other{"other", {}};
  other.seconds_per_image = {2, 6, 4};
  const Json ratio = RatioToUs(other, us);  // 2, 3, 1
  EXPECT_EQ(ratio["median"], 2);
  EXPECT_EQ(ratio["quartiles"], Json({1.0, 3.0}));
}

TEST(ResultsTest, CsvQuotesTextAndLeavesOutWhatIsUnknown) {
  const std::vector<Json> rows = {{{"name", "a,b"}, {"top1", nullptr}, {"times_ms", {1.5, 2}}},
                                  {{"name", "c"}, {"top1", 0.5}, {"times_ms", {3, 4}}}};
  EXPECT_EQ(CsvTable(rows), "name,top1,times_ms\n\"a,b\",,1.5 2\nc,0.5,3 4\n");
  EXPECT_EQ(CsvTable({}), "");
}

TEST(ResultsTest, MarkdownHasWhatOneCompares) {
  Json row = {{"name", "snn"}, {"threads", 2}};
  row.update(Times({0.001, 0.002, 0.003}));
  row.update(
      {{"ratio_to_snn", 1}, {"ratio_quartiles", {1, 1}}, {"top1", 0.5}, {"agreement", nullptr}});
  const std::string table = MarkdownTable({row});
  EXPECT_TRUE(
      table.ends_with("\n| snn | 2 | 2.000 | 2.000 ± 1.000 | 1.000 | 3.000 | 500.0 | 1.00 (1.00 "
                      "to 1.00) | 50.0 % |  |\n"))
      << table;
}

TEST(ResultsTest, BenchNetworksPrintsARowForEachContenderAndNumberOfThreads) {
  const TemporaryFolder folder;
  const std::string demo = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo";
  const std::string net = folder / "digits.fb";
  const tools::Finished converted = tools::RunProgram(
      {std::string(CSSRUN_TOOLS_DIR) + "/cssconvert", demo + "/digits.onnx", "-o", net,
       "--calibration", demo + "/calibration", "--labels", demo + "/labels.txt", "--mean", "0.5",
       "--std", "0.25", "--timesteps", "4", "--beta", "2", "--silent", "3"});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  const tools::Finished ran = tools::RunProgram(
      {CSSRUN_BENCH_NETWORKS, "--threads", "1,2", demo + "/digits.onnx", net, demo + "/test",
       "--most", "4", "--rounds", "2", "--batch", "1", "--format", "jsonl"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  std::vector<Json> rows;
  std::istringstream text(ran.out);
  for (std::string line; std::getline(text, line);) rows.push_back(Json::parse(line));
  // Of one thread snn, snn_counting, dense; of two also both throughputs.
  ASSERT_EQ(rows.size(), 3U + 5U);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Json& row = rows[i];
    EXPECT_EQ(row["threads"], i < 3 ? 1 : 2);
    EXPECT_EQ(row["times_ms"].size(), 2U);
    EXPECT_LE(row["min_ms"], row["median_ms"]);
    EXPECT_EQ(row["p99_ms"], row["max_ms"]);
    EXPECT_EQ(row["network_crc32"].get<std::string>().size(), 8U);
    EXPECT_FALSE(row["cpu"].get<std::string>().empty());
    EXPECT_FALSE(row["commit"].get<std::string>().empty());
    EXPECT_EQ(row.size(), rows[0].size());
  }
  EXPECT_EQ(rows[0]["name"], "snn");
  EXPECT_EQ(rows[0]["top1"], 1);
  EXPECT_EQ(rows[7]["name"], "dense_throughput");
}

}  // namespace
}  // namespace cssrun::bench
