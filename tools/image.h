// A decoded image.
#ifndef CSSRUN_TOOLS_IMAGE_H_
#define CSSRUN_TOOLS_IMAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::tools {

struct Image {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint8_t> rgb;  // width * height * 3, interleaved, rows from the top
  // The first complaint of the decoder about a file whose pixels are all there; else empty.
  std::string warning = {};
};

// Limits that are checked before anything is decoded. Images to be classified stay below them;
// decompression bombs exceed them.
struct ImageLimits {
  uint64_t side = 16384;         // width and height; JPEG itself ends at 65,535
  uint64_t pixels = 89'478'485;  // Pillow warns above the same number
  uint64_t bytes = 256 << 20;    // size of the file
  uint64_t jpeg_scans = 100;     // passes over the whole image; a progressive one has some ten
};

// Checks the size against the limits.
Status CheckSize(uint64_t width, uint64_t height, const ImageLimits& limits);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_IMAGE_H_
