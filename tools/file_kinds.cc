#include "tools/file_kinds.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace cssrun::tools {
namespace {

using std::string_view_literals::operator""sv;

// What a file of a kind has at one or two places.
struct FileMark {
  FileKind kind;
  const char* name;
  std::string_view mark;
  size_t at = 0;
  std::string_view second = {};
  size_t second_at = 0;
};

// A file is of the first kind whose marks it has. So marks that are not at a file's beginning come
// last, and the brands of boxes ("ftyp") before boxes of any brand.
constexpr FileMark kFileMarks[] = {
    {FileKind::kJpeg, "a JPEG", "\xFF\xD8\xFF"sv},
    {FileKind::kPng, "a PNG", "\x89PNG\r\n\x1A\n"sv},
    {FileKind::kWebp, "a WebP", "RIFF"sv, 0, "WEBP"sv, 8},
    {FileKind::kBmp, "a BMP", "BM"sv},
    {FileKind::kPnm, "a PNM", "P1"sv},
    {FileKind::kPnm, "a PNM", "P2"sv},
    {FileKind::kPnm, "a PNM", "P3"sv},
    {FileKind::kPnm, "a PNM", "P4"sv},
    {FileKind::kPnm, "a PNM", "P5"sv},
    {FileKind::kPnm, "a PNM", "P6"sv},
    {FileKind::kTiff, "a TIFF", "II*\0"sv},
    {FileKind::kTiff, "a TIFF", "MM\0*"sv},
    {FileKind::kTiff, "a TIFF", "II+\0"sv},
    {FileKind::kTiff, "a TIFF", "MM\0+"sv},
    {FileKind::kGif, "a GIF", "GIF8"sv},
    {FileKind::kJpegXl, "a JPEG XL", "\xFF\x0A"sv},
    {FileKind::kJpegXl, "a JPEG XL", "\0\0\0\x0CJXL "sv},
    {FileKind::kJpeg2000, "a JPEG 2000", "\0\0\0\x0CjP  "sv},
    {FileKind::kJpeg2000, "a JPEG 2000", "\xFF\x4F\xFF\x51"sv},
    {FileKind::kPhotoshop, "a Photoshop image", "8BPS"sv},
    {FileKind::kGimp, "a GIMP image", "gimp xcf"sv},
    {FileKind::kIcon, "an icon", "\0\0\1\0"sv},
    {FileKind::kSvg, "an SVG drawing", "<svg"sv},
    {FileKind::kOpenExr, "an OpenEXR", "\x76\x2F\x31\x01"sv},
    {FileKind::kRadiance, "a Radiance HDR", "#?RADIANCE"sv},
    {FileKind::kDds, "a DDS texture", "DDS "sv},
    {FileKind::kPam, "a PAM", "P7\n"sv},
    {FileKind::kPfm, "a PFM", "PF\n"sv},
    {FileKind::kPfm, "a PFM", "Pf\n"sv},
    {FileKind::kAedat, "an AEDAT", "#!AER-DAT"sv},
    {FileKind::kMetavisionText, "a text of Metavision", "%geometry:"sv},
    {FileKind::kHdf5, "an HDF5", "\x89HDF\r\n\x1A\n"sv},
    {FileKind::kNumpy, "a NumPy array", "\x93NUMPY"sv},
    {FileKind::kRosBag, "a bag of ROS", "#ROSBAG"sv},
    {FileKind::kY4m, "a Y4M video", "YUV4MPEG2 "sv},
    {FileKind::kAvi, "an AVI video", "RIFF"sv, 0, "AVI "sv, 8},
    {FileKind::kMatroska, "a Matroska video", "\x1A\x45\xDF\xA3"sv},
    {FileKind::kGzip, "a gzip file", "\x1F\x8B\x08"sv},
    {FileKind::kBzip2, "a bzip2 file", "BZh"sv},
    {FileKind::kXz, "an xz file", "\xFD\x37zXZ"sv},
    {FileKind::kZstandard, "a Zstandard file", "\x28\xB5\x2F\xFD"sv},
    {FileKind::kZip, "a ZIP archive", "PK\x03\x04"sv},
    {FileKind::kSevenZip, "a 7z archive", "7z\xBC\xAF"sv},
    {FileKind::kGitLfs, "a pointer of Git LFS", "version https://git-lfs"sv},
    {FileKind::kHtml, "a web page", "<!DOCTYPE html"sv},
    {FileKind::kHtml, "a web page", "<!doctype html"sv},
    {FileKind::kHtml, "a web page", "<html"sv},
    {FileKind::kPdf, "a PDF", "%PDF"sv},
    {FileKind::kUtf16, "a text in UTF-16", "\xFF\xFE"sv},
    {FileKind::kUtf16, "a text in UTF-16", "\xFE\xFF"sv},
    {FileKind::kAvif, "an AVIF", "ftypavif"sv, 4},
    {FileKind::kAvif, "an AVIF", "ftypavis"sv, 4},
    {FileKind::kHeic, "a HEIC", "ftypheic"sv, 4},
    {FileKind::kHeic, "a HEIC", "ftypheix"sv, 4},
    {FileKind::kHeic, "a HEIC", "ftypheim"sv, 4},
    {FileKind::kHeic, "a HEIC", "ftypheis"sv, 4},
    {FileKind::kHeic, "a HEIC", "ftyphevc"sv, 4},
    {FileKind::kHeic, "a HEIC", "ftyphevx"sv, 4},
    {FileKind::kHeic, "a HEIC", "ftypmif1"sv, 4},
    {FileKind::kMp4, "an MP4 video", "ftyp"sv, 4, ""sv, 12},  // with a brand, whatever it is
    {FileKind::kTar, "a tar archive", "ustar"sv, 257}};

bool HasAt(std::string_view text, std::string_view mark, size_t at) {
  return text.size() >= at && text.substr(at).starts_with(mark);
}

bool IsSure(FileKind kind) { return kind != FileKind::kBmp && kind != FileKind::kPnm; }

const FileMark* FirstMarkOf(FileKind kind) {
  const auto* const found = std::ranges::find(kFileMarks, kind, &FileMark::kind);
  return found == std::end(kFileMarks) ? nullptr : found;
}

}  // namespace

FileKind RecognizeFile(std::span<const uint8_t> bytes, Marks marks) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const FileMark& file : kFileMarks) {
    if (marks == Marks::kSure && !IsSure(file.kind)) continue;
    if (HasAt(text, file.mark, file.at) && HasAt(text, file.second, file.second_at)) {
      return file.kind;
    }
  }
  return FileKind::kUnknown;
}

std::vector<uint8_t> BeginOf(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  std::vector<uint8_t> begin(4096);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(begin.data()), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<size_t>(file.gcount()));
  return begin;
}

const char* NameOf(FileKind kind) {
  const FileMark* const mark = FirstMarkOf(kind);
  return mark == nullptr ? "" : mark->name;
}

std::string_view MarkOf(FileKind kind) {
  const FileMark* const mark = FirstMarkOf(kind);
  assert(mark != nullptr);
  return mark->mark;
}

}  // namespace cssrun::tools
