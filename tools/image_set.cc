#include "tools/image_set.h"

#include <cstdint>
#include <iostream>
#include <utility>

#include "tools/image_io.h"
#include "tools/image_list.h"

namespace cssrun::tools {

Status ReadImageSet(const std::string& folder, const std::vector<std::string>& labels,
                    const InputFormat& format, const ImageLimits& limits,
                    const std::function<void(size_t done, size_t total)>& progress,
                    converter::ImageSet& images) {
  Result<std::vector<ImageFile>> listed = ListImages({folder}, labels, std::cin);
  if (!listed.ok()) return listed.status();
  const std::vector<ImageFile>& files = listed.value();
  if (files.empty()) {
    return Status::InvalidArgument(folder + ": no images (.jpg, .png, .ppm, .pgm) in it");
  }
  for (const ImageFile& file : files) {
    std::vector<uint8_t> pixels;
    if (Status status = ReadPixels(file.path, format, pixels, limits); !status.ok()) {
      return status.code() == StatusCode::kIo ? status : Status::Io(status.message());
    }
    images.pixels.push_back(std::move(pixels));
    images.truth.push_back(file.truth);
    progress(images.pixels.size(), files.size());
  }
  return Status::Ok();
}

Result<std::vector<std::string>> GuessLabels(const std::string& folder, size_t classes) {
  Result<std::vector<std::string>> folders = FolderNames(folder);
  if (folders.ok() && folders.value().size() != classes) folders.value().clear();
  return folders;
}

}  // namespace cssrun::tools
