#include "tools/output.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "fmt/format.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string CsvField(const std::string& text) {
  std::string safe = TerminalText(text);
  if (safe.find_first_of(",\"") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string JsonText(const std::string& text) {
  return TerminalJson(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string GuessesText(const std::vector<Guess>& guesses) {
  std::string text;
  for (const Guess& guess : guesses) {
    text += fmt::format("  {} {:.1f}%", TerminalText(guess.label), guess.probability * 100);
  }
  return text;
}

std::string GuessesCsv(const std::vector<Guess>& guesses, size_t topk) {
  std::string fields;
  for (size_t i = 0; i < topk; ++i) {
    if (i < guesses.size()) {
      const Guess& guess = guesses[i];
      fields +=
          fmt::format(",{},{:.6f},{:.6g}", CsvField(guess.label), guess.probability, guess.logit);
    } else {
      fields += ",,,";
    }
  }
  return fields;
}

std::string GuessesCsvHeader(size_t topk) {
  std::string header;
  for (size_t i = 1; i <= topk; ++i) {
    header += fmt::format(",label{0},probability{0},logit{0}", i);
  }
  return header;
}

nlohmann::ordered_json GuessesJson(const std::vector<Guess>& guesses) {
  Json json = Json::array();
  for (const Guess& guess : guesses) {
    json.push_back({{"index", guess.index},
                    {"label", guess.label},
                    {"probability", guess.probability},
                    {"logit", guess.logit}});
  }
  return json;
}

namespace {

std::string TextLine(const ImageResult& result) {
  if (!result.error.empty()) return "";
  std::string line = TerminalText(result.path);
  if (result.has_truth) line += result.right ? "  right " : "  WRONG ";
  line += GuessesText(result.guesses);
  if (result.has_truth && !result.right) {
    line += fmt::format("  (is {})", TerminalText(result.truth));
  }
  return line + "\n";
}

std::string CsvLine(const ImageResult& result, size_t topk) {
  std::string line =
      CsvField(result.path) + "," + CsvField(result.truth) + GuessesCsv(result.guesses, topk);
  if (result.error.empty()) {
    line += fmt::format(",{:.6g},{},", result.margin, result.steps);
  } else {
    line += ",,," + CsvField(result.error);
  }
  return line + "\n";
}

std::string JsonLine(const ImageResult& result) {
  Json json;
  json["path"] = result.path;
  json["truth"] = result.has_truth ? Json(result.truth) : Json();
  json["top"] = GuessesJson(result.guesses);
  const bool failed = !result.error.empty();
  json["margin"] = failed ? Json() : Json(result.margin);
  json["steps"] = failed ? Json() : Json(result.steps);
  json["error"] = failed ? Json(result.error) : Json();
  // A file name need not be UTF-8.
  return TerminalJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace

bool GoesBefore(const std::vector<float>& logits, size_t a, size_t b) {
  const bool a_is_number = !std::isnan(logits[a]);
  const bool b_is_number = !std::isnan(logits[b]);
  if (a_is_number != b_is_number) return a_is_number;
  return a_is_number && logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
}

std::vector<Guess> BestGuesses(const std::vector<float>& logits,
                               const std::vector<std::string>& labels, size_t count) {
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](size_t a, size_t b) { return GoesBefore(logits, a, b); });
  const auto largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  std::vector<Guess> guesses;
  for (size_t i = 0; i < count; ++i) {
    const size_t index = order[i];
    const auto logit = static_cast<double>(logits[index]);
    // C libraries differ in the last bit of exp(), which a float does not show.
    const auto probability = static_cast<float>(std::exp(logit - largest) / sum);
    guesses.push_back({index, labels.empty() ? std::to_string(index) : labels[index], logit,
                       static_cast<double>(probability)});
  }
  return guesses;
}

std::string FormatHeader(OutputFormat format, size_t topk) {
  if (format != OutputFormat::kCsv) return "";
  return "path,truth" + GuessesCsvHeader(topk) + ",margin,steps,error\n";
}

std::string FormatResult(OutputFormat format, const ImageResult& result, size_t topk) {
  switch (format) {
    case OutputFormat::kText:
      return TextLine(result);
    case OutputFormat::kCsv:
      return CsvLine(result, topk);
    case OutputFormat::kJsonLines:
    case OutputFormat::kNpy:
      break;
  }
  return JsonLine(result);
}

}  // namespace cssrun::tools
