#include "converter/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "converter/default_code.h"
#include "fmt/format.h"

namespace cssrun::converter {
namespace {

using Json = nlohmann::ordered_json;

bool WasCalibrated(const LayerReport& layer) {
  return layer.kind == LayerKind::kNeurons || layer.kind == LayerKind::kPooledNeurons;
}

std::string JoinDelays(const std::vector<uint32_t>& delays) {
  std::string text;
  for (const uint32_t delay : delays) text += fmt::format("{}{}", text.empty() ? "" : "+", delay);
  return text;
}

std::string Percent(double share) { return fmt::format("{:.2f} %", share * 100); }

const char* NameOf(AmplitudeRule rule) {
  switch (rule) {
    case AmplitudeRule::kMaximum:
      return "maximum";
    case AmplitudeRule::kLeastSquares:
      return "least-squares";
    case AmplitudeRule::kPercentile:
      break;
  }
  return "percentile";
}

Json ShareOrNull(double share) { return share < 0 ? Json() : Json(share); }

std::string DescribeComparison(const char* set, const Comparison& comparison) {
  std::string text =
      comparison.agreement < 0
          ? fmt::format("{} {} images: relative error of the outputs {}", comparison.images, set,
                        Percent(comparison.relative_logit_error))
          : fmt::format("{} {} images: agreement with the ANN {}, relative logit error {}",
                        comparison.images, set, Percent(comparison.agreement),
                        Percent(comparison.relative_logit_error));
  if (comparison.ann_top1 >= 0) {
    text += fmt::format(", top-1 ANN {}, SNN {}", Percent(comparison.ann_top1),
                        Percent(comparison.snn_top1));
  }
  text += fmt::format("; {:.0f} spikes and {:.2f} M SyOPs", comparison.spikes_per_image,
                      comparison.synops_per_image / 1e6);
  if (comparison.direct_macs_per_image > 0) {
    text += fmt::format(" and {:.2f} M MACs of pixels", comparison.direct_macs_per_image / 1e6);
  }
  return text + " an image\n";
}

Json ComparisonToJson(const Comparison& comparison) {
  Json json;
  json["images"] = comparison.images;
  json["agreement"] = ShareOrNull(comparison.agreement);
  json["relative_logit_error"] = comparison.relative_logit_error;
  json["ann_top1"] = ShareOrNull(comparison.ann_top1);
  json["snn_top1"] = ShareOrNull(comparison.snn_top1);
  json["spikes_per_image"] = comparison.spikes_per_image;
  json["synops_per_image"] = comparison.synops_per_image;
  json["direct_macs_per_image"] = comparison.direct_macs_per_image;
  return json;
}

std::string DescribeAmplitudes(const FrontierPoint& point) {
  std::string text = NameOf(point.amplitudes.rule);
  if (point.amplitudes.per_channel) text += ", per channel";
  if (point.changes > 0) text += fmt::format(", {} changes", point.changes);
  return text;
}

// Formats the frontier that the search found, the cheapest setting first.
std::string FormatFrontier(const std::vector<FrontierPoint>& frontier) {
  std::string text = fmt::format(
      "\n{:1} {:>2}  {:>4}  {:>2}  {:>9}  {:>6}  {:<44}  {:>9}  {:>10}  {:>9}  {:>7}  {:>6}\n", "",
      "T", "beta", "L", "threshold", "input", "amplitudes", "agreement", "other half", "expected",
      "M SyOPs", "M MACs");
  for (const FrontierPoint& p : frontier) {
    text += fmt::format(
        "{:1} {:>2}  {:>4g}  {:>2}  {:>9g}  {:>6}  {:<44}  {:>9}  {:>10}  {:>9}  {:>7.2f}  "
        "{:>6.2f}\n",
        p.chosen ? ">" : "", p.code.timesteps, p.code.beta, p.code.silent_steps, p.code.threshold,
        p.code.DirectInput() ? "direct" : "css", DescribeAmplitudes(p), Percent(p.agreement),
        Percent(p.confirmed_agreement), Percent(p.expected_agreement), p.synops_per_image / 1e6,
        p.direct_macs_per_image / 1e6);
  }
  return text;
}

const char* NameOf(Goal goal) {
  switch (goal) {
    case Goal::kEnergy:
      return "energy";
    case Goal::kLatencySteps:
      return "latency-steps";
    case Goal::kSpeed:
      break;
  }
  return "speed";
}

Json TriedToJson(const std::vector<TriedCode>& tried) {
  Json json = Json::array();
  for (const TriedCode& t : tried) {
    json.push_back({{"timesteps", t.code.timesteps},
                    {"beta", t.code.beta},
                    {"silent_steps", t.code.silent_steps},
                    {"threshold", t.code.threshold},
                    {"expected_agreement", t.expected_agreement},
                    {"expected_ms", t.expected_ms},
                    {"latency_steps", t.latency_steps},
                    {"in_integers", t.in_integers},
                    {"chosen", t.chosen}});
  }
  return json;
}

Json FrontierToJson(const std::vector<FrontierPoint>& frontier) {
  Json json = Json::array();
  for (const FrontierPoint& p : frontier) {
    json.push_back({{"timesteps", p.code.timesteps},
                    {"beta", p.code.beta},
                    {"silent_steps", p.code.silent_steps},
                    {"threshold", p.code.threshold},
                    {"input", p.code.DirectInput() ? "direct" : "css"},
                    {"amplitudes", NameOf(p.amplitudes.rule)},
                    {"per_channel", p.amplitudes.per_channel},
                    {"changes", p.changes},
                    {"agreement", p.agreement},
                    {"confirmed_agreement", p.confirmed_agreement},
                    {"expected_agreement", p.expected_agreement},
                    {"relative_logit_error", p.relative_logit_error},
                    {"synops_per_image", p.synops_per_image},
                    {"direct_macs_per_image", p.direct_macs_per_image},
                    {"chosen", p.chosen}});
  }
  return json;
}

}  // namespace

std::string FormatReport(const ConversionReport& report) {
  size_t width = 5;
  for (const LayerReport& layer : report.layers) width = std::max(width, layer.name.size());
  std::string text = fmt::format(
      "{:<{}}  {:<14}  {:>8}  {:>9}  {:>10}  {:>8}  {:>6}  {:>6}  {:>6}  {:>9}  {:>11}  {:>8}\n",
      "layer", width, "kind", "neurons", "theta", "percentile", "clipped", "offset", "delays",
      "fan-in", "spikes", "SyOPs", "error");
  for (size_t i = 0; i < report.layers.size(); ++i) {
    const LayerReport& layer = report.layers[i];
    const LayerCost& cost = report.calibration.layers[i];
    const bool calibrated = WasCalibrated(layer);
    text += fmt::format(
        "{:<{}}  {:<14}  {:>8}  {:>9.4g}  {:>10}  {:>8}  {:>6}  {:>6}  {:>6}  {:>9.0f}  "
        "{:>11.0f}  {:>8}\n",
        layer.name, width, LayerKindName(layer.kind), layer.neurons, layer.theta,
        calibrated ? fmt::format("{:.4g}", layer.range.percentile) : "-",
        calibrated ? fmt::format("{:.3f} %", layer.range.clipped_share * 100) : "-", layer.offset,
        JoinDelays(layer.delays), layer.fan_in, cost.spikes, cost.synops,
        calibrated ? Percent(layer.error) : "-");
  }
  if (!report.frontier.empty()) text += FormatFrontier(report.frontier);
  text +=
      fmt::format("\n{}T = {}, beta = {:g}, L = {}, threshold {:g}{}{}: latency {} steps\n",
                  report.code.coding == Coding::kRate ? "rate coding, " : "", report.code.timesteps,
                  report.code.beta, report.code.silent_steps, report.code.threshold,
                  report.code.negative_spikes ? "" : ", no negative spikes",
                  report.code.DirectInput() ? ", direct input" : "", report.latency_steps);
  if (!report.tried.empty()) text += ExplainCode(report.tried, *report.search, report.answer);
  if (!report.why_float.empty()) {
    text += "The file asks for the float engine, some ten times slower: " + report.why_float + "\n";
  }
  text += DescribeComparison("calibration", report.calibration);
  if (report.validation.has_value()) text += DescribeComparison("validation", *report.validation);
  return text + fmt::format("The ANN takes {:.2f} M MACs an image\n",
                            static_cast<double>(report.macs_per_image) / 1e6);
}

std::string ReportToJson(const ConversionReport& report) {
  Json json;
  json["model"] = report.model;
  json["answer"] = report.answer == AnswerKind::kClasses ? "classes" : "numbers";
  json["timesteps"] = report.code.timesteps;
  json["beta"] = report.code.beta;
  json["silent_steps"] = report.code.silent_steps;
  json["threshold"] = report.code.threshold;
  json["last_threshold"] = report.code.last_threshold;
  json["negative_spikes"] = report.code.negative_spikes;
  json["coding"] = report.code.coding == Coding::kRate ? "rate" : "css";
  json["input"] = report.code.DirectInput() ? "direct" : "css";
  json["percentile"] = report.amplitudes.percentile;
  json["amplitudes"] = NameOf(report.amplitudes.rule);
  json["per_channel"] = report.amplitudes.per_channel;
  json["adjust_rounds"] = report.amplitudes.adjust_rounds;
  json["latency_steps"] = report.latency_steps;
  json["macs_per_image"] = report.macs_per_image;
  json["calibration"] = ComparisonToJson(report.calibration);
  json["validation"] =
      report.validation.has_value() ? ComparisonToJson(*report.validation) : Json();
  if (!report.frontier.empty()) json["frontier"] = FrontierToJson(report.frontier);
  if (!report.tried.empty()) json["tried"] = TriedToJson(report.tried);
  json["goal"] = report.search.has_value() ? Json(NameOf(report.search->goal)) : Json();
  json["wanted_agreement"] = report.search.has_value() ? Json(report.search->agreement) : Json();
  json["why_float"] = report.why_float;
  json["warnings"] = report.warnings;
  json["layers"] = Json::array();
  for (size_t i = 0; i < report.layers.size(); ++i) {
    const LayerReport& layer = report.layers[i];
    const bool calibrated = WasCalibrated(layer);
    json["layers"].push_back(
        {{"name", layer.name},
         {"kind", LayerKindName(layer.kind)},
         {"neurons", layer.neurons},
         {"theta", layer.theta},
         {"percentile", calibrated ? Json(layer.range.percentile) : Json()},
         {"maximum", calibrated ? Json(layer.range.maximum) : Json()},
         {"clipped_share", calibrated ? Json(layer.range.clipped_share) : Json()},
         {"offset", layer.offset},
         {"delays", layer.delays},
         {"fan_in", layer.fan_in},
         {"spikes_per_image", report.calibration.layers[i].spikes},
         {"synops_per_image", report.calibration.layers[i].synops},
         {"error", calibrated ? Json(layer.error) : Json()}});
  }
  // File names and node names need not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace cssrun::converter
