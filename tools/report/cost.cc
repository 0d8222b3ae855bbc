// The sections about the cost of the answers: by layer, by step, and in energy.
#include <algorithm>

#include "fmt/format.h"
#include "tools/report/html.h"
#include "tools/report/page.h"

namespace cssrun::tools {
namespace {

// Formats a rate: "0.0123", or "1.3e-05" where fixed digits would show 0.
std::string Rate(double rate) { return fmt::format("{:.3g}", rate); }

// A chart with steps on the horizontal axis and shares on the vertical one. The vertical axis ends
// at 100 % and begins at 0, or just low enough to show `smallest`.
class StepChart {
 public:
  StepChart(uint32_t first, uint32_t last, double smallest)
      : first_(first), last_(std::max(last, first + 1)) {
    for (const double bottom : {0.5, 0.8, 0.9, 0.96}) {
      if (smallest >= bottom) bottom_ = bottom;
    }
  }

  std::string Axes() const {
    std::string svg;
    for (int line = 0; line <= 4; ++line) {
      const double share = bottom_ + (1 - bottom_) * line / 4;
      const double y = Y(share);
      svg += fmt::format(
          "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" />"
          "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.3g} %</text>\n",
          kLeft, kWidth - kRight, y, y, kLeft - 6, y + 4, share * 100);
    }
    const uint32_t stride = (last_ - first_) / 8 + 1;
    for (uint32_t step = first_; step <= last_; step += stride) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", X(step),
                         kHeight - 22, step);
    }
    return svg + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">step</text>\n",
                             kWidth - kRight, kHeight - 6);
  }

  // Draws a line through `share` of each element of `at`, from 0 to 1.
  template <class Share>
  std::string Line(const std::vector<Summary::AtStep>& at, const char* look, const char* name,
                   Share share) const {
    std::string points;
    std::string dots;
    for (const Summary::AtStep& step : at) {
      const double x = X(step.step);
      const double y = Y(share(step));
      points += fmt::format("{:.1f},{:.1f} ", x, y);
      dots += fmt::format(
          "<circle class=\"{}-fill\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{} after step {}: "
          "{}</title></circle>\n",
          look, x, y, name, step.step, Percent(share(step)));
    }
    return fmt::format("<polyline class=\"line {}\" points=\"{}\" />\n{}", look, points, dots);
  }

  static std::string Svg(const std::string& inside) {
    return fmt::format(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"accuracy against "
        "steps\">\n{}</svg>\n",
        kWidth, kHeight, inside);
  }

 private:
  static constexpr int kWidth = 460;
  static constexpr int kHeight = 260;
  static constexpr int kLeft = 46;
  static constexpr int kRight = 12;
  static constexpr int kTop = 10;
  static constexpr int kBottom = 40;

  double X(uint32_t step) const {
    return kLeft +
           static_cast<double>(step - first_) / (last_ - first_) * (kWidth - kLeft - kRight);
  }
  double Y(double share) const {
    return kTop + (1 - share) / (1 - bottom_) * (kHeight - kTop - kBottom);
  }

  uint32_t first_;
  uint32_t last_;
  double bottom_ = 0;
};

std::string LegendItem(const char* look, const char* name) {
  return fmt::format("<li><i class=\"{}\"></i>{}</li>", look, name);
}

}  // namespace

std::string LayersSection(const ReportContent& content) {
  const Summary& summary = content.summary;
  const std::vector<LayerInfo>& infos = content.network.layers();
  double most_synops = 0;
  double most_seconds = 0;
  double highest_rate = 0;
  for (size_t i = 0; i < infos.size(); ++i) {
    most_synops = std::max(most_synops, static_cast<double>(summary.layers()[i].synops));
    most_seconds = std::max(most_seconds, summary.layers()[i].seconds);
    highest_rate = std::max(highest_rate, summary.Rate(i));
  }
  std::string rows;
  for (size_t i = 0; i < infos.size(); ++i) {
    const LayerStatistics& layer = summary.layers()[i];
    const double synops = summary.PerImage(static_cast<double>(layer.synops));
    const double macs = summary.PerImage(static_cast<double>(layer.macs));
    const bool spikes = i + 1 < infos.size();
    rows +=
        fmt::format("<tr><td class=\"name\">{}<small>{}, {} {}</small></td>",
                    HtmlText(infos[i].name), LayerKindName(infos[i].kind),
                    Count(static_cast<double>(infos[i].neurons)), spikes ? "neurons" : "logits");
    rows += BarCell("rate", spikes ? summary.Rate(i) : 0, highest_rate,
                    spikes ? Rate(summary.Rate(i)) : "\u2013", "minus");
    rows += BarCell(
        "SyOPs", static_cast<double>(layer.synops), most_synops,
        macs > 0 ? fmt::format("{} + {} MACs", Count(synops), Count(macs)) : Count(synops), "");
    rows += BarCell("time", layer.seconds, most_seconds,
                    fmt::format("{:.3f}\u00a0ms", summary.PerImage(layer.seconds) * 1e3), "good");
    rows += "</tr>\n";
  }
  return "<section id=\"layers\">\n<h2>Layer by layer</h2>\n<p>For one image, on average. The rate "
         "is "
         "spikes a neuron and step: what is silent costs nothing. SyOPs are the weights that a "
         "layer\u2019s membranes received.</p>\n"
         "<table class=\"wide layers\">\n<thead><tr><th>layer</th><th>rate</th><th>SyOPs</th>"
         "<th>time</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody>\n</table>\n</section>\n";
}

