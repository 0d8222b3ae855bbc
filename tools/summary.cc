#include "tools/summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "tools/output.h"
#include "tools/ratio.h"
#include "tools/summary_parts.h"
#include "tools/summary_text.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

// The paper's figures for 45 nm, in joules: an addition, and a multiplication with its addition.
constexpr double kJoulesPerAccumulate = 0.9e-12;
constexpr double kJoulesPerMultiplyAccumulate = 4.6e-12;

// Counts the classes that go before `any_truth` and those that have its name.
size_t RankOf(const std::vector<float>& logits, int any_truth, const Twins& twins) {
  const auto truth = static_cast<size_t>(twins.Best(logits, any_truth));
  size_t rank = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    rank += GoesBefore(logits, i, truth);
  }
  return rank;
}

size_t BestOf(const std::vector<float>& logits) {
  size_t best = 0;
  for (size_t i = 1; i < logits.size(); ++i) {
    if (GoesBefore(logits, i, best)) best = i;
  }
  return best;
}

}  // namespace

Summary::Summary(const Network& network)
    : network_(network), twins_(network.labels()), layers_(network.layers().size()) {}

void Summary::Add(const ImageOutcome& outcome, int truth) {
  load_seconds_ += outcome.load_seconds;
  if (!outcome.status.ok()) {
    ++failed_;
    return;
  }
  ++images_;
  run_seconds_ += outcome.run_seconds;
  latencies_.push_back(outcome.run_seconds);
  if (truth >= 0) {
    const size_t rank = RankOf(outcome.answer.logits, truth, twins_);
    ++graded_;
    right_ += rank == 0;
    right_in_five_ += rank < 5;
  }
  steps_ += outcome.answer.steps;
  at_steps_.resize(std::max(at_steps_.size(), outcome.answer.readings.size()));
  for (size_t i = 0; i < outcome.answer.readings.size(); ++i) {
    const Reading& reading = outcome.answer.readings[i];
    AtStep& at = at_steps_[i];
    at.step = reading.step;
    at.right += truth >= 0 && RankOf(reading.logits, truth, twins_) == 0;
    at.as_at_the_end += BestOf(reading.logits) == BestOf(outcome.answer.logits);
    at.synops += static_cast<double>(reading.synops);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].spikes += outcome.answer.layers[i].spikes;
    layers_[i].synops += outcome.answer.layers[i].synops;
    layers_[i].macs += outcome.answer.layers[i].macs;
    layers_[i].seconds += outcome.answer.layers[i].seconds;
  }
}

void Summary::AddEarlier(const EarlierResult& result) {
  failed_ += result.failed;
  earlier_failed_ += result.failed;
  if (result.failed) return;
  ++earlier_;
  if (result.truth < 0) return;
  ++graded_;
  ++earlier_graded_;
  right_ += result.best == static_cast<size_t>(result.truth);
  right_in_five_ += result.right_in_five.value_or(false);
  five_known_ = five_known_ && result.right_in_five.has_value();
}

void Summary::Finish(double seconds, unsigned threads) {
  seconds_ = seconds;
  threads_ = threads;
  std::sort(latencies_.begin(), latencies_.end());
}

double Summary::PerImage(double total) const { return Ratio(total, AsDouble(images_)); }

double Summary::Percentile(double share) const {
  if (latencies_.empty()) return 0;
  const double rank = std::ceil(share * static_cast<double>(latencies_.size()));
  return latencies_[static_cast<size_t>(std::max(rank, 1.0)) - 1] * 1e3;
}

double Summary::SpikesPerImage() const {
  return PerImage(Total(layers_, &LayerStatistics::spikes));
}

double Summary::SynopsPerImage() const {
  return PerImage(Total(layers_, &LayerStatistics::synops));
}

double Summary::DirectMacsPerImage() const {
  return PerImage(Total(layers_, &LayerStatistics::macs));
}

double Summary::EnergyPerImage() const {
  return SynopsPerImage() * kJoulesPerAccumulate +
         DirectMacsPerImage() * kJoulesPerMultiplyAccumulate;
}

double Summary::AnnEnergyPerImage() const {
  return static_cast<double>(network_.macs_per_image()) * kJoulesPerMultiplyAccumulate;
}

// Formats the steps as a whole number, unless some images stopped early.
std::string Summary::StepsPerImage() const {
  const double steps = PerImage(steps_);
  return fmt::format("{:.{}f}", steps, steps == std::floor(steps) ? 0 : 1);
}

double Summary::Rate(size_t layer) const {
  const double places =
      static_cast<double>(network_.layers()[layer].neurons) * network_.timesteps();
  return PerImage(static_cast<double>(layers_[layer].spikes)) / places;
}

