#include "bench/networks/results.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "fmt/format.h"
#include "tools/output.h"

namespace cssrun::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string Field(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return tools::CsvField(value.get<std::string>());
  if (!value.is_array()) return value.dump();
  std::vector<std::string> elements;
  for (const Json& element : value) elements.push_back(element.dump());
  return fmt::format("{}", fmt::join(elements, " "));
}

// A percentage, or nothing where it is not known.
std::string Percent(const Json& share) {
  return share.is_number() ? fmt::format("{:.1f} %", share.get<double>() * 100) : "";
}

}  // namespace

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<size_t>(std::max(1.0, rank)) - 1];
}

Json Times(const std::vector<double>& seconds_per_image) {
  std::vector<double> ms;
  for (const double seconds : seconds_per_image) ms.push_back(seconds * 1e3);
  const auto count = static_cast<double>(ms.size());
  const double mean = std::accumulate(ms.begin(), ms.end(), 0.0) / count;
  double squares = 0;
  for (const double time : ms) squares += (time - mean) * (time - mean);
  const double median = Percentile(ms, 0.5);
  return {{"rounds", ms.size()},
          {"mean_ms", mean},
          {"stddev_ms", ms.size() > 1 ? std::sqrt(squares / (count - 1)) : 0.0},
          {"median_ms", median},
          {"min_ms", Percentile(ms, 0)},
          {"max_ms", Percentile(ms, 1)},
          {"p90_ms", Percentile(ms, 0.9)},
          {"p95_ms", Percentile(ms, 0.95)},
          {"p99_ms", Percentile(ms, 0.99)},
          {"images_per_second", 1e3 / median},
          {"times_ms", std::move(ms)}};
}

Json RatioToUs(const Contender& contender, const Contender& us) {
  std::vector<double> ratios;
  for (size_t round = 0; round < us.seconds_per_image.size(); ++round) {
    ratios.push_back(contender.seconds_per_image[round] / us.seconds_per_image[round]);
  }
  return {{"median", Percentile(ratios, 0.5)},
          {"quartiles", {Percentile(ratios, 0.25), Percentile(ratios, 0.75)}}};
}

std::string CsvTable(const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) {
    std::vector<std::string> keys;
    std::vector<std::string> fields;
    for (const auto& [key, value] : row.items()) {
      keys.push_back(key);
      fields.push_back(Field(value));
    }
    if (text.empty()) text = fmt::format("{}\n", fmt::join(keys, ","));
    text += fmt::format("{}\n", fmt::join(fields, ","));
  }
  return text;
}

std::string JsonLines(const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) text += row.dump() + '\n';
  return text;
}

std::string MarkdownTable(const std::vector<Json>& rows) {
  std::string text =
      "| name | threads | ms an image | mean ± stddev | min | p99 | images/s | x snn's time "
      "(quartiles) | top-1 | as the ANN |\n|---|---|---|---|---|---|---|---|---|---|\n";
  for (const Json& row : rows) {
    const auto number = [&row](const char* key) { return row[key].get<double>(); };
    text += fmt::format(
        "| {} | {} | {:.3f} | {:.3f} ± {:.3f} | {:.3f} | {:.3f} | {:.1f} | {:.2f} ({:.2f} to "
        "{:.2f}) | {} | {} |\n",
        row["name"].get<std::string>(), row["threads"].get<unsigned>(), number("median_ms"),
        number("mean_ms"), number("stddev_ms"), number("min_ms"), number("p99_ms"),
        number("images_per_second"), number("ratio_to_snn"),
        row["ratio_quartiles"][0].get<double>(), row["ratio_quartiles"][1].get<double>(),
        Percent(row["top1"]), Percent(row["agreement"]));
  }
  return text;
}

}  // namespace cssrun::bench
