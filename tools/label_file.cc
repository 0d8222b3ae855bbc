#include "tools/label_file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

#include "format/file_bytes.h"
#include "tools/file_kinds.h"
#include "tools/output.h"
#include "tools/utf8.h"

namespace cssrun::tools {

std::vector<std::string> ParseLabels(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> labels;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
    // Blanks at the end of a line are seen by nobody.
    line = line.substr(0, line.find_last_not_of(" \t") + 1);
    labels.emplace_back(line);
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  return labels;
}

Result<std::vector<std::string>> ReadLabels(const std::string& path) {
  constexpr size_t kMaximumBytes = 16 << 20;
  Result<format::FileBytes> file = format::ReadFileBytes(path, kMaximumBytes, StatusCode::kIo);
  if (!file.ok()) return file.status();
  const std::span<const uint8_t> bytes = file.value().bytes();
  if (RecognizeFile(bytes) == FileKind::kUtf16) {
    return Status::InvalidArgument(path +
                                   ": the labels are in UTF-16; save them in UTF-8: iconv "
                                   "-f UTF-16 -t UTF-8 " +
                                   path + " > labels.txt");
  }
  return ParseLabels({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::vector<size_t> FirstOfEachName(const std::vector<std::string>& labels) {
  std::unordered_map<std::string_view, size_t> first;
  std::vector<size_t> firsts;
  firsts.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i)
    firsts.push_back(first.emplace(labels[i], i).first->second);
  return firsts;
}

int Twins::Best(const std::vector<float>& logits, int truth) const {
  if (truth < 0 || logits.empty()) return truth;
  auto best = static_cast<size_t>(truth);
  for (size_t i = 0; i < std::min(first_.size(), logits.size()); ++i) {
    const bool twin = first_[i] == first_[static_cast<size_t>(truth)];
    if (twin && GoesBefore(logits, i, best)) best = i;
  }
  return static_cast<int>(best);
}

std::string DescribeTwins(const std::vector<std::string>& labels) {
  constexpr size_t kNamed = 5;
  std::vector<size_t> members(labels.size(), 0);
  for (const size_t first : FirstOfEachName(labels)) ++members[first];
  std::string names;
  size_t count = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    // No folder has an empty name.
    if (members[i] < 2 || labels[i].empty() || ++count > kNamed) continue;
    names += (names.empty() ? "" : ", ") + labels[i];
  }
  if (count == 0) return {};
  if (count > kNamed) names += ", ...";
  return std::to_string(count) + (count == 1 ? " label is the name" : " labels are the names") +
         " of several classes (" + names + "); each of them counts as right";
}

}  // namespace cssrun::tools
