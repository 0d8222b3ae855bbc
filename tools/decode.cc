#include "tools/decode.h"

#include <cstddef>

#include "tools/file_kinds.h"

namespace cssrun::tools {
namespace {

// Names a file that is not decoded, and says how to make an image of it that is: "a TIFF; ...".
std::string NameUnread(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return "an empty file";
  const FileKind kind = RecognizeFile(bytes);
  const std::string name = NameOf(kind);
  if (IsImage(kind) && !IsDecodedImage(kind)) return name + ", which is not read" + kMakePng;
  switch (kind) {
    case FileKind::kGitLfs:
      return name + " to an image; fetch it: git lfs pull";
    case FileKind::kHtml:
      return name + ", no image; download the image itself";
    case FileKind::kNumpy:
      return name + ", no image; from Python, pass it to run()";
    case FileKind::kZip:
    case FileKind::kGzip:
      return name + ", no image; unpack it";
    case FileKind::kPdf:
      return name + ", no image; make PNGs of its pages: pdftoppm -png FILE page (poppler-utils)";
    case FileKind::kMp4:
      return "a video; make PNGs of its frames: ffmpeg -i FILE frame%05d.png";
    default:
      return "not a JPEG, PNG, WebP, BMP, PPM, PGM or PBM image";
  }
}

}  // namespace

Result<Image> DecodeImage(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  // A file of nothing but a mark is no image. So the last byte does not help to recognize one.
  const size_t besides_last = bytes.empty() ? 0 : bytes.size() - 1;
  switch (RecognizeFile(bytes.first(besides_last), Marks::kAll)) {
    case FileKind::kJpeg:
      return DecodeJpeg(bytes, limits);
    case FileKind::kPng:
      return DecodePng(bytes, limits);
    case FileKind::kWebp:
      return DecodeWebp(bytes, limits);
    case FileKind::kBmp:
      return DecodeBmp(bytes, limits);
    case FileKind::kPnm:
      return DecodePnm(bytes, limits);
    default:
      return Undecodable(NameUnread(bytes));
  }
}

Status PrepareImage(uint64_t width, uint64_t height, const ImageLimits& limits, Image& image) {
  if (Status status = CheckSize(width, height, limits); !status.ok()) return status;
  image.width = static_cast<uint32_t>(width);
  image.height = static_cast<uint32_t>(height);
  image.rgb.assign(width * height * 3, 0);
  return Status::Ok();
}

}  // namespace cssrun::tools