std::string Summary::ToJson(bool profiled) const {
  const auto of_graded = [&](size_t count) {
    return graded_ == 0 ? Json() : Json(static_cast<double>(count) / static_cast<double>(graded_));
  };
  Json json;
  json["images"] = all_images();
  json["failed"] = failed_;
  json["warned"] = warned_;
  json["left_out"] = Json(left_out_);
  if (earlier() > 0) json["earlier"] = earlier();
  json["top1"] = of_graded(right_);
  // With fewer than five classes, five guesses are always right, so there is no figure to report.
  json["top5"] = knows_five() ? of_graded(right_in_five_) : Json();
  json["seconds"] = seconds_;
  json["images_per_second"] = Ratio(AsDouble(images_), seconds_);
  json["load_seconds"] = load_seconds_;
  json["run_seconds"] = run_seconds_;
  json["latency_ms"] = LatencyJson([&](double share) { return Percentile(share); });
  json["timesteps"] = network_.timesteps();
  json["latency_steps"] = network_.latency_steps();
  json["steps_per_image"] = PerImage(steps_);
  json["spikes_per_image"] = SpikesPerImage();
  json["synops_per_image"] = SynopsPerImage();
  json["direct_macs_per_image"] = DirectMacsPerImage();
  json["macs_per_image"] = network_.macs_per_image();
  json["energy_mj"] = {{"snn", EnergyPerImage() * 1e3}, {"ann", AnnEnergyPerImage() * 1e3}};
  AddProcess(threads_, json);
  json["layers"] = Json::array();
  for (size_t i = 0; i < layers_.size(); ++i) {
    Json layer = LayerJson(network_.layers()[i]);
    layer["spikes"] = PerImage(AsDouble(layers_[i].spikes));
    layer["synops"] = PerImage(AsDouble(layers_[i].synops));
    layer["macs"] = PerImage(AsDouble(layers_[i].macs));
    layer["rate"] = Rate(i);
    layer["seconds"] = profiled ? Json(PerImage(layers_[i].seconds)) : Json();
    json["layers"].push_back(std::move(layer));
  }
  if (!at_steps_.empty()) json["steps"] = Json::array();
  for (const AtStep& at : at_steps_) {
    const auto graded = static_cast<double>(graded_here());
    json["steps"].push_back(
        {{"step", at.step},
         {"top1", graded == 0 ? Json() : Json(static_cast<double>(at.right) / graded)},
         {"as_at_the_end", PerImage(static_cast<double>(at.as_at_the_end))},
         {"synops_per_image", PerImage(at.synops)}});
  }
  return SummaryFile(json);
}

std::string Summary::ToText() const {
  std::string text = Plural(all_images(), "image");
  if (failed_ > 0) text += fmt::format(", {} failed", failed_);
  if (earlier() > 0) text += fmt::format(", {} done before", earlier());
  text += fmt::format(" in {:.2f} s: {:.1f} images/s on {}, {}\n", seconds_,
                      Ratio(AsDouble(images_), seconds_), Plural(threads_, "thread"),
                      LatencyText([&](double share) { return Percentile(share); }));
  if (graded_ > 0) {
    const double percent = 100.0 / AsDouble(graded_);
    std::optional<double> top5;
    if (knows_five()) top5 = AsDouble(right_in_five_) * percent;
    text += AccuracyText(AsDouble(right_) * percent, top5, graded_, "image");
  }
  const auto macs = static_cast<double>(network_.macs_per_image());
  text += fmt::format(
      "{:.0f} spikes and {:.2f} M SyOPs{} an image in {} steps ({:.2f} M MACs dense): "
      "{:.4f} mJ against {:.4f} mJ\n",
      SpikesPerImage(), SynopsPerImage() / 1e6,
      DirectMacsPerImage() > 0
          ? fmt::format(" and {:.2f} M MACs of pixels", DirectMacsPerImage() / 1e6)
          : "",
      StepsPerImage(), macs / 1e6, EnergyPerImage() * 1e3, AnnEnergyPerImage() * 1e3);
  return text;
}

std::string Summary::ProfileText() const {
  const size_t width = LayerNameWidth(network_);
  const double seconds = Total(layers_, &LayerStatistics::seconds);
  std::string text =
      fmt::format("{:<{}}  {:<14}  {:>9}  {:>11}  {:>7}  {:>12}  {:>8}  {:>6}\n", "layer", width,
                  "kind", "neurons", "spikes", "rate", "SyOPs", "ms", "share");
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerInfo& info = network_.layers()[i];
    text +=
        fmt::format("{:<{}}  {:<14}  {:>9}  {:>11.1f}  {:>7.4f}  {:>12.1f}  {:>8.3f}  {:>5.1f}%\n",
                    TerminalText(info.name), width, LayerKindName(info.kind), info.neurons,
                    PerImage(static_cast<double>(layers_[i].spikes)), Rate(i),
                    PerImage(static_cast<double>(layers_[i].synops)),
                    PerImage(layers_[i].seconds) * 1e3, Ratio(layers_[i].seconds, seconds) * 100);
  }
  return text;
}

std::string Summary::StepsText() const {
  std::string text =
      fmt::format("{:>4}  {:>8}  {:>14}  {:>12}\n", "step", "top-1 %", "as at the end", "M SyOPs");
  for (const AtStep& at : at_steps_) {
    const std::string right = graded_here() == 0
                                  ? "-"
                                  : fmt::format("{:.2f}", 100 * static_cast<double>(at.right) /
                                                              static_cast<double>(graded_here()));
    text += fmt::format("{:>4}  {:>8}  {:>14.2f}  {:>12.2f}\n", at.step, right,
                        PerImage(static_cast<double>(at.as_at_the_end)) * 100,
                        PerImage(at.synops) / 1e6);
  }
  return text;
}

}  // namespace cssrun::tools
