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

// In colour, with chroma sampled that much less than luma in each direction, 1 to 4.
std::vector<uint8_t> EncodeJpegWithSampling(const Image& image, int horizontal, int vertical);

std::vector<uint8_t> EncodePpm(const Image& image);

// Lossless.
std::vector<uint8_t> EncodeWebp(const Image& image);

struct BmpLayout {
  uint32_t header = 40;  // its size, which says what kind it is
  uint32_t bits = 24;    // or 32
  bool from_top = false;
};
std::vector<uint8_t> EncodeBmp(const Image& image, const BmpLayout& layout = {});

// The parts of a bitmap with one row.
struct BmpParts {
  uint32_t bits = 24;
  uint32_t width = 1;
  uint32_t compression = 0;
  std::vector<uint32_t> masks = {};
  uint32_t colours = 0;
  std::vector<uint8_t> palette = {};
  // For EncodeBmp().
  uint32_t header = 40;
  int32_t height = 1;
};
// Puts header, masks, palette and `pixels` together; the last row is padded.
std::vector<uint8_t> AssembleBmp(const BmpParts& parts, std::span<const uint8_t> pixels);

}  // namespace cssrun::tools

#endif  // CSSRUN_TESTS_TOOLS_ENCODE_IMAGES_H_
