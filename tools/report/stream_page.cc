#include "tools/report/stream_page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "cssrun/batch.h"
#include "cssrun/version.h"
#include "fmt/format.h"
#include "tools/ratio.h"
#include "tools/report/html.h"
#include "tools/report/page.h"
#include "tools/summary_text.h"

namespace cssrun::tools {
namespace {

// The classes that the answers' chart has rows for; the others share one.
constexpr size_t kMostRows = 12;

std::string Header(const StreamReport& report) {
  const Network& network = report.network;
  const StreamOptions& options = report.summary.options();
  return fmt::format(
      "<header>\n<h1>{}</h1>\n<p>{} frames of {} at {} \u00d7 {} pixels, each for the price of "
      "what "
      "changed: hold {}, dead zone {:g}; T = {}, {}.</p>\n</header>\n",
      HtmlText(report.network_file), report.summary.frames(), HtmlText(report.source),
      network.input().width, network.input().height, options.hold, options.dead_zone,
      network.timesteps(), SimdTarget());
}

std::string Tiles(const StreamReport& report) {
  const StreamSummary& summary = report.summary;
  const double per_second = summary.FramesPerSecond();
  const unsigned threads = ThreadCount(summary.options().threads);
  std::string tiles =
      Tile("Frames a second", fmt::format("{:.{}f}", per_second, per_second < 10 ? 2 : 0),
           "decoding included");
  tiles += Tile("Time of a frame", fmt::format("{:.2f}\u00a0ms", summary.Percentile(0.5)),
                fmt::format("median; {:.2f} ms (p99), on {}", summary.Percentile(0.99),
                            Plural(threads, "thread")));
  tiles += Tile("Neurons that changed", Percent(summary.ChangedShare()),
                "from frame to frame, on average");
  tiles += Tile("SyOPs a frame", Count(summary.UpdatesPerFrame()),
                "for what changed; a run in full takes " + Count(summary.SynopsPerFrame()));
  if (report.network.answer() == AnswerKind::kClasses) {
    tiles += Tile("The answer changed", std::to_string(summary.answer_changes()),
                  summary.answer_changes() == 1 ? "time" : "times");
  }
  if (summary.damaged() > 0) {
    tiles += Tile("Damaged", fmt::format("<span>{}</span>", summary.damaged()),
                  "frames that could not be decoded");
  }
  return "<div class=\"tiles\">\n" + tiles + "</div>\n";
}

// A chart over the frames, of one figure of each bin.
class FrameChart {
 public:
  FrameChart(const StreamTally& tally, double largest)
      : tally_(tally), frames_(0), largest_(largest > 0 ? largest : 1) {
    for (const StreamTally::Bin& bin : tally.bins()) frames_ += AsDouble(bin.frames);
  }

  // `text` formats a figure.
  template <class Text>
  std::string Axes(Text text) const {
    std::string svg;
    for (int line = 0; line <= 4; ++line) {
      const double value = largest_ * line / 4;
      svg += fmt::format(
          "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" />"
          "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
          kLeft, kWidth - kRight, Y(value), Y(value), kLeft - 6, Y(value) + 4, text(value));
    }
    return svg + fmt::format(
                     "<text x=\"{}\" y=\"{}\">frame 0</text><text x=\"{}\" y=\"{}\" "
                     "text-anchor=\"end\">{:.0f}</text>\n",
                     kLeft, kHeight - 6, kWidth - kRight, kHeight - 6, frames_ - 1);
  }

  template <class Figure>
  std::string Line(const char* look, Figure figure) const {
    std::string points;
    double begin = 0;
    for (const StreamTally::Bin& bin : tally_.bins()) {
      const double middle = begin + (AsDouble(bin.frames) - 1) / 2;
      begin += AsDouble(bin.frames);
      points += fmt::format("{:.1f},{:.1f} ", X(middle), Y(figure(bin)));
    }
    return fmt::format("<polyline class=\"line {}\" points=\"{}\" />\n", look, points);
  }

  static std::string Svg(const char* label, const std::string& inside) {
    return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
                       kWidth, kHeight, label, inside);
  }

 private:
  static constexpr int kWidth = 460;
  static constexpr int kHeight = 200;
  static constexpr int kLeft = 52;
  static constexpr int kRight = 12;
  static constexpr int kTop = 10;
  static constexpr int kBottom = 28;

  double X(double frame) const {
    return kLeft + frame / std::max(frames_ - 1, 1.0) * (kWidth - kLeft - kRight);
  }
  double Y(double value) const {
    return kTop + (1 - std::min(value / largest_, 1.0)) * (kHeight - kTop - kBottom);
  }

