#include "tools/report/recording_page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "cssrun/version.h"
#include "fmt/format.h"
#include "tools/ratio.h"
#include "tools/report/html.h"
#include "tools/report/page.h"

namespace cssrun::tools {
namespace {

using Sample = RecordingSamples::Sample;

// The classes that the answers' chart has rows for; the others share one.
constexpr size_t kMostRows = 12;

std::string Header(const RecordingReport& report) {
  const InputFormat& input = report.network.input();
  const std::string step =
      report.summary.step_seconds() > 0
          ? fmt::format("steps of {:.6g} ms", report.summary.step_seconds() * 1e3)
          : std::string("steps of events");
  std::string assumptions;
  for (const std::string& assumption : report.network.events()->assumptions) {
    assumptions += "<li>" + HtmlText(assumption) + "</li>\n";
  }
  if (!assumptions.empty()) {
    assumptions = "<p>What its model did not say:</p>\n<ul>\n" + assumptions + "</ul>\n";
  }
  return fmt::format(
      "<header>\n<h1>{}</h1>\n<p>{} recordings of events at {} \u00d7 {} pixels, {}; {}.</p>\n{}"
      "</header>\n",
      HtmlText(report.network_file), report.summary.recordings(), input.width, input.height, step,
      SimdTarget(), assumptions);
}

std::string Tiles(const RecordingReport& report) {
  const RecordingSummary& summary = report.summary;
  std::string tiles;
  if (summary.graded() > 0) {
    tiles += Tile("Right", Percent(AsDouble(summary.right()) / AsDouble(summary.graded())),
                  fmt::format("of {} with a known class", summary.graded()));
  }
  tiles += Tile("Events", Count(AsDouble(summary.events())),
                summary.left_out() == 0
                    ? std::string("that reached the network")
                    : Count(AsDouble(summary.left_out())) + " more beyond its input");
  if (summary.events() > 0) {
    tiles += Tile("Time of an event",
                  fmt::format("{:.2f}\u00a0\u00b5s",
                              summary.run_seconds() * 1e6 / AsDouble(summary.events())),
                  "through the network, on average");
  }
  tiles += Tile("SyOPs a recording", Count(summary.PerRecording(summary.Synops())),
                Count(AsDouble(summary.steps())) + " steps in all");
  if (summary.damaged() > 0) {
    tiles += Tile("Damaged", std::to_string(summary.damaged()),
                  "recordings, of which the rest was used");
  }
  return "<div class=\"tiles\">\n" + tiles + "</div>\n";
}

// A place along the first recording, which all charts share.
class TimeAxis {
 public:
  TimeAxis(const RecordingReport& report, int left, int right) : left_(left), right_(right) {
    for (const Sample& sample : report.tally.samples.all()) steps_ += AsDouble(sample.steps);
    const double seconds = report.summary.step_seconds();
    end_ = seconds > 0 ? fmt::format("{:.4g} s", steps_ * seconds)
                       : fmt::format("step {:.0f}", steps_);
  }
  double X(double step) const { return left_ + step / std::max(steps_, 1.0) * (right_ - left_); }
  std::string Ends(int y) const {
    return fmt::format(
        "<text x=\"{}\" y=\"{}\">0</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
        left_, y, right_, y, end_);
  }

 private:
  int left_;
  int right_;
  double steps_ = 0;
  std::string end_;
};

// A line of a figure of each sample, from 0 to the largest.
template <class Figure>
std::string Chart(const RecordingReport& report, const char* label, const char* look,
                  Figure figure) {
  constexpr int kWidth = 460;
  constexpr int kHeight = 160;
  constexpr int kLeft = 60;
  constexpr int kTop = 10;
  constexpr int kBottom = 28;
  const TimeAxis axis(report, kLeft, kWidth - 12);
  double largest = 0;
  for (const Sample& sample : report.tally.samples.all())
    largest = std::max(largest, figure(sample));
  if (largest <= 0) largest = 1;
  const auto place = [&](double value) {
    return kTop + (1 - value / largest) * (kHeight - kTop - kBottom);
  };
  std::string svg;
  for (int line = 0; line <= 2; ++line) {
    const double value = largest * line / 2;
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" />"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.3g}</text>\n",
        kLeft, kWidth - 12, place(value), place(value), kLeft - 6, place(value) + 4, value);
  }
  std::string points;
  double begin = 0;
  for (const Sample& sample : report.tally.samples.all()) {
    points += fmt::format("{:.1f},{:.1f} ", axis.X(begin + AsDouble(sample.steps) / 2),
                          place(figure(sample)));
    begin += AsDouble(sample.steps);
  }
  return fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}<polyline class=\"line {}\" "
      "points=\"{}\" />\n{}</svg>\n",
      kWidth, kHeight, HtmlText(label), svg, look, points, axis.Ends(kHeight - 6));
}

