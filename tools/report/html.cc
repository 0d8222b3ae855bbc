#include "tools/report/html.h"

#include <algorithm>
#include <vector>

#include "tools/terminal_text.h"
#include "tools/utf8.h"

namespace cssrun::tools {
namespace {

std::string Escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string HtmlText(std::string_view text) { return Escaped(TerminalText(text)); }

std::string ShortHtmlText(std::string_view text, size_t characters) {
  const std::string safe = TerminalText(text);
  std::vector<size_t> starts;  // of the text's characters
  for (size_t i = 0; i < safe.size(); ++i) {
    if (!ContinuesCharacter(static_cast<uint8_t>(safe[i]))) starts.push_back(i);
  }
  if (starts.size() <= characters) return Escaped(safe);
  const size_t head = characters / 2;
  const size_t tail = characters - head - 1;
  return Escaped(safe.substr(0, starts[head])) + "\u2026" +
         Escaped(safe.substr(starts[starts.size() - tail]));
}

std::string DataUri(std::string_view media_type, std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string uri = "data:";
  uri += media_type;
  uri += ";base64,";
  uri.reserve(uri.size() + (bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(bytes.size() - i, 3);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = (group << 8) | (j < count ? bytes[i + j] : 0U);
    for (size_t j = 0; j < 4; ++j) {
      uri += j <= count ? kDigits[(group >> (18 - 6 * j)) & 63U] : '=';
    }
  }
  return uri;
}

}  // namespace cssrun::tools
