#include "tools/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "format/file_bytes.h"
#include "tools/file_kinds.h"

namespace cssrun::tools {
namespace {

constexpr char kRemedy[] = "; write it with numpy.save(FILE, array.astype(\"float32\"))";

Status Bad(const std::string& what) { return Status::InvalidArgument(what + kRemedy); }

struct Header {
  std::string_view type;
  bool fortran = false;
  uint64_t count = 1;       // numbers in all
  int longer_than_one = 0;  // dimensions
  size_t size = 0;          // bytes before the numbers
};

// Returns what follows 'key': in the header, a Python dictionary.
std::optional<std::string_view> Find(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  header.remove_prefix(at + key.size());
  header.remove_prefix(std::min(header.find_first_not_of(": "), header.size()));
  return header;
}

// Reads "(2, 3)", "(5,)" or "()". Returns false where it is none, or has too many numbers.
bool ReadShape(std::string_view text, Header& header) {
  constexpr uint64_t kMost = uint64_t{1} << 32;
  if (!text.starts_with('(')) return false;
  text.remove_prefix(1);
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" ,"), text.size()));
    if (text.starts_with(')')) return true;
    uint64_t side = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), side);
    if (error != std::errc() || (side > 0 && header.count > kMost / side)) return false;
    header.count *= side;
    if (side > 1) ++header.longer_than_one;
    text.remove_prefix(static_cast<size_t>(stop - text.data()));
  }
}

std::optional<Header> ReadHeader(std::string_view file) {
  if (file.size() < 12) return std::nullopt;
  const auto byte = [&](size_t at) { return size_t{static_cast<uint8_t>(file[at])}; };
  // The header's size has two bytes in version 1, and four since.
  const bool wide = byte(6) >= 2;
  const size_t begin = wide ? 12 : 10;
  size_t size = byte(8) | byte(9) << 8;
  if (wide) size |= byte(10) << 16 | byte(11) << 24;
  if (size > file.size() - begin) return std::nullopt;
  const std::string_view text = file.substr(begin, size);
  const std::optional<std::string_view> type = Find(text, "'descr'");
  const std::optional<std::string_view> fortran = Find(text, "'fortran_order'");
  const std::optional<std::string_view> shape = Find(text, "'shape'");
  Header header;
  if (!type.has_value() || !fortran.has_value() || !shape.has_value()) return std::nullopt;
  if (!ReadShape(*shape, header)) return std::nullopt;
  header.type = type->substr(0, type->find(','));
  header.fortran = fortran->starts_with("True");
  header.size = begin + size;
  return header;
}

template <class Number>
std::vector<float> Numbers(std::span<const uint8_t> bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::vector<float> numbers(bytes.size() / sizeof(Number));
  for (size_t i = 0; i < numbers.size(); ++i) {
    Number number = 0;
    std::memcpy(&number, bytes.data() + i * sizeof(Number), sizeof(Number));
    numbers[i] = static_cast<float>(number);
  }
  return numbers;
}

}  // namespace

Result<std::vector<float>> ParseNpy(std::span<const uint8_t> bytes) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::optional<Header> header;
  if (RecognizeFile(bytes) == FileKind::kNumpy) header = ReadHeader(file);
  if (!header.has_value()) return Bad("not an array of NumPy (.npy)");
  const bool doubles = header->type == "'<f8'";
  if (!doubles && header->type != "'<f4'") {
    return Bad("an array of " + std::string(header->type.substr(0, 20)) +
               ", not of float32 or float64");
  }
  if (header->fortran && header->longer_than_one > 1) return Bad("an array in Fortran's order");
  const std::span<const uint8_t> data = bytes.subspan(header->size);
  if (data.size() != header->count * (doubles ? 8 : 4)) {
    return Bad("an array of " + std::to_string(header->count) + " numbers with " +
               std::to_string(data.size()) + " bytes");
  }
  std::vector<float> numbers = doubles ? Numbers<double>(data) : Numbers<float>(data);
  for (const float number : numbers) {
    if (!std::isfinite(number)) return Status::InvalidArgument("numbers that are not finite");
  }
  return numbers;
}

Result<std::vector<float>> ReadNpy(const std::string& path) {
  constexpr size_t kMaximumBytes = 256 << 20;
  Result<format::FileBytes> file = format::ReadFileBytes(path, kMaximumBytes, StatusCode::kIo);
  if (!file.ok()) return file.status();
  Result<std::vector<float>> numbers = ParseNpy(file.value().bytes());
  if (numbers.ok()) return numbers;
  return Status(numbers.status().code(), path + ": " + numbers.status().message());
}

}  // namespace cssrun::tools
