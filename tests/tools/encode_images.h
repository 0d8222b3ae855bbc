// Makes image files for the tests with the encoders of the image libraries.
#ifndef CSSRUN_TESTS_TOOLS_ENCODE_IMAGES_H_
#define CSSRUN_TESTS_TOOLS_ENCODE_IMAGES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "tools/image.h"

namespace cssrun::tools {

// Makes an image whose pixel (x, y) has (37x + 101y + 53c + 7xy) mod 256 in channel c, a formula
// that is easy to repeat in other programs.
Image PatternImage(uint32_t width, uint32_t height);

struct PngLayout {
  int color_type = 2;  // PNG_COLOR_TYPE_RGB
  int bit_depth = 8;
  bool interlaced = false;
};

// `rows`: the rows as PNG stores them, packed. A palette image gets the palette
// i -> (i, 255 - i, i / 2), and where `transparent` is set its entry 0 is transparent.
std::vector<uint8_t> EncodePng(uint32_t width, uint32_t height, const PngLayout& layout,
                               std::span<const uint8_t> rows, bool transparent = false);
std::vector<uint8_t> EncodePng(const Image& image);

enum class JpegKind { kColor, kGray, kProgressive, kCmyk };
std::vector<uint8_t> EncodeJpeg(const Image& image, JpegKind kind, int quality = 95);

std::vector<uint8_t> EncodePpm(const Image& image);

}  // namespace cssrun::tools

#endif  // CSSRUN_TESTS_TOOLS_ENCODE_IMAGES_H_
