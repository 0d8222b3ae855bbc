#include "tools/label_file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "format/file_bytes.h"

namespace cssrun::tools {

std::vector<std::string> ParseLabels(std::string_view text) {
  std::vector<std::string> labels;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    labels.emplace_back(line);
    begin = end + 1;
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

Result<std::vector<std::string>> ReadLabels(const std::string& path) {
  constexpr size_t kMaximumBytes = 16 << 20;
  Result<format::FileBytes> file = format::ReadFileBytes(path, kMaximumBytes, StatusCode::kIo);
  if (!file.ok()) return file.status();
  const std::span<const uint8_t> bytes = file.value().bytes();
  return ParseLabels({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace cssrun::tools
