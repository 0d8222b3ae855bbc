#include "tools/terminal_text.h"

#include <cstdint>
#include <cstdio>

#include "fmt/format.h"

namespace cssrun::tools {
namespace {

// Returns the length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  size_t length = 0;
  uint32_t point = 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) {
    length = 2;
    point = first & 0x1FU;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3;
    point = first & 0x0FU;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4;
    point = first & 0x07U;
  }
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    point = (point << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  const bool control = point >= 0x80 && point < 0xA0;
  // Marks that reorder the text around them can make a name look like another.
  const bool reorders =
      (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
  return overlong || surrogate || point > 0x10FFFF || control || reorders ? 0 : length;
}

}  // namespace

std::string TerminalText(std::string_view text, bool keep_lines) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const auto first = static_cast<uint8_t>(text[0]);
    const bool control = first < 0x20 || first == 0x7F;
    const bool kept_line = keep_lines && first == '\n';
    const size_t length = control && !kept_line ? 0 : SequenceLength(text);
    if (length == 0) {
      safe += fmt::format("\\x{:02x}", first);
      text.remove_prefix(1);
    } else {
      safe += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return safe;
}

std::string TerminalJson(std::string_view json) {
  const auto byte = [&](size_t i) {
    return i < json.size() ? static_cast<uint8_t>(json[i]) : uint8_t{0};
  };
  std::string safe;
  safe.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    const uint8_t second = byte(i + 1);
    const uint8_t third = byte(i + 2);
    if (byte(i) == 0x7F) {
      safe += "\\u007f";
    } else if (byte(i) == 0xC2 && second >= 0x80 && second < 0xA0) {
      safe += fmt::format("\\u{:04x}", second);
      i += 1;
    } else if (byte(i) == 0xE2 && ((second == 0x80 && third >= 0xAA && third <= 0xAE) ||
                                   (second == 0x81 && third >= 0xA6 && third <= 0xA9))) {
      safe += fmt::format("\\u{:04x}", 0x2000U + (second & 0x3FU) * 64U + (third & 0x3FU));
      i += 2;
    } else {
      safe += json[i];
    }
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