  const StreamTally& tally_;
  double frames_;
  double largest_;
};

std::string TimeSection(const StreamReport& report) {
  const StreamTally& tally = report.tally;
  if (tally.bins().empty()) return "";
  const auto mean = [](const StreamTally::Bin& bin) { return bin.seconds / AsDouble(bin.frames); };
  const auto share = [](const StreamTally::Bin& bin) { return bin.changed / AsDouble(bin.frames); };
  // The first frame is a run in full, and sets no scale, unless it is all there is; nor does a
  // pause of the system.
  std::vector<double> seconds;
  double most = 0;
  const size_t from = tally.bins().size() > 1 ? 1 : 0;
  for (size_t i = from; i < tally.bins().size(); ++i) {
    seconds.push_back(mean(tally.bins()[i]));
    most = std::max(most, share(tally.bins()[i]));
  }
  std::ranges::sort(seconds);
  const double slowest = std::min(seconds.back(), 2 * seconds[(seconds.size() - 1) * 95 / 100]);
  const FrameChart times(tally, slowest);
  const FrameChart shares(tally, most);
  const std::string per_point =
      tally.BinSize() == 1 ? "" : fmt::format(" Each point is {} frames.", tally.BinSize());
  return "<section id=\"time\">\n<h2>Frame by frame</h2>\n<p>The time of a frame through the "
         "network, and the share of neurons whose level changed since the frame before. The first "
         "frame is a run in full; peaks beyond the scale are cut off." +
         per_point + "</p>\n<div class=\"columns\">\n<div><h3>Time of a frame</h3>\n" +
         FrameChart::Svg("time over frames", times.Axes([](double value) {
           return fmt::format("{:.3g} ms", value * 1e3);
         }) + times.Line("plus", mean)) +
         "</div>\n<div><h3>Neurons that changed</h3>\n" +
         FrameChart::Svg("changed share over frames", shares.Axes([](double value) {
           return fmt::format("{:.3g} %", value * 100);
         }) + shares.Line("minus", share)) +
         "</div>\n</div>\n</section>\n";
}

std::string LabelOf(const Network& network, size_t index) {
  return network.labels().empty() ? std::to_string(index) : network.labels()[index];
}

// The classes by how many frames they are the answer of; the most frequent first.
std::vector<size_t> ClassesByFrames(const StreamTally& tally) {
  std::map<size_t, uint64_t> frames;
  for (const StreamTally::Stretch& stretch : tally.stretches()) {
    frames[stretch.answer] += stretch.last - stretch.first + 1;
  }
  std::vector<size_t> classes;
  for (const auto& [index, count] : frames) classes.push_back(index);
  std::ranges::stable_sort(classes, [&](size_t a, size_t b) { return frames[a] > frames[b]; });
  return classes;
}

// A row for each class, a bar for each stretch of frames that it is the answer of.
std::string AnswersChart(const StreamReport& report) {
  constexpr int kWidth = 940;
  constexpr int kLeft = 150;
  constexpr int kRow = 20;
  const StreamTally& tally = report.tally;
  const std::vector<size_t> classes = ClassesByFrames(tally);
  const size_t rows = std::min(classes.size(), kMostRows);
  const double scale = (kWidth - kLeft - 4) / (AsDouble(tally.last()) + 1);
  std::string svg;
  for (size_t row = 0; row < rows; ++row) {
    const bool others = row + 1 == kMostRows && classes.size() > kMostRows;
    svg +=
        fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 8,
                    static_cast<int>(row) * kRow + 14,
                    others ? "others" : ShortHtmlText(LabelOf(report.network, classes[row]), 20));
  }
  for (const StreamTally::Stretch& stretch : tally.stretches()) {
    const auto found = std::ranges::find(classes, stretch.answer) - classes.begin();
    const size_t row = std::min(static_cast<size_t>(found), rows - 1);
    svg += fmt::format(
        "<rect class=\"plus-fill\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"12\">"
        "<title>{}, frames {} to {}</title></rect>\n",
        kLeft + AsDouble(stretch.first) * scale, static_cast<int>(row) * kRow + 4,
        std::max(AsDouble(stretch.last - stretch.first + 1) * scale, 1.0),
        HtmlText(LabelOf(report.network, stretch.answer)), stretch.first, stretch.last);
  }
  const int height = static_cast<int>(rows) * kRow + 20;
  svg += fmt::format(
      "<text x=\"{}\" y=\"{}\">frame 0</text><text x=\"{}\" y=\"{}\" "
      "text-anchor=\"end\">{}</text>\n",
      kLeft, height - 4, kWidth - 4, height - 4, tally.last());
  return fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"answers over frames\">\n{}</svg>\n",
      kWidth, height, svg);
}

