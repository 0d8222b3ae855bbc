#include "format/read_skeleton.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "network_generated.h"

namespace cssrun::format {
namespace {

constexpr size_t kPage = 4096;
// Of tables that are followed, as many as the verifier accepts.
constexpr size_t kMostTables = 1 << 20;

// A file of which pages are read when something looks at them.
class PagedFile {
 public:
  PagedFile(int descriptor, const std::string& name, std::span<uint8_t> bytes)
      : descriptor_(descriptor),
        name_(name),
        bytes_(bytes),
        pages_((bytes.size() + kPage - 1) / kPage, Page::kUnread) {}

  // The first failure to read.
  const Status& status() const { return status_; }
  size_t size() const { return bytes_.size(); }

  // A number at `offset`. Nothing beyond the end, and after a failure.
  template <class T>
  std::optional<T> At(size_t offset) {
    if (offset > size() || size() - offset < sizeof(T)) return std::nullopt;
    Read(offset / kPage, (offset + sizeof(T) - 1) / kPage + 1);
    if (!status_.ok()) return std::nullopt;
    T number;
    std::memcpy(&number, bytes_.data() + offset, sizeof(T));
    return number;
  }

  // Leaves out the pages that lie within bytes [first, last) as a whole.
  void LeaveOut(size_t first, size_t last) {
    for (size_t page = (first + kPage - 1) / kPage; page < last / kPage; ++page) {
      if (pages_[page] == Page::kUnread) pages_[page] = Page::kLeftOut;
    }
  }

  void ReadAllOthers() { Read(0, pages_.size(), Page::kLeftOut); }

 private:
  enum class Page : uint8_t { kUnread, kLeftOut, kRead };

  // Reads those of pages [first, last) that are not read, nor `but`.
  void Read(size_t first, size_t last, Page but = Page::kRead) {
    const auto is_left = [&](size_t page) {
      return pages_[page] != Page::kRead && pages_[page] != but;
    };
    while (first < last && status_.ok()) {
      size_t end = first;
      while (end < last && is_left(end)) ++end;
      if (end > first) {
        const size_t begin = first * kPage;
        status_ = ReadAt(descriptor_, name_, begin,
                         bytes_.subspan(begin, std::min(end * kPage, size()) - begin));
        std::fill_n(pages_.begin() + static_cast<std::ptrdiff_t>(first), end - first, Page::kRead);
      }
      first = std::max(end, first + 1);
    }
  }

  int descriptor_;
  const std::string& name_;
  std::span<uint8_t> bytes_;
  std::vector<Page> pages_;
  Status status_;
};

// Follows the offsets of FlatBuffers as far as they lead somewhere.
class Walker {
 public:
  explicit Walker(PagedFile& file) : file_(file) {}

  void LeaveOutWeights() {
    const std::optional<size_t> root = Follow(0);
    if (!root.has_value()) return;
    ForEachTable(*root, Network::VT_NODES, [&](size_t node) {
      ForEachTable(node, Node::VT_SYNAPSES, [&](size_t synapses) {
        const std::optional<size_t> weights = FollowField(synapses, Synapses::VT_WEIGHTS);
        if (!weights.has_value()) return;
        const auto count = file_.At<uint32_t>(*weights);
        const size_t first = *weights + sizeof(uint32_t);
        const size_t bytes = size_t{count.value_or(0)} * sizeof(float);
        if (bytes < kFewWeightBytes || first > file_.size()) return;
        file_.LeaveOut(first, first + std::min(bytes, file_.size() - first));
      });
    });
  }

 private:
  std::optional<size_t> Follow(size_t at) {
    const auto offset = file_.At<uint32_t>(at);
    if (!offset.has_value()) return std::nullopt;
    return at + *offset;
  }

  std::optional<size_t> FollowField(size_t table, flatbuffers::voffset_t field) {
    const auto to_vtable = file_.At<int32_t>(table);
    if (!to_vtable.has_value()) return std::nullopt;
    const int64_t vtable = static_cast<int64_t>(table) - *to_vtable;
    if (vtable < 0) return std::nullopt;
    const auto size = file_.At<uint16_t>(static_cast<size_t>(vtable));
    if (!size.has_value() || field >= *size) return std::nullopt;
    const auto offset = file_.At<uint16_t>(static_cast<size_t>(vtable) + field);
    if (!offset.has_value() || *offset == 0) return std::nullopt;
    return Follow(table + *offset);
  }

  template <class Visit>
  void ForEachTable(size_t table, flatbuffers::voffset_t field, const Visit& visit) {
    const std::optional<size_t> tables = FollowField(table, field);
    if (!tables.has_value()) return;
    const auto count = file_.At<uint32_t>(*tables);
    for (size_t i = 0; i < count.value_or(0) && followed_ < kMostTables; ++i, ++followed_) {
      const std::optional<size_t> one = Follow(*tables + (i + 1) * sizeof(uint32_t));
      if (!one.has_value()) return;
      visit(*one);
    }
  }

  PagedFile& file_;
  size_t followed_ = 0;
};

}  // namespace

Result<FileBytes> ReadSkeleton(int descriptor, const std::string& name, size_t limit) {
  const Result<size_t> size = FileSize(descriptor, name, limit);
  if (!size.ok()) return size.status();
  FileBytes contents = FileBytes::Zeros(size.value());
  if (contents.empty()) {
    return Status(StatusCode::kOutOfMemory, name + ": not enough memory to read it");
  }
  PagedFile file(descriptor, name, contents.bytes());
  Walker(file).LeaveOutWeights();
  file.ReadAllOthers();
  if (!file.status().ok()) return file.status();
  return contents;
}

}  // namespace cssrun::format