std::string EventsSection(const RecordingReport& report) {
  const RecordingTally& tally = report.tally;
  if (tally.samples.all().empty()) return "";
  const std::string each = Chart(report, "events over time", "plus", [](const Sample& sample) {
    return AsDouble(sample.events) / AsDouble(sample.steps);
  });
  return fmt::format(
      "<section id=\"events\">\n<h2>Event by event</h2>\n<p>The first recording, {}. Each point is "
      "{} steps.</p>\n<div class=\"columns\">\n<div><h3>Events a step</h3>\n{}</div>\n",
      ShortHtmlText(tally.sampled, 60), tally.samples.steps(), each);
}

// Spikes of each layer but the input, over time; in the section of events.
std::string RatesOverTime(const RecordingReport& report) {
  if (report.tally.samples.all().empty()) return "";
  std::string charts;
  for (size_t i = 1; i < report.network.layers().size(); ++i) {
    const LayerInfo& info = report.network.layers()[i];
    if (report.summary.layers()[i].spikes == 0) continue;
    charts += "<div><h3>Spikes a step of " + HtmlText(info.name) + "</h3>\n" +
              Chart(report, "spikes over time", "minus",
                    [i](const Sample& sample) {
                      return AsDouble(sample.spikes[i]) / AsDouble(sample.steps);
                    }) +
              "</div>\n";
  }
  return charts + "</div>\n</section>\n";
}

std::string LabelOf(const Network& network, size_t index) {
  return network.labels().empty() ? std::to_string(index) : network.labels()[index];
}

// A row for each class that was the answer at some time, a bar for the time.
std::string AnswersSection(const RecordingReport& report) {
  constexpr int kWidth = 940;
  constexpr int kLeft = 150;
  constexpr int kRow = 20;
  const std::vector<Sample>& samples = report.tally.samples.all();
  if (samples.empty()) return "";
  std::map<size_t, double> steps_of;
  for (const Sample& sample : samples) steps_of[sample.answer] += AsDouble(sample.steps);
  std::vector<size_t> classes;
  for (const auto& [index, steps] : steps_of) classes.push_back(index);
  std::ranges::stable_sort(classes, [&](size_t a, size_t b) { return steps_of[a] > steps_of[b]; });
  const size_t rows = std::min(classes.size(), kMostRows);
  const TimeAxis axis(report, kLeft, kWidth - 4);
  std::string svg;
  for (size_t row = 0; row < rows; ++row) {
    const bool others = row + 1 == kMostRows && classes.size() > kMostRows;
    svg +=
        fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 8,
                    static_cast<int>(row) * kRow + 14,
                    others ? "others" : ShortHtmlText(LabelOf(report.network, classes[row]), 20));
  }
  double begin = 0;
  for (size_t i = 0; i < samples.size();) {
    double end = begin;
    const size_t answer = samples[i].answer;
    for (; i < samples.size() && samples[i].answer == answer; ++i)
      end += AsDouble(samples[i].steps);
    const auto found = static_cast<size_t>(std::ranges::find(classes, answer) - classes.begin());
    svg += fmt::format(
        "<rect class=\"plus-fill\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"12\">"
        "<title>{}, steps {:.0f} to {:.0f}</title></rect>\n",
        axis.X(begin), static_cast<int>(std::min(found, rows - 1)) * kRow + 4,
        std::max(axis.X(end) - axis.X(begin), 1.0), HtmlText(LabelOf(report.network, answer)),
        begin, end);
    begin = end;
  }
  const int height = static_cast<int>(rows) * kRow + 20;
  return fmt::format(
      "<section id=\"answers\">\n<h2>Answer over time</h2>\n<p>The best class of the first "
      "recording, read as often as the points above.</p>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"answers over time\">\n{}{}</svg>\n</section>\n",
      kWidth, height, svg, axis.Ends(height - 4));
}