std::string StepsSection(const ReportContent& content) {
  const std::vector<Summary::AtStep>& at = content.summary.at_steps();
  if (at.empty()) return "";
  const auto images = static_cast<double>(content.summary.images());
  const auto graded = static_cast<double>(content.summary.graded_here());
  const double synops = std::max(content.summary.SynopsPerImage() * images, 1.0);
  const auto accuracy = [&](const Summary::AtStep& step) {
    return graded > 0 ? static_cast<double>(step.right) / graded : 0;
  };
  const auto agreement = [&](const Summary::AtStep& step) {
    return static_cast<double>(step.as_at_the_end) / images;
  };
  const auto cost = [&](const Summary::AtStep& step) { return step.synops / synops; };

  double smallest = 1;
  for (const Summary::AtStep& step : at) {
    smallest = std::min({smallest, agreement(step), cost(step)});
    if (graded > 0) smallest = std::min(smallest, accuracy(step));
  }
  const StepChart chart(at.front().step, at.back().step, smallest);
  std::string inside = chart.Axes();
  std::string legend;
  inside += chart.Line(at, "soft", "SyOPs spent", cost);
  inside += chart.Line(at, "minus", "the same answer as at the end", agreement);
  if (graded > 0) {
    inside += chart.Line(at, "plus", "top-1 accuracy", accuracy);
    legend += LegendItem("plus", "top-1 accuracy");
  }
  legend +=
      LegendItem("minus", "the same answer as at the end") + LegendItem("soft", "SyOPs spent");
  std::string rows;
  for (const Summary::AtStep& step : at) {
    rows += fmt::format(
        "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
        step.step, graded > 0 ? Percent(accuracy(step)) : "\u2013", Percent(agreement(step)),
        Count(step.synops / images));
  }
  return "<section id=\"steps\">\n<h2>Accuracy against steps</h2>\n<p>The leading terms arrive "
         "first: the "
         "answer, if the readout were read at that step. <code>--early-exit</code> uses it.</p>\n" +
         StepChart::Svg(inside) + "<ul class=\"legend\">" + legend + "</ul>\n" +
         "<details><summary>The figures</summary>\n<table class=\"wide\">\n<thead><tr>"
         "<th class=\"number\">step</th><th class=\"number\">top-1</th><th class=\"number\">as at "
         "the end</th>"
         "<th class=\"number\">SyOPs</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody>\n</table>\n</details>\n</section>\n";
}

std::string EnergySection(const ReportContent& content) {
  const Summary& summary = content.summary;
  const double ann = summary.AnnEnergyPerImage();
  if (ann <= 0 || summary.images() == 0) return "";
  const double snn = summary.EnergyPerImage();
  const double largest = std::max(ann, snn);
  const double direct = summary.DirectMacsPerImage();
  const std::string work =
      Count(summary.SynopsPerImage()) + " SyOPs" +
      (direct > 0 ? fmt::format(" and {} MACs of pixels", Count(direct)) : std::string());
  return fmt::format(
      "<section id=\"energy\">\n<h2>Energy against the ANN</h2>\n<p>Of the arithmetic for one "
      "image, at the "
      "paper\u2019s 45 nm figures: 0.9 pJ an addition, 4.6 pJ a multiplication with its addition. "
      "Memory "
      "is not counted, and no chip was measured.</p>\n<div class=\"energy\">\n"
      "<div><h3>this network: {:.4f} mJ</h3>{}<span class=\"note\">{}</span></div>\n"
      "<div><h3>its ANN: {:.4f} mJ</h3>{}<span class=\"note\">{} MACs</span></div>\n"
      "<div><h3>{}</h3></div>\n</div>\n</section>\n",
      snn * 1e3, Bar(snn / largest), work, ann * 1e3, Bar(ann / largest, "minus"),
      Count(static_cast<double>(content.network.macs_per_image())),
      snn <= ann ? fmt::format("{:.1f} times less", snn > 0 ? ann / snn : 0)
                 : fmt::format("{:.1f} times more", snn / ann));
}

}  // namespace cssrun::tools
