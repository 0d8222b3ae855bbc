#include "tools/stream/stream_summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "cssrun/batch.h"
#include "fmt/format.h"
#include "tools/ratio.h"
#include "tools/summary_parts.h"
#include "tools/summary_text.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kShortest = 1e-7;  // seconds
constexpr double kStep = 1.01;
constexpr size_t kSteps = 2600;  // 1.01^2600 = 1.7e11: up to five hours

}  // namespace

Durations::Durations() : counts_(kSteps) {}

void Durations::Add(double seconds) {
  const double step = std::log(std::max(seconds, kShortest) / kShortest) / std::log(kStep);
  ++counts_[std::min(static_cast<size_t>(step), kSteps - 1)];
  ++total_;
}

double Durations::Percentile(double share) const {
  const double rank = std::max(std::ceil(share * AsDouble(total_)), 1.0);
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (AsDouble(seen) >= rank) return kShortest * std::pow(kStep, static_cast<double>(i) + 0.5);
  }
  return 0;
}

StreamSummary::StreamSummary(const Network& network, const StreamOptions& options)
    : network_(network),
      options_(options),
      layers_(network.layers().size()),
      changed_after_first_(network.layers().size()),
      touched_after_first_(network.layers().size()) {}

void StreamSummary::Add(const StreamAnswer& answer) {
  ++frames_;
  run_seconds_ += answer.seconds;
  durations_.Add(answer.seconds);
  const bool follows = answer.frame > 0;
  if (follows) {
    ++followers_;
    changed_shares_ += answer.changed_share();
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const StreamLayer& layer = answer.layers[i];
    layers_[i].neurons = layer.neurons;
    layers_[i].changed += layer.changed;
    layers_[i].spikes += layer.spikes;
    layers_[i].synops += layer.synops;
    layers_[i].updates += layer.updates;
    layers_[i].seconds += layer.seconds;
    if (!follows) continue;
    changed_after_first_[i] += layer.changed;
    touched_after_first_[i] += layer.touched;
  }
}

double StreamSummary::PerFrame(double total) const { return Ratio(total, AsDouble(frames_)); }

double StreamSummary::ShareOf(uint64_t neurons, size_t layer) const {
  return Ratio(AsDouble(neurons), AsDouble(layers_[layer].neurons) * AsDouble(followers_));
}

double StreamSummary::ChangedShare(size_t layer) const {
  return ShareOf(changed_after_first_[layer], layer);
}

double StreamSummary::TouchedShare(size_t layer) const {
  return ShareOf(touched_after_first_[layer], layer);
}

double StreamSummary::ChangedShare() const { return Ratio(changed_shares_, AsDouble(followers_)); }

double StreamSummary::Percentile(double share) const { return durations_.Percentile(share) * 1e3; }

double StreamSummary::UpdatesPerFrame() const {
  return PerFrame(Total(layers_, &StreamLayer::updates));
}

double StreamSummary::SynopsPerFrame() const {
  return PerFrame(Total(layers_, &StreamLayer::synops));
}

std::string StreamSummary::ToJson() const {
  Json json;
  json["frames"] = frames_;
  json["damaged"] = damaged_;
  json["warned"] = warned_;
  json["answer_changes"] = answer_changes_;
  json["seconds"] = seconds_;
  json["frames_per_second"] = FramesPerSecond();
  json["load_seconds"] = load_seconds_;
  json["run_seconds"] = run_seconds_;
  json["latency_ms"] = LatencyJson([&](double share) { return Percentile(share); });
  json["changed"] = ChangedShare();
  json["updates_per_frame"] = UpdatesPerFrame();
  json["synops_per_frame"] = SynopsPerFrame();
  json["macs_per_frame"] = network_.macs_per_image();
  json["hold"] = options_.hold;
  json["dead_zone"] = options_.dead_zone;
  AddProcess(ThreadCount(options_.threads), json);
  json["layers"] = Json::array();
  for (size_t i = 0; i < layers_.size(); ++i) {
    Json layer = LayerJson(network_.layers()[i]);
    layer["changed"] = ChangedShare(i);
    layer["touched"] = TouchedShare(i);
    layer["updates"] = PerFrame(AsDouble(layers_[i].updates));
    layer["spikes"] = PerFrame(AsDouble(layers_[i].spikes));
    layer["synops"] = PerFrame(AsDouble(layers_[i].synops));
    layer["seconds"] = options_.profile ? Json(PerFrame(layers_[i].seconds)) : Json();
    json["layers"].push_back(std::move(layer));
  }
  return SummaryFile(json);
}

std::string StreamSummary::ToText() const {
  std::string text = Plural(frames_, "frame");
  if (damaged_ > 0) text += fmt::format(", {} damaged", damaged_);
  text += fmt::format(" in {:.2f} s: {:.1f} frames/s on {}, {}\n", seconds_, FramesPerSecond(),
                      Plural(ThreadCount(options_.threads), "thread"),
                      LatencyText([&](double share) { return Percentile(share); }));
  text +=
      fmt::format("{:.1f} % of the neurons changed from frame to frame, ", ChangedShare() * 100);
  text += fmt::format("{:.2f} M SyOPs a frame, in full {:.2f} M; ", UpdatesPerFrame() / 1e6,
                      SynopsPerFrame() / 1e6);
  if (network_.answer() == AnswerKind::kClasses) {
    text += "the answer changed " + Plural(answer_changes_, "time") + "; ";
  }
  return text + fmt::format("hold {}, dead zone {:g}\n", options_.hold, options_.dead_zone);
}

std::string StreamSummary::ProfileText() const {
  const size_t width = LayerNameWidth(network_);
  const double seconds = Total(layers_, &StreamLayer::seconds);
  std::string text =
      fmt::format("{:<{}}  {:<14}  {:>9}  {:>9}  {:>9}  {:>12}  {:>12}  {:>8}  {:>6}\n", "layer",
                  width, "kind", "neurons", "changed", "anew", "SyOPs", "in full", "ms", "share");
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerInfo& info = network_.layers()[i];
    text += fmt::format(
        "{:<{}}  {:<14}  {:>9}  {:>7.2f} %  {:>7.2f} %  {:>12.1f}  {:>12.1f}  {:>8.3f}  "
        "{:>5.1f}%\n",
        TerminalText(info.name), width, LayerKindName(info.kind), info.neurons,
        ChangedShare(i) * 100, TouchedShare(i) * 100, PerFrame(AsDouble(layers_[i].updates)),
        PerFrame(AsDouble(layers_[i].synops)), PerFrame(layers_[i].seconds) * 1e3,
        Ratio(layers_[i].seconds, seconds) * 100);
  }
  return text;
}

}  // namespace cssrun::tools
