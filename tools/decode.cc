#include "tools/decode.h"

#include <algorithm>
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
  if (StartsWith(bytes, "RIFF"sv) &&
      StartsWith(bytes.subspan(std::min<size_t>(8, bytes.size())), "WEBP"sv)) {
    return DecodeWebp(bytes, limits);
  }
  if (StartsWith(bytes, "BM"sv)) return DecodeBmp(bytes, limits);
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6') {
    return DecodePnm(bytes, limits);
  }
  return Undecodable(NameUnread(bytes));
}

Status PrepareImage(uint64_t width, uint64_t height, const ImageLimits& limits, Image& image) {
  if (Status status = CheckSize(width, height, limits); !status.ok()) return status;
  image.width = static_cast<uint32_t>(width);
  image.height = static_cast<uint32_t>(height);
  image.rgb.assign(width * height * 3, 0);
  return Status::Ok();
}

}  // namespace cssrun::tools
