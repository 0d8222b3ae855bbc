#include <turbojpeg.h>

#include <memory>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

struct Destroy {
  void operator()(void* decompressor) const { tjDestroy(decompressor); }
};

}  // namespace

Result<Image> DecodeJpeg(std::span<const uint8_t> bytes) {
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
  Image image;
  if (Status status = PrepareImage(width, height, image); !status.ok()) return status;
  // Warnings (a truncated file, for one) are errors here; a thousand scans are an attack.
  constexpr int kFlags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT;
  if (tjDecompress2(decompressor.get(), bytes.data(), bytes.size(), image.rgb.data(), width, 0,
                    height, TJPF_RGB, kFlags) != 0) {
    return Undecodable(std::string("a damaged JPEG: ") + tjGetErrorStr2(decompressor.get()));
  }
  return image;
}

}  // namespace cssrun::tools
