#include "tools/terminal_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "fmt/format.h"
#include "tools/utf8.h"

namespace cssrun::tools {
namespace {

// Whether a terminal would obey the character: controls, and marks that reorder the text around
// them, which can make a name look like another.
bool Steers(uint32_t point) {
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  return control || (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

}  // namespace

std::string TerminalText(std::string_view text, bool keep_lines) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const Character first = FirstCharacter(text);
    const bool kept_line = keep_lines && first.point == '\n';
    if (first.length == 0 || (Steers(first.point) && !kept_line)) {
      safe += fmt::format("\\x{:02x}", static_cast<uint8_t>(text[0]));
      text.remove_prefix(1);
    } else {
      safe += text.substr(0, first.length);
      text.remove_prefix(first.length);
    }
  }
  return safe;
}

std::string TerminalJson(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  while (!json.empty()) {
    const Character first = FirstCharacter(json);
    const size_t length = std::max<size_t>(first.length, 1);
    // JSON has escaped the controls before the space, but for the line ends of its layout.
    if (first.point > 0x20 && Steers(first.point)) {
      safe += fmt::format("\\u{:04x}", first.point);
    } else {
      safe += json.substr(0, length);
    }
    json.remove_prefix(length);
  }
  return safe;
}

// Not fmt::print: it throws when standard error is closed or full.
void PrintMessage(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void PrintError(std::string_view program, std::string_view message) {
  PrintMessage(fmt::format("{}: {}\n", program, TerminalText(message, true)));
}

}  // namespace cssrun::tools