std::string ChangeCard(const StreamTally::Change& change) {
  const FrameResult& frame = change.frame;
  std::string when = fmt::format("frame {}", frame.number);
  if (frame.seconds.has_value()) when += fmt::format(", {:.3f} s", *frame.seconds);
  if (!frame.name.empty()) when += ": " + ShortHtmlText(frame.name, 60);
  std::string guesses;
  for (const Guess& guess : frame.guesses) {
    guesses += fmt::format(
        "<div class=\"guess\"><span class=\"name\">{}</span><span class=\"score\">{}</span>{}"
        "</div>\n",
        ShortHtmlText(guess.label, 60), Percent(guess.probability), Bar(guess.probability));
  }
  return fmt::format(
      "<figure class=\"card\">{}<figcaption><span class=\"path\">{}</span>\n{}</figcaption>"
      "</figure>\n",
      Picture(change.picture), when, guesses);
}

std::string AnswersSection(const StreamReport& report) {
  const StreamTally& tally = report.tally;
  if (tally.stretches().empty()) return "";
  const uint64_t changes = report.summary.answer_changes();
  std::string cards;
  for (const StreamTally::Change& change : tally.changes()) cards += ChangeCard(change);
  std::string left_out;
  if (changes + 1 > tally.changes().size()) {
    left_out += fmt::format("<p class=\"note\">and {} later changes without a picture</p>\n",
                            changes + 1 - tally.changes().size());
  }
  if (changes + 1 > tally.stretches().size()) {
    left_out += fmt::format("<p class=\"note\">The chart ends with the first {} changes.</p>\n",
                            tally.stretches().size() - 1);
  }
  return "<section id=\"answers\">\n<h2>Answers</h2>\n<p>The best class of each frame, and the "
         "frames with which it became another one.</p>\n" +
         AnswersChart(report) + "<div class=\"cards\">\n" + cards + "</div>\n" + left_out +
         "</section>\n";
}

// "8.1 % of 12.4 % anew"; pixels are not computed, and a readout has no levels.
std::string ChangedText(const StreamSummary& summary, size_t layer) {
  if (summary.layers()[layer].neurons == 0) return "\u2013";
  const std::string changed = Percent(summary.ChangedShare(layer));
  const double touched = summary.TouchedShare(layer);
  return touched > 0 ? fmt::format("{} of {} anew", changed, Percent(touched)) : changed;
}

std::string LayersSection(const StreamReport& report) {
  const StreamSummary& summary = report.summary;
  const std::vector<StreamLayer>& layers = summary.layers();
  double most_changed = 0;
  double most_updates = 0;
  double most_seconds = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    most_changed = std::max(most_changed, summary.ChangedShare(i));
    most_updates = std::max(most_updates, AsDouble(layers[i].updates));
    most_seconds = std::max(most_seconds, layers[i].seconds);
  }
  std::string rows;
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerInfo& info = report.network.layers()[i];
    const double changed = summary.ChangedShare(i);
    const double updates = AsDouble(layers[i].updates);
    rows += fmt::format("<tr><td class=\"name\">{}<small>{}, {}</small></td>", HtmlText(info.name),
                        LayerKindName(info.kind), Count(AsDouble(info.neurons)));
    rows += BarCell("changed", changed, most_changed, ChangedText(summary, i), "minus");
    rows += BarCell("SyOPs", updates, most_updates,
                    fmt::format("{} of {}", Count(summary.PerFrame(updates)),
                                Count(summary.PerFrame(AsDouble(layers[i].synops)))),
                    "");
    rows +=
        BarCell("time", layers[i].seconds, most_seconds,
                fmt::format("{:.3f}\u00a0ms", summary.PerFrame(layers[i].seconds) * 1e3), "good");
    rows += "</tr>\n";
  }
  return "<section id=\"layers\">\n<h2>Layer by layer</h2>\n<p>For one frame, on average: neurons "
         "whose level changed since the frame before, of those that were computed anew because "
         "something that they see changed; and the SyOPs of these changes beside those of a run in "
         "full.</p>\n<table class=\"wide layers\">\n<thead><tr><th>layer</th><th>changed</th>"
         "<th>SyOPs</th><th>time</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody>\n</table>\n</section>\n";
}

}  // namespace

std::string StreamPage(const StreamReport& report) {
  return PageAround(report.network_file,
                    Header(report) + Tiles(report) + TimeSection(report) + AnswersSection(report) +
                        LayersSection(report) +
                        FailuresSection("Frames that could not be decoded", report.tally.failures(),
                                        report.summary.damaged()));
}

}  // namespace cssrun::tools
