// Reads UTF-8 from bytes of unknown origin.
#ifndef CSSRUN_TOOLS_UTF8_H_
#define CSSRUN_TOOLS_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cssrun::tools {

// Editors of Windows begin texts with it; it is no part of the text.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Whether a byte belongs to the character of the byte before it.
inline bool ContinuesCharacter(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// How many bytes a character has that begins with this one; 0 if no character does.
inline size_t CharacterLength(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

struct Character {
  size_t length = 0;   // in bytes; 0: none
  uint32_t point = 0;  // its number in Unicode
};

// Returns the character at the start of `text`; none if the text is empty or not well-formed there.
inline Character FirstCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  if (text.empty()) return {};
  const size_t length = CharacterLength(byte(0));
  if (length == 0 || text.size() < length) return {};
  if (length == 1) return {1, byte(0)};
  uint32_t point = byte(0) & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    if (!ContinuesCharacter(byte(i))) return {};
    point = (point << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (overlong || surrogate || point > 0x10FFFF) return {};
  return {length, point};
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_UTF8_H_
