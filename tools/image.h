// A decoded image.
#ifndef CSSRUN_TOOLS_IMAGE_H_
#define CSSRUN_TOOLS_IMAGE_H_

#include <cstdint>
#include <vector>

namespace cssrun::tools {

struct Image {
  uint32_t width = 0;
  uint32_t height = 0;
  std::vector<uint8_t> rgb;  // width * height * 3, interleaved, rows from the top
};

// Refused before anything is decoded: nobody classifies such images, but bombs have such headers.
constexpr uint32_t kMaximumImageSide = 16384;
constexpr uint64_t kMaximumImagePixels = 89'478'485;

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_IMAGE_H_
