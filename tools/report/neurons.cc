// Draws spikes and membranes of chosen neurons while one image is run.
#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "tools/report/html.h"
#include "tools/report/page.h"

namespace cssrun::tools {
namespace {

constexpr size_t kTraces = 6;

// Rows are neurons, columns global steps.
class Raster {
 public:
  Raster(const Network& network, const std::vector<WatchedLayer>& watched)
      : network_(network), steps_(LastStep(network, watched)) {
    for (const WatchedLayer& layer : watched) Add(layer);
  }

  std::string Svg() const {
    const double height = y_ + kAxis;
    std::string svg = fmt::format(
        "<svg class=\"raster\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"spike raster\">\n{}"
        "<path class=\"plus-fill\" d=\"{}\" />\n<path class=\"minus-fill\" d=\"{}\" />\n",
        kWidth, height, bands_, positive_, negative_);
    const uint32_t stride = steps_ / 10 + 1;
    for (uint32_t step = 0; step < steps_; step += stride) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                         (step + 0.5) * Column(), height - 4, step + 1);
    }
    return svg + "</svg>\n";
  }

 private:
  static constexpr double kWidth = 460;
  static constexpr double kRow = 6;
  static constexpr double kName = 15;
  static constexpr double kAxis = 20;
  static constexpr size_t kNameCharacters = 28;

  static uint32_t LastStep(const Network& network, const std::vector<WatchedLayer>& watched) {
    uint32_t last = 1;
    for (const WatchedLayer& layer : watched) {
      last = std::max(last, network.layers()[layer.layer].offset + network.timesteps());
    }
    return last;
  }
  double Column() const { return kWidth / steps_; }

  void Add(const WatchedLayer& layer) {
    const LayerInfo& info = network_.layers()[layer.layer];
    const double left = info.offset * Column();
    const double width = network_.timesteps() * Column();
    const double band = static_cast<double>(layer.neurons.size()) * kRow;
    // The name goes to the side that has room beside the previous layer's band.
    const bool late = left > kWidth / 2;
    y_ += kName;
    bands_ += fmt::format(
        "<rect class=\"band\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" />"
        "<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}: {} of {} spike</text>\n",
        left, y_, width, band, late ? left + width : left, y_ - 4,
        late ? " text-anchor=\"end\"" : "", ShortHtmlText(info.name, kNameCharacters),
        Count(static_cast<double>(layer.active)), Count(static_cast<double>(info.neurons)));
    for (size_t row = 0; row < layer.neurons.size(); ++row) {
      const std::vector<int8_t>& spikes = layer.neurons[row].spikes;
      for (size_t i = 0; i < spikes.size(); ++i) {
        if (spikes[i] == 0) continue;
        const double mark = std::max(Column() - 1, Column() * 0.8);
        (spikes[i] > 0 ? positive_ : negative_) +=
            fmt::format("M{:.1f} {:.1f}h{:.1f}v{:.1f}h-{:.1f}z",
                        left + static_cast<double>(i) * Column() + (Column() - mark) / 2,
                        y_ + static_cast<double>(row) * kRow + 0.75, mark, kRow - 1.5, mark);
      }
    }
    y_ += band;
  }

  const Network& network_;
  const uint32_t steps_;
  double y_ = 0;
  std::string bands_;
  std::string positive_;
  std::string negative_;
};

