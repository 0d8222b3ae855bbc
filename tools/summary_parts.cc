#include "tools/summary_parts.h"

#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "cssrun/version.h"
#include "fmt/format.h"
#include "tools/summary_text.h"

namespace cssrun::tools {
namespace {

struct NamedShare {
  const char* name;
  double share;
};
constexpr NamedShare kPercentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}};

uint64_t PeakRssBytes() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace

nlohmann::ordered_json LatencyJson(const PercentileFunction& percentile) {
  nlohmann::ordered_json json;
  for (const NamedShare& named : kPercentiles) json[named.name] = percentile(named.share);
  return json;
}

std::string LatencyText(const PercentileFunction& percentile) {
  std::string text;
  for (const NamedShare& named : kPercentiles) {
    text += fmt::format("{} {} {:.2f} ms", text.empty() ? "latency" : ",", named.name,
                        percentile(named.share));
  }
  return text;
}

std::string AccuracyText(double top1_percent, std::optional<double> top5_percent, uint64_t graded,
                         const char* what) {
  std::string text = fmt::format("top-1 {:.2f} %", top1_percent);
  if (top5_percent.has_value()) text += fmt::format(", top-5 {:.2f} %", *top5_percent);
  return text + fmt::format(" of {} with a known class\n", Plural(graded, what));
}

void AddProcess(unsigned threads, nlohmann::ordered_json& json) {
  json["peak_rss_bytes"] = PeakRssBytes();
  json["threads"] = threads;
  json["simd_target"] = SimdTarget();
}

nlohmann::ordered_json LayerJson(const LayerInfo& layer) {
  return {{"name", layer.name}, {"kind", LayerKindName(layer.kind)}, {"neurons", layer.neurons}};
}

std::string SummaryFile(const nlohmann::ordered_json& json) {
  // Layer names come from the model and need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace cssrun::tools
