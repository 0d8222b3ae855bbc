// Makes small pictures for the report.
#ifndef CSSRUN_TOOLS_REPORT_THUMBNAIL_H_
#define CSSRUN_TOOLS_REPORT_THUMBNAIL_H_

#include <cstdint>
#include <string>

#include "cssrun/status.h"
#include "tools/image.h"

namespace cssrun::tools {

struct Thumbnail {
  std::string uri;  // the picture itself as a JPEG
  uint32_t width = 0;
  uint32_t height = 0;
};

// Reads the image `path` and reduces it to fit into a square of 160 pixels; smaller images stay as
// they are. Errors as those of ReadImage.
Result<Thumbnail> MakeThumbnail(const std::string& path, const ImageLimits& limits = {});
// The same of an image in memory.
Result<Thumbnail> MakeThumbnail(const Image& image);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_THUMBNAIL_H_
