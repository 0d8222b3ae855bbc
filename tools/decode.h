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
// Binary PPM (P6) and PGM (P5).
Result<Image> DecodePnm(std::span<const uint8_t> bytes, const ImageLimits& limits);

// Checks the size against the limits and allocates the pixels.
Status PrepareImage(uint64_t width, uint64_t height, const ImageLimits& limits, Image& image);

inline Status Undecodable(const std::string& what) { return Status::InvalidArgument(what); }

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_DECODE_H_
