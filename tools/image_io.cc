#include "tools/image_io.h"

#include <algorithm>
#include <new>
#include <utility>

#include "format/file_bytes.h"
#include "tools/decode.h"
#include "tools/resize.h"

namespace cssrun::tools {
namespace {

// Computes ITU-R 601-2 luma in PIL's fixed point.
uint8_t Luma(const uint8_t* rgb) {
  constexpr uint32_t kHalf = 1 << 15;
  return static_cast<uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + kHalf) >> 16);
}

// Resizes and crops to the network's size. An image that already has this size is not resampled.
Status Fit(const InputFormat& format, const ImageLimits& limits, Image& image) {
  if (image.width == format.width && image.height == format.height) return Status::Ok();
  // An image one pixel high passes the limits of decoding, but resizing would enlarge it by the
  // square of `resize`.
  const uint64_t shorter = std::min(image.width, image.height);
  const uint64_t longer = std::max(image.width, image.height);
  if (longer * format.resize / shorter * format.resize > limits.pixels) {
    return Status::InvalidArgument("an image of " + std::to_string(image.width) + " x " +
                                   std::to_string(image.height) +
                                   " pixels is too long to be resized; crop it");
  }
  image = CropCentre(ResizeShorterSide(image, format.resize), format.width, format.height);
  return Status::Ok();
}

Status ToChannels(uint32_t channels, Image& image, std::vector<uint8_t>& pixels) {
  if (channels == 3) {
    pixels = std::move(image.rgb);
    return Status::Ok();
  }
  if (channels != 1) {
    return Status::InvalidArgument("the network takes " + std::to_string(channels) +
                                   " channels; images have 1 or 3");
  }
  pixels.resize(image.rgb.size() / 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = Luma(&image.rgb[3 * i]);
  return Status::Ok();
}

}  // namespace

Result<Image> ReadImage(const std::string& path, const ImageLimits& limits) {
  Result<format::FileBytes> file =
      format::ReadFileBytes(path, limits.bytes, StatusCode::kInvalidArgument,
                            "; if you trust the file, raise the limit \"bytes\"");
  if (!file.ok()) return file.status();
  Result<Image> image = DecodeImage(file.value().bytes(), limits);
  if (image.ok()) return image;
  return Status(image.status().code(), path + ": " + image.status().message());
}

Status ReadPixels(const std::string& path, const InputFormat& format, std::vector<uint8_t>& pixels,
                  const ImageLimits& limits) {
  // If memory runs out for one large image, only that image fails, and the thousands of others are
  // run.
  try {
    Result<Image> image = ReadImage(path, limits);
    if (!image.ok()) return image.status();
    Status status = Fit(format, limits, image.value());
    if (status.ok()) status = ToChannels(format.channels, image.value(), pixels);
    return status.ok() ? status : Status(status.code(), path + ": " + status.message());
  } catch (const std::bad_alloc&) {
    return Status::Io(path + ": not enough memory to decode it");
  }
}

}  // namespace cssrun::tools
