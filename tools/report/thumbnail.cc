#include "tools/report/thumbnail.h"

#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <new>
#include <span>

#include "runtime/preprocess/resample.h"
#include "tools/image_io.h"
#include "tools/report/html.h"

namespace cssrun::tools {
namespace {

constexpr uint32_t kLongerSide = 160;
constexpr int kQuality = 90;

Image Shrunk(const Image& image) {
  const uint32_t longer = std::max(image.width, image.height);
  if (longer <= kLongerSide) return image;
  const auto side = [&](uint32_t length) {
    return std::max<uint32_t>(static_cast<uint32_t>(uint64_t{length} * kLongerSide / longer), 1);
  };
  const uint32_t width = side(image.width);
  const uint32_t height = side(image.height);
  return {width, height,
          internal::Resample({image.rgb, image.width, image.height}, width, height,
                             {0, 0, width, height}, Interpolation::kBilinear)};
}

Result<std::string> JpegUri(const Image& image) {
  const std::unique_ptr<void, int (*)(tjhandle)> compressor(tjInitCompress(), tjDestroy);
  if (compressor == nullptr) return Status::OutOfMemory();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): TurboJPEG's own
  const int failed =
      tjCompress2(compressor.get(), image.rgb.data(), static_cast<int>(image.width), 0,
                  static_cast<int>(image.height), TJPF_RGB, &bytes, &size, TJSAMP_444, kQuality, 0);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owned(bytes, tjFree);
  if (failed != 0) return Status::Io(tjGetErrorStr2(compressor.get()));
  return DataUri("image/jpeg", {bytes, size});
}

}  // namespace

Result<Thumbnail> MakeThumbnail(const Image& image) {
  try {
    const Image small = Shrunk(image);
    Result<std::string> uri = JpegUri(small);
    if (!uri.ok()) return uri.status();
    return Thumbnail{std::move(uri).value(), small.width, small.height};
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory();
  }
}

Result<Thumbnail> MakeThumbnail(const std::string& path, const ImageLimits& limits) {
  try {
    Result<Image> image = ReadImage(path, limits);
    if (!image.ok()) return image.status();
    Result<Thumbnail> thumbnail = MakeThumbnail(image.value());
    if (thumbnail.ok()) return thumbnail;
    return Status(thumbnail.status().code(), path + ": " + thumbnail.status().message());
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory();
  }
}

}  // namespace cssrun::tools
