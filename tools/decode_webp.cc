#include <webp/decode.h>

#include "tools/decode.h"

namespace cssrun::tools {

Result<Image> DecodeWebp(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return Status::Io("another version of libwebp");
  if (WebPGetFeatures(bytes.data(), bytes.size(), &config.input) != VP8_STATUS_OK) {
    return Undecodable("a damaged WebP");
  }
  if (config.input.has_animation != 0) {
    return Undecodable(std::string("an animated WebP, which is not read") + kMakePng);
  }
  Image image;
  Status status = PrepareImage(static_cast<uint64_t>(config.input.width),
                               static_cast<uint64_t>(config.input.height), limits, image);
  if (!status.ok()) return status;
  // Transparency is dropped, as PIL's convert("RGB") does.
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image.rgb.data();
  config.output.u.RGBA.stride = static_cast<int>(image.width * 3);
  config.output.u.RGBA.size = image.rgb.size();
  switch (WebPDecode(bytes.data(), bytes.size(), &config)) {
    case VP8_STATUS_OK:
      return image;
    case VP8_STATUS_OUT_OF_MEMORY:
      return Status::Io("not enough memory to decode it");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return Undecodable("a damaged WebP: it ends too soon");
    default:
      return Undecodable("a damaged WebP");
  }
}

}  // namespace cssrun::tools
