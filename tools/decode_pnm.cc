#include <charconv>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

// Reads the numbers of a header, which white space and comments separate.
class Header {
 public:
  explicit Header(std::span<const uint8_t> bytes) : bytes_(bytes) {}

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

  // Skips the one white space that precedes the pixels.
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

}  // namespace

Result<Image> DecodePnm(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  const bool gray = bytes[1] == '5';
  Header header(bytes);
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t maximum = 0;
  if (!header.Next(width) || !header.Next(height) || !header.Next(maximum) || !header.EndHeader()) {
    return Undecodable("a damaged PPM or PGM header");
  }
  if (maximum != 255) return Undecodable("a PPM or PGM whose largest value is not 255");
  Image image;
  if (Status status = PrepareImage(width, height, limits, image); !status.ok()) return status;
  const std::span<const uint8_t> pixels = header.Rest();
  const size_t expected = image.rgb.size() / (gray ? 3 : 1);
  if (pixels.size() < expected) return Undecodable("a PPM or PGM that ends too soon");
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = pixels[gray ? i / 3 : i];
  return image;
}

}  // namespace cssrun::tools
