// Decodes images from untrusted bytes. Each format has a file of its own.
#ifndef CSSRUN_TOOLS_DECODE_H_
#define CSSRUN_TOOLS_DECODE_H_

#include <cstdint>
#include <span>
#include <string>

#include "cssrun/status.h"
#include "tools/image.h"

namespace cssrun::tools {

// Decodes an image. Its content decides the format; its name does not matter. Error:
// kInvalidArgument that says what is wrong with the bytes. Sizes above the limits are refused
// before anything is decoded.
Result<Image> DecodeImage(std::span<const uint8_t> bytes, const ImageLimits& limits = {});

// The following functions take bytes that begin with the format's magic number.
Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, const ImageLimits& limits);
Result<Image> DecodePng(std::span<const uint8_t> bytes, const ImageLimits& limits);
// Windows' and OS/2's bitmaps without compression.
Result<Image> DecodeBmp(std::span<const uint8_t> bytes, const ImageLimits& limits);
Result<Image> DecodeWebp(std::span<const uint8_t> bytes, const ImageLimits& limits);
// PBM, PGM and PPM, as text (P1, P2, P3) or binary (P4, P5, P6), with 1 to 16 bits a number.
Result<Image> DecodePnm(std::span<const uint8_t> bytes, const ImageLimits& limits);

// What to do with an image that is not read.
inline constexpr char kMakePng[] = "; make a PNG of it: mogrify -format png FILE (ImageMagick)";

// Checks the size, as CheckSize does, and allocates the pixels.
Status PrepareImage(uint64_t width, uint64_t height, const ImageLimits& limits, Image& image);

inline Status Undecodable(const std::string& what) { return Status::InvalidArgument(what); }

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_DECODE_H_
