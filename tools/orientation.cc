#include "tools/orientation.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "tools/file_kinds.h"

namespace cssrun::tools {
namespace {

using std::string_view_literals::operator""sv;
constexpr std::string_view kJpegMark = "Exif\0\0"sv;

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads a number of `count` bytes. What lies beyond the end reads as 0.
uint64_t Number(std::string_view text, uint64_t at, uint64_t count, bool little) {
  uint64_t number = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t from = at + (little ? count - 1 - i : i);
    number = number << 8 | (from < text.size() ? static_cast<uint8_t>(text[from]) : 0);
  }
  return number;
}

std::string_view Part(std::string_view text, uint64_t at, uint64_t size) {
  if (at >= text.size()) return {};
  return text.substr(at, std::min<uint64_t>(size, text.size() - at));
}

// The segments before the first scan: 0xFF, marker, two bytes of size that count themselves.
std::string_view FindInJpeg(std::string_view file) {
  for (uint64_t at = 2; at + 4 <= file.size();) {
    if (file[at] != '\xFF') return {};
    const auto marker = static_cast<uint8_t>(file[at + 1]);
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) return {};
    const uint64_t size = Number(file, at + 2, 2, false);
    if (size < 2) return {};
    const std::string_view segment = Part(file, at + 4, size - 2);
    if (marker == 0xE1 && segment.starts_with(kJpegMark)) return segment.substr(kJpegMark.size());
    at += 2 + size;
  }
  return {};
}

// Chunks of size, name, content, checksum.
std::string_view FindInPng(std::string_view file) {
  for (uint64_t at = 8; at + 8 <= file.size();) {
    const uint64_t size = Number(file, at, 4, false);
    if (file.substr(at + 4, 4) == "eXIf") return Part(file, at + 8, size);
    at += 12 + size;
  }
  return {};
}

// Chunks of name, size, content, which a byte makes even.
std::string_view FindInWebp(std::string_view file) {
  for (uint64_t at = 12; at + 8 <= file.size();) {
    const uint64_t size = Number(file, at + 4, 4, true);
    if (file.substr(at, 4) == "EXIF") {
      std::string_view exif = Part(file, at + 8, size);
      if (exif.starts_with(kJpegMark)) exif.remove_prefix(kJpegMark.size());
      return exif;
    }
    at += 8 + size + size % 2;
  }
  return {};
}

// EXIF is a TIFF: byte order, 42, where its list of tags begins. A tag is its number, type, count
// and value.
int OrientationTag(std::string_view exif) {
  constexpr uint64_t kOrientation = 0x0112;
  constexpr uint64_t kShort = 3;
  const bool little = exif.starts_with("II");
  if (!little && !exif.starts_with("MM")) return 1;
  const uint64_t list = Number(exif, 4, 4, little);
  const uint64_t tags = Number(exif, list, 2, little);
  for (uint64_t i = 0; i < tags; ++i) {
    const uint64_t at = list + 2 + 12 * i;
    if (at + 12 > exif.size()) return 1;
    if (Number(exif, at, 2, little) != kOrientation) continue;
    if (Number(exif, at + 2, 2, little) != kShort) return 1;
    const uint64_t orientation = Number(exif, at + 8, 2, little);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

}  // namespace

int OrientationOf(std::span<const uint8_t> file) {
  const std::string_view text = TextOf(file);
  switch (RecognizeFile(file)) {
    case FileKind::kJpeg:
      return OrientationTag(FindInJpeg(text));
    case FileKind::kPng:
      return OrientationTag(FindInPng(text));
    case FileKind::kWebp:
      return OrientationTag(FindInWebp(text));
    default:
      return 1;
  }
}

Image Upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  // 5 to 8 swap rows and columns; then the image is mirrored from left to right, from top to
  // bottom, or both.
  const bool swapped = orientation >= 5;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool from_below =
      orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  Image upright{swapped ? image.height : image.width, swapped ? image.width : image.height,
                std::vector<uint8_t>(image.rgb.size()), std::move(image.warning)};
  uint8_t* to = upright.rgb.data();
  for (size_t y = 0; y < upright.height; ++y) {
    for (size_t x = 0; x < upright.width; ++x) {
      const size_t column = from_right ? upright.width - 1 - x : x;
      const size_t row = from_below ? upright.height - 1 - y : y;
      const size_t pixel = swapped ? column * image.width + row : row * image.width + column;
      to = std::copy_n(image.rgb.data() + 3 * pixel, 3, to);
    }
  }
  return upright;
}

}  // namespace cssrun::tools
