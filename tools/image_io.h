// Turns an image file into the pixels that a network takes.
#ifndef CSSRUN_TOOLS_IMAGE_IO_H_
#define CSSRUN_TOOLS_IMAGE_IO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/image.h"

namespace cssrun::tools {

// Reads and decodes a regular file. Errors: kIo, or kInvalidArgument when the file is not a sound
// image; the message begins with `path`. With `upright`, the image is turned by its EXIF
// orientation.
Result<Image> ReadImage(const std::string& path, const ImageLimits& limits = {},
                        bool upright = false);

// Reads the image and makes a network's pixels of it with Preprocess(). `warning`, if not null,
// gets Image::warning.
Status ReadPixels(const std::string& path, const InputFormat& format, std::vector<uint8_t>& pixels,
                  const ImageLimits& limits = {}, std::string* warning = nullptr);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_IMAGE_IO_H_
