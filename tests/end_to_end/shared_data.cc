#include "tests/end_to_end/shared_data.h"

#include <gtest/gtest.h>

#include <iostream>

#include "tools/image_io.h"
#include "tools/image_list.h"

namespace cssrun {

const std::filesystem::path& Shared() {
  static const std::filesystem::path path =
      std::filesystem::path(CSSRUN_SOURCE_DIR) / ".." / "shared";
  return path;
}

converter::ImageSet LoadFolder(const std::string& folder, const std::vector<std::string>& labels,
                               const InputFormat& format) {
  converter::ImageSet images;
  const auto files = tools::ListImages({folder}, labels, std::cin);
  EXPECT_TRUE(files.ok());
  for (const tools::ImageFile& file : files.value()) {
    images.pixels.emplace_back();
    images.truth.push_back(file.truth);
    EXPECT_TRUE(tools::ReadPixels(file.path, format, images.pixels.back()).ok());
  }
  return images;
}

}  // namespace cssrun
