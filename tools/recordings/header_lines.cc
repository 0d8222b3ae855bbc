#include <algorithm>
#include <cctype>
#include <charconv>

#include "tools/recordings/decoder.h"

namespace cssrun::tools {
namespace {

constexpr size_t kLongestLine = size_t{1} << 16;

bool SameLetter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool EndsText(uint8_t c) { return c < ' ' && c != '\t' && c != '\r'; }

}  // namespace

std::optional<std::string_view> HeaderLines::Next(std::span<const uint8_t>& bytes, bool last) {
  if (done_) return std::nullopt;
  if (bytes.empty()) {
    done_ = last;
    return std::nullopt;
  }
  if (bytes[0] != static_cast<uint8_t>(mark_)) {
    done_ = true;
    return std::nullopt;
  }
  // Bytes that are no text are a record that happens to begin like a line.
  const auto end = std::ranges::find_if(bytes, EndsText);
  const bool whole = end != bytes.end() && *end == '\n';
  if (end != bytes.end() && !whole) {
    done_ = true;
    return std::nullopt;
  }
  if (!whole && !last) {
    done_ = bytes.size() > kLongestLine;
    return std::nullopt;
  }
  const auto length = static_cast<size_t>(end - bytes.begin());
  std::string_view line(reinterpret_cast<const char*>(bytes.data()), length);
  if (line.ends_with('\r')) line.remove_suffix(1);
  bytes = bytes.subspan(whole ? length + 1 : length);
  return line;
}

std::optional<uint32_t> NumberAfter(std::string_view line, std::string_view name) {
  const auto found = std::search(line.begin(), line.end(), name.begin(), name.end(), SameLetter);
  if (found == line.end()) return std::nullopt;
  const char* begin = line.data() + (found - line.begin()) + name.size();
  const char* const end = line.data() + line.size();
  while (begin != end && (*begin == ' ' || *begin == '=' || *begin == ':')) ++begin;
  uint32_t number = 0;
  if (std::from_chars(begin, end, number).ec != std::errc()) return std::nullopt;
  return number;
}

bool Contains(std::string_view line, std::string_view name) {
  return std::search(line.begin(), line.end(), name.begin(), name.end(), SameLetter) != line.end();
}

}  // namespace cssrun::tools
