#include "tools/image_io.h"

#include <new>
#include <utility>

#include "format/file_bytes.h"
#include "tools/decode.h"
#include "tools/orientation.h"

namespace cssrun::tools {

Result<Image> ReadImage(const std::string& path, const ImageLimits& limits, bool upright) {
  Result<format::FileBytes> file =
      format::ReadFileBytes(path, limits.bytes, StatusCode::kInvalidArgument,
                            "; if you trust the file, raise the limit \"bytes\"");
  if (!file.ok()) return file.status();
  Result<Image> image = DecodeImage(file.value().bytes(), limits);
  if (!image.ok()) return Status(image.status().code(), path + ": " + image.status().message());
  if (!upright) return image;
  return Upright(std::move(image).value(), OrientationOf(file.value().bytes()));
}

Status ReadPixels(const std::string& path, const InputFormat& format, std::vector<uint8_t>& pixels,
                  const ImageLimits& limits, std::string* warning) {
  // If memory runs out for one large image, only that image fails, and the thousands of others are
  // run.
  const auto out_of_memory = [&] { return Status::Io(path + ": not enough memory to decode it"); };
  try {
    Result<Image> read = ReadImage(path, limits, format.exif);
    if (!read.ok()) return read.status();
    Image& image = read.value();
    const Status status = Preprocess(format, image.rgb, image.width, image.height, pixels);
    if (status.code() == StatusCode::kOutOfMemory) return out_of_memory();
    if (!status.ok()) return Status(status.code(), path + ": " + status.message());
    if (warning != nullptr) *warning = std::move(image.warning);
    return status;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace cssrun::tools
