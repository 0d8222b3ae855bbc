// The sections about right and wrong answers and close decisions.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "fmt/format.h"
#include "tools/report/html.h"
#include "tools/report/page.h"

namespace cssrun::tools {
namespace {

// A matrix with more classes would be unreadable.
constexpr size_t kMatrixClasses = 20;
constexpr size_t kLabelCharacters = 24;

std::string Label(const Tally& tally, size_t index) {
  return ShortHtmlText(tally.LabelOf(index), kLabelCharacters);
}

std::string Cell(const Tally& tally, size_t truth, size_t answer) {
  const uint64_t count = tally.CountOf(truth, answer);
  if (count == 0) return "<td></td>";
  const double share =
      static_cast<double>(count) / static_cast<double>(tally.classes()[truth].images);
  // Mistakes are few, so their colour has to be visible at small shares.
  const bool right = truth == answer;
  const double depth = right ? 0.15 + 0.55 * share : 0.25 + 0.6 * std::sqrt(share);
  return fmt::format("<td style=\"background:rgba(var(--{}-rgb),{:.2f})\">{}</td>",
                     right ? "plus" : "bad", depth, count);
}

std::string Matrix(const Tally& tally) {
  const size_t classes = tally.classes().size();
  std::string table =
      "<div>\n<h3>Rows: what it is. Columns: what was answered.</h3>\n"
      "<div class=\"scroll\">\n<table class=\"matrix\">\n<thead><tr><th></th>";
  for (size_t answer = 0; answer < classes; ++answer) {
    table += fmt::format("<th scope=\"col\"><span>{}</span></th>", Label(tally, answer));
  }
  table += "</tr></thead>\n<tbody>\n";
  for (size_t truth = 0; truth < classes; ++truth) {
    table += fmt::format("<tr><th scope=\"row\">{}</th>", Label(tally, truth));
    for (size_t answer = 0; answer < classes; ++answer) table += Cell(tally, truth, answer);
    table += "</tr>\n";
  }
  return table + "</tbody>\n</table>\n</div>\n</div>\n";
}

std::string ConfusedPairs(const Tally& tally, size_t count) {
  const std::vector<Confusion> pairs = tally.MostConfused(count);
  if (pairs.empty())
    return "<div>\n<p class=\"right verdict\">No image was answered wrongly.</p>\n</div>\n";
  std::string table =
      "<div>\n<h3>Most confused</h3>\n<table "
      "class=\"wide\">\n<thead><tr><th>is</th><th>answered</th>"
      "<th class=\"number\">images</th><th class=\"number\">of its "
      "class</th></tr></thead>\n<tbody>\n";
  for (const Confusion& pair : pairs) {
    const auto images = static_cast<double>(tally.classes()[pair.truth].images);
    table += fmt::format(
        "<tr><td class=\"name\">{}</td><td class=\"name\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td></tr>\n",
        HtmlText(tally.LabelOf(pair.truth)), HtmlText(tally.LabelOf(pair.answer)), pair.count,
        Percent(static_cast<double>(pair.count) / images));
  }
  return table + "</tbody>\n</table>\n</div>\n";
}

std::string WorstClasses(const Tally& tally, size_t count) {
  const std::vector<Tally::ClassCount>& classes = tally.classes();
  std::vector<size_t> order(classes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t index) { return classes[index].images == 0; });
  const auto share = [&](size_t index) {
    return static_cast<double>(classes[index].right) / static_cast<double>(classes[index].images);
  };
  std::ranges::stable_sort(order, {}, share);
  if (order.size() > count) order.resize(count);
  std::string table =
      "<div>\n<h3>Classes with the lowest accuracy</h3>\n<table class=\"wide\">\n<thead><tr>"
      "<th>class</th><th class=\"number\">right</th><th class=\"number\">images</th>"
      "<th class=\"number\">accuracy</th></tr></thead>\n<tbody>\n";
  for (const size_t index : order) {
    table += fmt::format(
        "<tr><td class=\"name\">{}{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td></tr>\n",
        HtmlText(tally.LabelOf(index)), Bar(share(index), "good"), classes[index].right,
        classes[index].images, Percent(share(index)));
  }
  return table + "</tbody>\n</table>\n</div>\n";
}

std::string Card(const HardImage& image, const std::optional<Thumbnail>& picture,
                 const Tally& tally) {
  std::string verdict;
  if (image.truth != kUnknownTruth) {
    const bool right = image.guesses[0].index == static_cast<size_t>(image.truth);
    verdict =
        fmt::format("<span class=\"verdict {0}\">{0}: is {1}</span>\n", right ? "right" : "wrong",
                    HtmlText(tally.LabelOf(static_cast<size_t>(image.truth))));
  }
  std::string guesses;
  for (const Guess& guess : image.guesses) {
    const bool is_truth = static_cast<int>(guess.index) == image.truth;
    guesses += fmt::format(
        "<span class=\"guess{}\"><span class=\"name\">{}</span><span class=\"score\">{} "
        "<small>({})</small></span>{}</span>\n",
        is_truth ? " true" : "", HtmlText(guess.label), Percent(guess.probability),
        std::isfinite(guess.logit) ? fmt::format("{:.2f}", guess.logit) : "\u2013",
        Bar(guess.probability, is_truth ? "good" : "minus"));
  }
  return fmt::format(
      "<figure class=\"card\">{}\n<figcaption>\n{}{}<span class=\"note\">margin {}</span>\n"
      "<span class=\"path\">{}</span>\n</figcaption></figure>\n",
      Picture(picture), verdict, guesses,
      std::isfinite(image.lead) ? fmt::format("{:+.2f}", image.lead) : "\u2013",
      HtmlText(image.path));
}

}  // namespace

std::string AccuracySection(const ReportContent& content) {
  if (content.summary.graded() == 0) return "";
  const Tally& tally = content.tally;
  const bool few = tally.classes().size() <= kMatrixClasses;
  return fmt::format(
      "<section id=\"accuracy\">\n<h2>Right and wrong</h2>\n<p>{} of {} images with a known class "
      "are "
      "answered rightly.</p>\n<div class=\"columns\">\n{}{}</div>\n</section>\n",
      content.summary.right(), content.summary.graded(),
      few ? Matrix(tally) : ConfusedPairs(tally, 20),
      few ? ConfusedPairs(tally, 10) : WorstClasses(tally, 20));
}

std::string HardestSection(const ReportContent& content) {
  if (content.hardest.empty()) return "";
  const bool graded = content.summary.graded() > 0;
  std::string cards;
  for (size_t i = 0; i < content.hardest.size(); ++i) {
    cards += Card(content.hardest[i], content.pictures[i], content.tally);
  }
  return fmt::format(
      "<section id=\"hardest\">\n<h2>The hardest images</h2>\n<p>{} Beside each class its "
      "probability and, "
      "in brackets, its logit.</p>\n<div class=\"cards\">\n{}</div>\n</section>\n",
      graded
          ? "The margin is the true class\u2019s logit less the best other one\u2019s: below zero "
            "the "
            "answer is wrong, just above it was nearly so. Where the class is not known, it is the "
            "best answer\u2019s lead."
          : "The margin is the best answer\u2019s lead over the second, in logits: the smaller, "
            "the "
            "less sure.",
      cards);
}

}  // namespace cssrun::tools
