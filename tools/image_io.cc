#include "tools/image_io.h"

#include <utility>

#include "format/file_bytes.h"
#include "tools/decode.h"
#include "tools/resize.h"

namespace cssrun::tools {
namespace {

constexpr size_t kMaximumFileBytes = size_t{256} << 20;

// ITU-R 601-2, in PIL's fixed point.
uint8_t Luma(const uint8_t* rgb) {
  constexpr uint32_t kHalf = 1 << 15;
  return static_cast<uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + kHalf) >> 16);
}

}  // namespace

Result<Image> ReadImage(const std::string& path) {
  Result<FileBytes> file = ReadFileBytes(path, kMaximumFileBytes, StatusCode::kInvalidArgument);
  if (!file.ok()) return file.status();
  Result<Image> image = DecodeImage(file.value().bytes());
  if (image.ok()) return image;
  return Status(image.status().code(), path + ": " + image.status().message());
}

Status ReadPixels(const std::string& path, const InputFormat& format,
                  std::vector<uint8_t>& pixels) {
  Result<Image> read = ReadImage(path);
  if (!read.ok()) return read.status();
  Image image = std::move(read).value();
  if (image.width != format.width || image.height != format.height) {
    image = ResizeShorterSide(image, format.resize);
    image = CropCentre(image, format.width, format.height);
  }
  if (format.channels == 3) {
    pixels = std::move(image.rgb);
    return Status::Ok();
  }
  if (format.channels != 1) {
    return Status::InvalidArgument(path + ": the network takes " + std::to_string(format.channels) +
                                   " channels; images have 1 or 3");
  }
  pixels.resize(image.rgb.size() / 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = Luma(&image.rgb[3 * i]);
  return Status::Ok();
}

}  // namespace cssrun::tools