// Draws one neuron's membrane, its thresholds and its spikes, over the steps at which its layer
// works.
std::string Trace(const Network& network, const WatchedLayer& layer, const WatchedNeuron& neuron) {
  constexpr double kWidth = 340;
  constexpr double kHeight = 170;
  constexpr double kLeft = 34;
  constexpr double kTop = 18;
  constexpr double kBottom = 24;
  const LayerInfo& info = network.layers()[layer.layer];
  const std::vector<float>& membranes = neuron.membranes;
  const size_t silent = membranes.size() - neuron.spikes.size();
  double largest = 0.1;
  for (const float membrane : membranes) {
    largest = std::max(largest, std::abs(static_cast<double>(membrane)));
  }
  for (const float threshold : layer.thresholds) {
    largest = std::max(largest, static_cast<double>(threshold));
  }
  const double middle = (kTop + kHeight - kBottom) / 2;
  const auto column = (kWidth - kLeft - 6) / static_cast<double>(membranes.size());
  const auto x = [&](double index) { return kLeft + (index + 0.5) * column; };
  const auto y = [&](double value) {
    return middle - value / largest * 0.92 * (kHeight - kTop - kBottom) / 2;
  };

  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"potential of one neuron\">\n"
      "<rect class=\"band\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" "
      "opacity=\".5\"><title>silent "
      "period</title></rect>\n<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" "
      "/>\n",
      kWidth, kHeight, kLeft, kTop, static_cast<double>(silent) * column, kHeight - kTop - kBottom,
      kLeft, kWidth - 6, middle, middle);
  for (const double sign : {1.0, -1.0}) {
    std::string path;
    for (size_t i = 0; i < layer.thresholds.size(); ++i) {
      const double level = y(sign * static_cast<double>(layer.thresholds[i]));
      const double left = x(static_cast<double>(silent + i) - 0.5);
      path += fmt::format("{}{:.1f} {:.1f}H{:.1f}", i == 0 ? "M" : "L", left, level, left + column);
    }
    svg += fmt::format("<path class=\"threshold\" d=\"{}\" />\n", path);
  }
  std::string points;
  for (size_t i = 0; i < membranes.size(); ++i) {
    points += fmt::format("{:.1f},{:.1f} ", x(static_cast<double>(i)),
                          y(static_cast<double>(membranes[i])));
  }
  svg += fmt::format("<polyline class=\"line trace\" points=\"{}\" />\n", points);
  for (size_t i = 0; i < neuron.spikes.size(); ++i) {
    if (neuron.spikes[i] == 0) continue;
    const bool positive = neuron.spikes[i] > 0;
    const double centre = x(static_cast<double>(silent + i));
    const double tip = positive ? kTop - 15 : kHeight - kBottom + 11;
    svg += fmt::format("<path class=\"{}-fill\" d=\"M{:.1f} {:.1f}l4.5 {}h-9z\" />\n",
                       positive ? "plus" : "minus", centre, tip, positive ? 9 : -9);
  }
  svg += fmt::format(
      "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.1f}</text><text x=\"{}\" y=\"{:.1f}\" "
      "text-anchor=\"end\">0</text><text x=\"{}\" y=\"{:.1f}\" "
      "text-anchor=\"end\">\u2212{:.1f}</text>\n",
      kLeft - 4, y(largest) + 4, largest, kLeft - 4, middle + 4, kLeft - 4, y(-largest) + 4,
      largest);
  const size_t first_step = info.offset - silent;
  svg += fmt::format(
      "<text x=\"{}\" y=\"{}\">step {}</text><text x=\"{}\" y=\"{}\" "
      "text-anchor=\"end\">{}</text>\n</svg>\n",
      kLeft, kHeight - 4, first_step + 1, kWidth - 6, kHeight - 4, first_step + membranes.size());
  return fmt::format("<figure>\n<figcaption><b>{}</b>, neuron {}</figcaption>\n{}</figure>\n",
                     ShortHtmlText(info.name, 30), neuron.neuron, svg);
}

std::string Traces(const ReportContent& content) {
  std::vector<std::pair<const WatchedLayer*, const WatchedNeuron*>> with_membranes;
  // Begins with one neuron of each layer, neither the busiest nor a nearly silent one.
  for (size_t turn = 0; turn < kTraces && with_membranes.size() < kTraces; ++turn) {
    for (const WatchedLayer& layer : content.watched) {
      const size_t neurons = layer.neurons.size();
      if (turn >= neurons) continue;
      const WatchedNeuron& neuron = layer.neurons[(neurons / 3 + turn) % neurons];
      if (!neuron.membranes.empty()) with_membranes.emplace_back(&layer, &neuron);
    }
  }
  if (with_membranes.empty()) {
    return "<p class=\"note\">These neurons have all of their input before they fire; the integer "
           "engine "
           "keeps no potential step by step. <code>--engine float</code> shows it.</p>\n";
  }
  // The traces are spread over the depth of the network.
  std::string figures;
  const size_t count = std::min(kTraces, with_membranes.size());
  for (size_t i = 0; i < count; ++i) {
    const size_t pick = count == 1 ? 0 : i * (with_membranes.size() - 1) / (count - 1);
    figures += Trace(content.network, *with_membranes[pick].first, *with_membranes[pick].second);
  }
  return "<div class=\"traces\">\n" + figures + "</div>\n";
}

}  // namespace

std::string NeuronsSection(const ReportContent& content) {
  if (content.watched.empty()) return "";
  return fmt::format(
      "<section id=\"neurons\">\n<h2>Inside: the hardest image</h2>\n"
      "<div class=\"watched\">{}<p class=\"note\">{}</p></div>\n"
      "<h3>Spikes</h3>\n{}<ul class=\"legend\"><li><i class=\"plus\"></i>+1</li><li><i "
      "class=\"minus\"></i>\u22121</li>"
      "<li>a row is a neuron, a column a step; grey: while its layer fires</li></ul>\n"
      "<h3 style=\"margin-top:24px\">Potentials</h3>\n"
      "<p class=\"note\">What is left of a neuron\u2019s potential after each step; a spike "
      "(triangle) takes "
      "off 1. It leaves where the potential reaches the dashed threshold.</p>\n{}</section>\n",
      Picture(content.pictures[0]), HtmlText(content.hardest[0].path),
      Raster(content.network, content.watched).Svg(), Traces(content));
}

}  // namespace cssrun::tools