std::string LayersSection(const RecordingReport& report) {
  const RecordingSummary& summary = report.summary;
  const std::vector<EventLayer>& layers = summary.layers();
  double most_rate = 0;
  double most_synops = 0;
  double most_seconds = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    most_rate = std::max(most_rate, summary.Rate(i));
    most_synops = std::max(most_synops, AsDouble(layers[i].synops));
    most_seconds = std::max(most_seconds, layers[i].seconds);
  }
  std::string rows;
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerInfo& info = report.network.layers()[i];
    const EventLayer& layer = layers[i];
    rows += fmt::format("<tr><td class=\"name\">{}<small>{}, {}</small></td>", HtmlText(info.name),
                        LayerKindName(info.kind), Count(AsDouble(info.neurons)));
    rows += BarCell("rate", summary.Rate(i), most_rate,
                    fmt::format("{:.5f}, {} spikes", summary.Rate(i),
                                Count(summary.PerRecording(AsDouble(layer.spikes)))),
                    "minus");
    rows += BarCell("SyOPs", AsDouble(layer.synops), most_synops,
                    Count(summary.PerRecording(AsDouble(layer.synops))), "");
    rows +=
        BarCell("time", layer.seconds, most_seconds,
                fmt::format("{:.3f}\u00a0ms", summary.PerRecording(layer.seconds) * 1e3), "good");
    rows += "</tr>\n";
  }
  return "<section id=\"layers\">\n<h2>Layer by layer</h2>\n<p>For one recording, on average: "
         "spikes per neuron and step, SyOPs and time.</p>\n<table class=\"wide layers\">\n<thead>"
         "<tr><th>layer</th><th>rate</th><th>SyOPs</th><th>time</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody>\n</table>\n</section>\n";
}

std::string RecordingsSection(const RecordingReport& report) {
  std::string rows;
  for (const RecordingResult& result : report.tally.results) {
    const ImageResult& answer = result.answer;
    const std::string best =
        answer.guesses.empty() ? "" : ShortHtmlText(answer.guesses[0].label, 40);
    const std::string truth =
        answer.has_truth ? fmt::format("{}{}", answer.right ? "" : "is ",
                                       answer.right ? "right" : ShortHtmlText(answer.truth, 40))
                         : "";
    rows += fmt::format(
        "<tr><td class=\"name\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.4g} s</td></tr>\n",
        ShortHtmlText(answer.path, 60), best, truth, Count(AsDouble(result.events)),
        result.seconds);
  }
  if (rows.empty()) return "";
  const uint64_t all = report.summary.recordings();
  const std::string more =
      all > report.tally.results.size()
          ? fmt::format("<p class=\"note\">and {} more</p>\n", all - report.tally.results.size())
          : "";
  return "<section id=\"recordings\">\n<h2>Recordings</h2>\n<table class=\"wide\">\n<thead><tr><th>"
         "recording</th><th>answer</th><th></th><th>events</th><th>time</th></tr></"
         "thead>\n<tbody>\n" +
         rows + "</tbody>\n</table>\n" + more + "</section>\n";
}

}  // namespace

std::string RecordingPage(const RecordingReport& report) {
  return PageAround(report.network_file,
                    Header(report) + Tiles(report) + EventsSection(report) + RatesOverTime(report) +
                        AnswersSection(report) + LayersSection(report) + RecordingsSection(report) +
                        FailuresSection("Recordings that could not be read", report.tally.failures,
                                        report.summary.failed()));
}

}  // namespace cssrun::tools
