// What bench_networks measured, a row for each contender and number of threads, and the forms in
// which it is printed.
#ifndef CSSRUN_BENCH_NETWORKS_RESULTS_H_
#define CSSRUN_BENCH_NETWORKS_RESULTS_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/networks/contender.h"

namespace cssrun::bench {

// Times of rounds, in milliseconds an image, in the names of hyperfine and llama-bench: mean_ms,
// stddev_ms, median_ms, min_ms, max_ms, p90_ms, p95_ms, p99_ms, images_per_second (by the median),
// and times_ms, every round in its order.
nlohmann::ordered_json Times(const std::vector<double>& seconds_per_image);

// How many times as long as `us` a contender takes: the `median` of the rounds' ratios, and their
// `quartiles`.
nlohmann::ordered_json RatioToUs(const Contender& contender, const Contender& us);

// The smallest of the values that at least this share (0 to 1) of them do not exceed; 0 of none.
double Percentile(std::vector<double> values, double share);

// Rows are objects with the same keys. Complete lines:
// - CSV: a line of the keys, then a line for each row; arrays have blanks between their elements;
// - JSON lines: a row each;
// - Markdown: a table of what one compares, without what is the same in all rows.
std::string CsvTable(const std::vector<nlohmann::ordered_json>& rows);
std::string JsonLines(const std::vector<nlohmann::ordered_json>& rows);
std::string MarkdownTable(const std::vector<nlohmann::ordered_json>& rows);

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_NETWORKS_RESULTS_H_
