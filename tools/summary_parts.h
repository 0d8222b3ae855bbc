// What the summaries of images, streams and recordings have in common.
#ifndef CSSRUN_TOOLS_SUMMARY_PARTS_H_
#define CSSRUN_TOOLS_SUMMARY_PARTS_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cssrun/network.h"

namespace cssrun::tools {

// Returns the time, in milliseconds, that this share of the runs did not exceed.
using PercentileFunction = std::function<double(double share)>;

// {"p50": 1.5, ...}
nlohmann::ordered_json LatencyJson(const PercentileFunction& percentile);
// "latency p50 1.50 ms, ..."
std::string LatencyText(const PercentileFunction& percentile);

// "top-1 99.50 %, top-5 100.00 % of 200 images with a known class\n"; top-5 only where it is given.
std::string AccuracyText(double top1_percent, std::optional<double> top5_percent, uint64_t graded,
                         const char* what);

// Adds what the process was and took: its memory at most, its threads and instruction set.
void AddProcess(unsigned threads, nlohmann::ordered_json& json);

// What a layer is. What it did is added behind.
nlohmann::ordered_json LayerJson(const LayerInfo& layer);

// The text of a summary's file.
std::string SummaryFile(const nlohmann::ordered_json& json);

// Adds up one figure of all layers.
template <class Layer, class Number>
double Total(const std::vector<Layer>& layers, Number Layer::*figure) {
  double total = 0;
  for (const Layer& layer : layers) total += static_cast<double>(layer.*figure);
  return total;
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_SUMMARY_PARTS_H_
