#include "tools/stream/stream_lines.h"

#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "tools/numbers.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string TextLine(const FrameResult& result, const StreamAnswer& answer,
                     const Network& network) {
  if (!result.error.empty()) return "";
  std::string line = fmt::format("{:>6}", result.number);
  if (!result.name.empty()) line += "  " + TerminalText(result.name);
  if (result.seconds.has_value()) line += fmt::format("  {:.3f} s", *result.seconds);
  if (network.answer() == AnswerKind::kClasses) {
    line += GuessesText(result.guesses);
  } else {
    line = NumbersText(line, network.outputs(), answer.logits);
    line.pop_back();
  }
  return line + fmt::format("  {:.3f} ms  {:.1f}% changed  {:.2f} M SyOPs\n", answer.seconds * 1e3,
                            answer.changed_share() * 100,
                            static_cast<double>(answer.updates) / 1e6);
}

std::string CsvLine(const FrameResult& result, const StreamAnswer& answer, size_t topk) {
  std::string line = fmt::format("{},{},", result.number, CsvField(result.name));
  if (result.seconds.has_value()) line += fmt::format("{:.6f}", *result.seconds);
  line += GuessesCsv(result.guesses, topk);
  if (!result.error.empty()) return line + ",,,,," + CsvField(result.error) + "\n";
  return line + fmt::format(",{:.4f},{:.6f},{},{},\n", answer.seconds * 1e3, answer.changed_share(),
                            answer.updates, answer.synops);
}

std::string JsonLine(const FrameResult& result, const StreamAnswer& answer,
                     const Network& network) {
  const bool failed = !result.error.empty();
  const auto unless_failed = [&](Json value) { return failed ? Json() : std::move(value); };
  const Json answers = {{"ms", unless_failed(answer.seconds * 1e3)},
                        {"changed", unless_failed(answer.changed_share())},
                        {"updates", unless_failed(answer.updates)},
                        {"synops", unless_failed(answer.synops)}};
  std::string line =
      fmt::format("{{\"frame\":{},\"name\":{},\"time\":{},", result.number,
                  result.name.empty() ? "null" : JsonText(result.name),
                  result.seconds.has_value() ? Json(*result.seconds).dump() : "null");
  if (network.answer() == AnswerKind::kClasses) {
    line += "\"top\":" +
            TerminalJson(
                GuessesJson(result.guesses).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    line += failed ? "\"outputs\":[]" : OutputsJson(network.outputs(), answer.logits);
  }
  for (const auto& [key, value] : answers.items()) {
    line += fmt::format(",\"{}\":{}", key, value.dump());
  }
  return line + ",\"error\":" + (failed ? JsonText(result.error) : "null") + "}\n";
}

}  // namespace

std::string StreamHeader(OutputFormat format, size_t topk) {
  if (format != OutputFormat::kCsv) return "";
  return "frame,name,time" + GuessesCsvHeader(topk) + ",ms,changed,updates,synops,error\n";
}

std::string StreamLine(OutputFormat format, const FrameResult& result, const StreamAnswer& answer,
                       const Network& network, size_t topk) {
  switch (format) {
    case OutputFormat::kText:
      return TextLine(result, answer, network);
    case OutputFormat::kCsv:
      return CsvLine(result, answer, topk);
    case OutputFormat::kJsonLines:
    case OutputFormat::kNpy:
      break;
  }
  return JsonLine(result, answer, network);
}

}  // namespace cssrun::tools
