#include "tools/recordings/recording_lines.h"

#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string TextLine(const RecordingResult& result) {
  const ImageResult& answer = result.answer;
  if (!answer.error.empty()) return "";
  std::string line = TerminalText(answer.path);
  // Before the end nothing is right or wrong yet.
  if (answer.has_truth && !result.live) line += answer.right ? "  right " : "  WRONG ";
  if (result.live) line += fmt::format("  {:.6g} s", result.seconds);
  line += GuessesText(answer.guesses);
  if (answer.has_truth && !answer.right && !result.live) {
    line += fmt::format("  (is {})", TerminalText(answer.truth));
  }
  return line + "\n";
}

std::string CsvLine(const RecordingResult& result, size_t topk) {
  const ImageResult& answer = result.answer;
  std::string line =
      CsvField(answer.path) + "," + CsvField(answer.truth) + GuessesCsv(answer.guesses, topk);
  if (!answer.error.empty()) return line + ",,,,," + CsvField(answer.error) + "\n";
  return line + fmt::format(",{:.6g},{},{:.6f},{},\n", answer.margin, result.steps, result.seconds,
                            result.events);
}

std::string JsonLine(const RecordingResult& result) {
  const ImageResult& answer = result.answer;
  const bool failed = !answer.error.empty();
  const auto unless_failed = [&](Json value) { return failed ? Json() : std::move(value); };
  Json json;
  json["path"] = answer.path;
  json["truth"] = answer.has_truth ? Json(answer.truth) : Json();
  json["top"] = GuessesJson(answer.guesses);
  json["margin"] = unless_failed(answer.margin);
  json["steps"] = unless_failed(result.steps);
  json["time"] = unless_failed(result.seconds);
  json["events"] = unless_failed(result.events);
  json["error"] = failed ? Json(answer.error) : Json();
  return TerminalJson(json.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace

std::string RecordingHeader(OutputFormat format, size_t topk) {
  if (format != OutputFormat::kCsv) return "";
  return "path,truth" + GuessesCsvHeader(topk) + ",margin,steps,time,events,error\n";
}

std::string RecordingLine(OutputFormat format, const RecordingResult& result, size_t topk) {
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
