#include "tools/report/page.h"

#include <algorithm>
#include <cmath>

#include "cssrun/version.h"
#include "fmt/format.h"
#include "tools/report/html.h"
#include "tools/report/style.h"
#include "tools/summary_text.h"

namespace cssrun::tools {
namespace {

// Returns Wilson's interval, which is sound for few images and for shares near 0 and 1.
std::string Interval(size_t right, size_t images) {
  constexpr double kDeviations = 1.96;  // 95 %
  const auto n = static_cast<double>(images);
  const double share = static_cast<double>(right) / n;
  const double spread = kDeviations * kDeviations / n;
  const double centre = (share + spread / 2) / (1 + spread);
  const double half =
      kDeviations / (1 + spread) * std::sqrt(share * (1 - share) / n + spread / (4 * n));
  return fmt::format("{:.1f} to {:.1f} %", std::max(centre - half, 0.0) * 100,
                     std::min(centre + half, 1.0) * 100);
}

std::string Tiles(const ReportContent& content) {
  const Summary& summary = content.summary;
  std::string tiles;
  if (summary.graded() > 0) {
    const auto graded = static_cast<double>(summary.graded());
    tiles += Tile("Top-1 accuracy", Percent(static_cast<double>(summary.right()) / graded),
                  fmt::format("{} of {}; 95 % interval {}", summary.right(), summary.graded(),
                              Interval(summary.right(), summary.graded())));
    if (content.network.logits() > 5 && summary.knows_five()) {
      tiles +=
          Tile("Top-5 accuracy", Percent(static_cast<double>(summary.right_in_five()) / graded),
               fmt::format("{} of {}", summary.right_in_five(), summary.graded()));
    }
  }
  const double per_second =
      summary.seconds() > 0 ? static_cast<double>(summary.images()) / summary.seconds() : 0;
  tiles += Tile("Images a second", fmt::format("{:.{}f}", per_second, per_second < 10 ? 2 : 0),
                fmt::format("on {}; one takes {:.2f} ms (median), {:.2f} ms (p99)",
                            Plural(summary.threads(), "thread"), summary.Percentile(0.5),
                            summary.Percentile(0.99)));
  const auto macs = static_cast<double>(content.network.macs_per_image());
  tiles += Tile("SyOPs an image", Count(summary.SynopsPerImage()),
                fmt::format("{} spikes; the ANN takes {} MACs", Count(summary.SpikesPerImage()),
                            Count(macs)));
  if (macs > 0 && summary.images() > 0) {
    tiles += Tile("Energy against the ANN",
                  Percent(summary.EnergyPerImage() / summary.AnnEnergyPerImage()),
                  "arithmetic only, an estimate");
  }
  if (summary.failed() > 0) {
    tiles += Tile("Failed", fmt::format("<span>{}</span>", summary.failed()),
                  "images that could not be run");
  }
  return "<div class=\"tiles\">\n" + tiles + "</div>\n";
}

std::string Header(const ReportContent& content) {
  const Network& network = content.network;
  return fmt::format(
      "<header>\n<h1>{}</h1>\n<p>{} of {} \u00d7 {} pixels through {} layers of spiking "
      "neurons: T = {}, an answer complete after {} steps; {} engine, {}.{}</p>\n</header>\n",
      HtmlText(content.network_file), Plural(content.summary.all_images(), "image"),
      network.input().width, network.input().height, network.layers().size() - 2,
      network.timesteps(), network.latency_steps(),
      network.engine() == EngineKind::kInteger ? "integer" : "float", SimdTarget(),
      content.summary.earlier() == 0
          ? ""
          : fmt::format(
                " Of these, {} were done by an earlier run: they count in the accuracy, and "
                "are not in what follows it.",
                content.summary.earlier()));
}

}  // namespace

std::string Tile(const std::string& name, const std::string& figure, const std::string& remark) {
  return fmt::format(
      "<div class=\"tile\"><span class=\"name\">{}</span><b>{}</b><span>{}</span></div>\n", name,
      figure, remark);
}

std::string BarCell(const char* name, double value, double largest, const std::string& text,
                    const char* look) {
  return fmt::format("<td data-name=\"{}\">{}{}</td>", name, text,
                     Bar(largest > 0 ? value / largest : 0, look));
}

std::string FailuresSection(const std::string& what, const std::vector<std::string>& messages,
                            uint64_t count) {
  if (count == 0) return "";
  std::string items;
  for (const std::string& message : messages) items += "<li>" + HtmlText(message) + "</li>\n";
  const uint64_t unnamed = count - messages.size();
  return fmt::format(
      "<section id=\"failed\">\n<h2>{}</h2>\n<ul class=\"errors\">\n{}</ul>\n{}</section>\n", what,
      items, unnamed == 0 ? "" : fmt::format("<p class=\"note\">and {} more</p>\n", unnamed));
}

std::string Bar(double share, const char* look) {
  const double percent = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) * 100 : 0;
  return fmt::format("<span class=\"bar {}\"><i style=\"width:{:.1f}%\"></i></span>", look,
                     percent);
}

std::string Picture(const std::optional<Thumbnail>& thumbnail) {
  if (!thumbnail.has_value()) return "<div class=\"picture\">no picture</div>";
  // Pictures of few pixels are enlarged with sharp pixels.
  const bool small = std::max(thumbnail->width, thumbnail->height) <= 96;
  return fmt::format(
      "<div class=\"picture\"><img{} alt=\"\" width=\"{}\" height=\"{}\" src=\"{}\" /></div>",
      small ? " class=\"small\"" : "", thumbnail->width, thumbnail->height, thumbnail->uri);
}

std::string Percent(double share) {
  // Logits that are NaN make shares that are not finite; a dash stands for them.
  if (!std::isfinite(share)) return "\u2013";
  const double percent = share * 100;
  return fmt::format("{:.{}f}\u00a0%", percent, percent >= 100 ? 0 : 1);
}

std::string Count(double number) {
  constexpr const char* kUnits[] = {"", "\u00a0k", "\u00a0M", "\u00a0G", "\u00a0T"};
  size_t unit = 0;
  while (number >= 999.5 && unit + 1 < std::size(kUnits)) {
    number /= 1000;
    ++unit;
  }
  const int decimals = number >= 100 || (unit == 0 && number == std::floor(number)) ? 0 : 1;
  return fmt::format("{:.{}f}{}", number, number < 10 && decimals > 0 ? 2 : decimals, kUnits[unit]);
}

std::string PageAround(const std::string& title, const std::string& body) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
      // The policy forbids loading and running anything, whatever markup a name might smuggle in.
      "<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\" />\n";
  page += fmt::format("<title>{}: report</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n",
                      HtmlText(title), kReportStyle);
  page += body;
  page += fmt::format(
      "<footer>Made by cssrun {}. A SyOP is one weight added to one membrane because "
      "of one spike; a MAC is one multiply-accumulate of the dense ANN.</footer>\n"
      "</main>\n</body>\n</html>\n",
      Version());
  return page;
}

std::string ReportPage(const ReportContent& content) {
  const Tally& tally = content.tally;
  std::string body = Header(content);
  body += Tiles(content);
  body += AccuracySection(content);
  body += HardestSection(content);
  body += LayersSection(content);
  const std::string steps = StepsSection(content);
  const std::string energy = EnergySection(content);
  body += "<div class=\"columns\">\n" + steps + energy + "</div>\n";
  body += NeuronsSection(content);
  body += FailuresSection("Images that failed", tally.failures(), tally.failed());
  return PageAround(content.network_file, body);
}

}  // namespace cssrun::tools
