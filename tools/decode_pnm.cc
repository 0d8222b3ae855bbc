#include <algorithm>
#include <charconv>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

// Reads numbers that white space and comments separate: a header, and the pixels of a text.
class Numbers {
 public:
  explicit Numbers(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  // Reads the next number, which must follow white space.
  bool Next(uint32_t& number) {
    const size_t before = at_;
    Skip();
    if (at_ == before) return false;
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + at_;
    const char* end = reinterpret_cast<const char*>(bytes_.data()) + bytes_.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    at_ += static_cast<size_t>(stop - begin);
    return error == std::errc();
  }

  // Reads the next 0 or 1, which need not follow white space.
  bool NextBit(uint32_t& bit) {
    Skip();
    if (at_ == bytes_.size() || (bytes_[at_] != '0' && bytes_[at_] != '1')) return false;
    bit = bytes_[at_++] == '1' ? 1 : 0;
    return true;
  }

  // Skips the one white space that precedes binary pixels.
  bool EndHeader() { return at_ < bytes_.size() && IsSpace(bytes_[at_++]); }
  std::span<const uint8_t> Rest() const { return bytes_.subspan(at_); }

 private:
  static bool IsSpace(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  void Skip() {
    while (at_ < bytes_.size()) {
      if (bytes_[at_] == '#') {
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      } else if (IsSpace(bytes_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 2;  // after the magic number
};

// What the magic number says, and the header.
struct Layout {
  bool text = false;
  uint32_t channels = 1;
  uint32_t maximum = 1;  // 1 in a bitmap, where 1 is black
  bool bitmap = false;
  uint64_t width = 0;
  uint64_t values = 0;  // numbers in all
};

uint8_t Scaled(uint32_t value, uint32_t maximum) {
  if (maximum == 255) return static_cast<uint8_t>(std::min(value, maximum));
  return static_cast<uint8_t>((std::min(value, maximum) * 255 + maximum / 2) / maximum);
}

// The bytes that the pixels take at least.
uint64_t LeastBytes(const Layout& layout) {
  if (layout.text) return layout.bitmap ? layout.values : 2 * layout.values - 1;
  if (layout.bitmap) return layout.values / layout.width * ((layout.width + 7) / 8);
  return layout.maximum > 255 ? 2 * layout.values : layout.values;
}

// The value of index `i` of binary pixels, from 0 to the maximum.
uint32_t BinaryValue(std::span<const uint8_t> bytes, const Layout& layout, size_t i) {
  if (layout.bitmap) {
    const size_t column = i % layout.width;
    const size_t row = i / layout.width * ((layout.width + 7) / 8);
    return 1 - (bytes[row + column / 8] >> (7 - column % 8) & 1);
  }
  return layout.maximum > 255 ? uint32_t{bytes[2 * i]} << 8 | bytes[2 * i + 1] : bytes[i];
}

bool TextValue(Numbers& numbers, const Layout& layout, uint32_t& value) {
  if (!layout.bitmap) return numbers.Next(value);
  if (!numbers.NextBit(value)) return false;
  value = 1 - value;
  return true;
}

}  // namespace

Result<Image> DecodePnm(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  Layout layout;
  layout.text = bytes[1] <= '3';
  layout.bitmap = bytes[1] == '1' || bytes[1] == '4';
  layout.channels = bytes[1] == '3' || bytes[1] == '6' ? 3 : 1;
  Numbers numbers(bytes);
  uint32_t width = 0;
  uint32_t height = 0;
  if (!numbers.Next(width) || !numbers.Next(height) ||
      (!layout.bitmap && !numbers.Next(layout.maximum)) || (!layout.text && !numbers.EndHeader())) {
    return Undecodable("a damaged PPM, PGM or PBM header");
  }
  if (layout.maximum == 0 || layout.maximum > 65535) {
    return Undecodable("a damaged PPM or PGM header: the largest value is from 1 to 65535");
  }
  if (Status status = CheckSize(width, height, limits); !status.ok()) return status;
  layout.width = width;
  layout.values = uint64_t{width} * height * layout.channels;
  const std::span<const uint8_t> pixels = numbers.Rest();
  const Status too_short = Undecodable("a PPM, PGM or PBM that ends too soon");
  if (pixels.size() < LeastBytes(layout)) return too_short;
  Image image;
  if (Status status = PrepareImage(width, height, limits, image); !status.ok()) return status;
  const size_t copies = 3 / layout.channels;
  for (size_t i = 0; i < layout.values; ++i) {
    uint32_t value = 0;
    if (!layout.text) {
      value = BinaryValue(pixels, layout, i);
    } else if (!TextValue(numbers, layout, value)) {
      return too_short;
    }
    std::fill_n(image.rgb.data() + i * copies, copies, Scaled(value, layout.maximum));
  }
  return image;
}

}  // namespace cssrun::tools
