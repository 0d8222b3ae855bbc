#include "tools/decode.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace cssrun::tools {
namespace {

bool StartsWith(std::span<const uint8_t> bytes, std::string_view magic) {
  return bytes.size() > magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

}  // namespace

Result<Image> DecodeImage(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  using std::string_view_literals::operator""sv;
  if (StartsWith(bytes, "\xFF\xD8\xFF"sv)) return DecodeJpeg(bytes, limits);
  if (StartsWith(bytes, "\x89PNG\r\n\x1A\n"sv)) return DecodePng(bytes, limits);
  if (StartsWith(bytes, "P6"sv) || StartsWith(bytes, "P5"sv)) return DecodePnm(bytes, limits);
  return Undecodable("not a JPEG, PNG, PPM or PGM image");
}

Status PrepareImage(uint64_t width, uint64_t height, const ImageLimits& limits, Image& image) {
  if (width == 0 || height == 0) return Undecodable("an image without pixels");
  const auto above = [&](uint64_t limit, const char* what, const char* name) {
    return Undecodable("an image of " + std::to_string(width) + " x " + std::to_string(height) +
                       " pixels, more than the limit of " + std::to_string(limit) + what +
                       "; if you trust the file, raise the limit \"" + name + "\"");
  };
  if (width > limits.side || height > limits.side) return above(limits.side, " a side", "side");
  // The product cannot overflow, because both sides have 32 bits.
  if (width * height > limits.pixels) return above(limits.pixels, "", "pixels");
  image.width = static_cast<uint32_t>(width);
  image.height = static_cast<uint32_t>(height);
  image.rgb.assign(width * height * 3, 0);
  return Status::Ok();
}

}  // namespace cssrun::tools
