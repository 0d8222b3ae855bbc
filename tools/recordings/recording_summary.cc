#include "tools/recordings/recording_summary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "tools/ratio.h"
#include "tools/summary_parts.h"
#include "tools/summary_text.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

RecordingSummary::RecordingSummary(const Network& network, const CutOptions& cut, bool profile,
                                   unsigned threads)
    : network_(network),
      cut_(cut),
      profile_(profile),
      threads_(threads),
      layers_(network.layers().size()) {}

void RecordingSummary::Add(const ImageResult& answer, bool right_in_five, const StepCutter& cutter,
                           const std::vector<EventLayer>& layers, double load_seconds,
                           double run_seconds) {
  ++recordings_;
  if (answer.has_truth) {
    ++graded_;
    if (answer.right) ++right_;
    if (right_in_five) ++right_in_five_;
  }
  events_ += cutter.used();
  left_out_ += cutter.left_out();
  steps_ += cutter.steps();
  load_seconds_ += load_seconds;
  run_seconds_ += run_seconds;
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].spikes += layers[i].spikes;
    layers_[i].synops += layers[i].synops;
    layers_[i].updates += layers[i].updates;
    layers_[i].seconds += layers[i].seconds;
  }
}

void RecordingSummary::AddDamage(const Damage& damage) {
  if (damage.any()) ++damaged_;
}

double RecordingSummary::step_seconds() const {
  return cut_.bin_events > 0 ? 0 : static_cast<double>(cut_.bin_us) * 1e-6;
}

double RecordingSummary::Synops() const { return Total(layers_, &EventLayer::synops); }

double RecordingSummary::PerRecording(double total) const {
  return Ratio(total, AsDouble(recordings_));
}

double RecordingSummary::Rate(size_t layer) const {
  return Ratio(AsDouble(layers_[layer].spikes),
               AsDouble(network_.layers()[layer].neurons) * AsDouble(steps_));
}

std::string RecordingSummary::ToJson() const {
  const bool five = graded_ > 0 && network_.logits() >= 5;
  double spikes = 0;
  for (size_t i = 1; i < layers_.size(); ++i) spikes += AsDouble(layers_[i].spikes);
  Json json;
  json["recordings"] = recordings_ + failed_;
  json["failed"] = failed_;
  json["damaged"] = damaged_;
  json["top1"] = graded_ == 0 ? Json() : Json(Ratio(AsDouble(right_), AsDouble(graded_)));
  json["top5"] = five ? Json(Ratio(AsDouble(right_in_five_), AsDouble(graded_))) : Json();
  json["seconds"] = seconds_;
  json["load_seconds"] = load_seconds_;
  json["run_seconds"] = run_seconds_;
  json["events"] = events_;
  json["events_left_out"] = left_out_;
  json["us_per_event"] = Ratio(run_seconds_ * 1e6, AsDouble(events_));
  json["steps"] = steps_;
  json["step_seconds"] = cut_.bin_events > 0 ? Json() : Json(step_seconds());
  json["step_events"] = cut_.bin_events > 0 ? Json(cut_.bin_events) : Json();
  json["spikes_per_recording"] = PerRecording(spikes);
  json["synops_per_recording"] = PerRecording(Synops());
  const uint64_t macs = network_.macs_per_image();
  json["macs_per_step"] = macs > 0 ? Json(macs) : Json();  // unknown of files made by hand
  AddProcess(threads_, json);
  json["assumptions"] = network_.events()->assumptions;
  json["layers"] = Json::array();
  for (size_t i = 0; i < layers_.size(); ++i) {
    Json layer = LayerJson(network_.layers()[i]);
    layer["spikes"] = PerRecording(AsDouble(layers_[i].spikes));
    layer["synops"] = PerRecording(AsDouble(layers_[i].synops));
    layer["updates"] = PerRecording(AsDouble(layers_[i].updates));
    layer["rate"] = Rate(i);
    layer["seconds"] = profile_ ? Json(PerRecording(layers_[i].seconds)) : Json();
    json["layers"].push_back(std::move(layer));
  }
  return SummaryFile(json);
}

std::string RecordingSummary::ToText() const {
  std::string text = Plural(recordings_ + failed_, "recording");
  if (failed_ > 0) text += fmt::format(", {} failed", failed_);
  if (damaged_ > 0) text += fmt::format(", {} damaged", damaged_);
  text += fmt::format(" in {:.2f} s: {} in {}", seconds_, Plural(events_, "event"),
                      Plural(steps_, "step"));
  text += cut_.bin_events > 0
              ? fmt::format(" of {} each", Plural(cut_.bin_events, "event"))
              : fmt::format(" of {:.6g} ms", static_cast<double>(cut_.bin_us) / 1e3);
  text += fmt::format(", {:.2f} us an event\n", Ratio(run_seconds_ * 1e6, AsDouble(events_)));
  if (left_out_ > 0) {
    text += fmt::format("{} beyond the network's input or --crop left out\n",
                        Plural(left_out_, "event"));
  }
  if (graded_ > 0) {
    const auto percent = [&](uint64_t right) {
      return 100 * Ratio(AsDouble(right), AsDouble(graded_));
    };
    std::optional<double> top5;
    if (network_.logits() >= 5) top5 = percent(right_in_five_);
    text += AccuracyText(percent(right_), top5, graded_, "recording");
  }
  const double dense = PerRecording(AsDouble(network_.macs_per_image()) * AsDouble(steps_));
  text += fmt::format("{:.2f} M SyOPs a recording", PerRecording(Synops()) / 1e6);
  if (dense > 0) text += fmt::format(" ({:.2f} M MACs dense)", dense / 1e6);
  return text + "\n";
}

std::string RecordingSummary::ProfileText() const {
  const size_t width = LayerNameWidth(network_);
  const double seconds = Total(layers_, &EventLayer::seconds);
  std::string text =
      fmt::format("{:<{}}  {:<8}  {:>9}  {:>11}  {:>8}  {:>12}  {:>12}  {:>8}  {:>6}\n", "layer",
                  width, "kind", "neurons", "spikes", "rate", "SyOPs", "updates", "ms", "share");
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerInfo& info = network_.layers()[i];
    const EventLayer& layer = layers_[i];
    text += fmt::format(
        "{:<{}}  {:<8}  {:>9}  {:>11.1f}  {:>8.5f}  {:>12.1f}  {:>12.1f}  {:>8.3f}  {:>5.1f}%\n",
        TerminalText(info.name), width, LayerKindName(info.kind), info.neurons,
        PerRecording(AsDouble(layer.spikes)), Rate(i), PerRecording(AsDouble(layer.synops)),
        PerRecording(AsDouble(layer.updates)), PerRecording(layer.seconds) * 1e3,
        Ratio(layer.seconds, seconds) * 100);
  }
  return text;
}

}  // namespace cssrun::tools
