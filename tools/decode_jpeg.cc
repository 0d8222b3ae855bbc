#include <turbojpeg.h>

#include <algorithm>
#include <memory>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

struct Destroy {
  void operator()(void* decompressor) const { tjDestroy(decompressor); }
};

// Counts the scans of a JPEG without decoding anything.
uint64_t CountScans(std::span<const uint8_t> bytes) {
  constexpr uint8_t kStartOfScan = 0xDA;
  constexpr uint8_t kEndOfImage = 0xD9;
  uint64_t scans = 0;
  for (size_t at = 2; at + 1 < bytes.size();) {
    // Coded data and fill bytes lie between the marker segments.
    if (bytes[at] != 0xFF || bytes[at + 1] == 0xFF) {
      ++at;
      continue;
    }
    const uint8_t marker = bytes[at + 1];
    at += 2;
    if (marker == kEndOfImage) break;
    // No length follows escaped data (0), TEM and restart markers.
    if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;
    if (marker == kStartOfScan) ++scans;
    if (at + 1 >= bytes.size()) break;
    at += std::max<size_t>(size_t{bytes[at]} << 8 | bytes[at + 1], 2);
  }
  return scans;
}

}  // namespace

Result<Image> DecodeJpeg(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  const std::unique_ptr<void, Destroy> decompressor(tjInitDecompress());
  if (decompressor == nullptr) return Status::Io("cannot start the JPEG decoder");
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colorspace = 0;
  if (tjDecompressHeader3(decompressor.get(), bytes.data(), bytes.size(), &width, &height,
                          &subsampling, &colorspace) != 0) {
    return Undecodable(std::string("a damaged JPEG: ") + tjGetErrorStr2(decompressor.get()));
  }
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) {
    return Undecodable("a JPEG for print (CMYK); save it as RGB");
  }
  // Each scan passes over all pixels again. A file of a hundred kilobytes with a thousand scans is
  // an attack.
  if (const uint64_t scans = CountScans(bytes); scans > limits.jpeg_scans) {
    return Undecodable("a JPEG of " + std::to_string(scans) + " scans, more than the limit of " +
                       std::to_string(limits.jpeg_scans) +
                       "; if you trust the file, raise the limit \"jpeg-scans\"");
  }
  Image image;
  if (Status status = PrepareImage(width, height, limits, image); !status.ok()) return status;
  // Warnings, such as that of a truncated file, are treated as errors.
  constexpr int kFlags = TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT;
  if (tjDecompress2(decompressor.get(), bytes.data(), bytes.size(), image.rgb.data(), width, 0,
                    height, TJPF_RGB, kFlags) != 0) {
    return Undecodable(std::string("a damaged JPEG: ") + tjGetErrorStr2(decompressor.get()));
  }
  return image;
}

}  // namespace cssrun::tools
