// Names kinds of files that are not decoded, by their first bytes.
#include <algorithm>
#include <array>
#include <string_view>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

using std::string_view_literals::operator""sv;

struct Kind {
  std::string_view magic;
  std::string_view name;
};

// Images that ImageMagick makes a PNG of.
constexpr Kind kImages[] = {{"II*\0"sv, "a TIFF"},
                            {"MM\0*"sv, "a TIFF"},
                            {"II+\0"sv, "a TIFF"},
                            {"MM\0+"sv, "a TIFF"},
                            {"GIF8"sv, "a GIF"},
                            {"\xFF\x0A"sv, "a JPEG XL"},
                            {"\0\0\0\x0CJXL "sv, "a JPEG XL"},
                            {"\0\0\0\x0CjP  "sv, "a JPEG 2000"},
                            {"\xFF\x4F\xFF\x51"sv, "a JPEG 2000"},
                            {"8BPS"sv, "a Photoshop image"},
                            {"gimp xcf"sv, "a GIMP image"},
                            {"\0\0\1\0"sv, "an icon"},
                            {"<svg"sv, "an SVG drawing"},
                            {"\x76\x2F\x31\x01"sv, "an OpenEXR"},
                            {"#?RADIANCE"sv, "a Radiance HDR"},
                            {"DDS "sv, "a DDS texture"},
                            {"P7\n"sv, "a PAM"},
                            {"PF\n"sv, "a PFM"},
                            {"Pf\n"sv, "a PFM"}};

// Files that are no images, and what else they are.
constexpr Kind kOthers[] = {
    {"version https://git-lfs"sv, "a pointer of Git LFS to an image; fetch it: git lfs pull"},
    {"<!DOCTYPE html"sv, "a web page, no image; download the image itself"},
    {"<!doctype html"sv, "a web page, no image; download the image itself"},
    {"<html"sv, "a web page, no image; download the image itself"},
    {"\x93NUMPY"sv, "a NumPy array, no image; from Python, pass it to run()"},
    {"PK\x03\x04"sv, "a ZIP archive, no image; unpack it"},
    {"\x1F\x8B"sv, "a gzip file, no image; unpack it"},
    {"%PDF"sv, "a PDF, no image; make PNGs of its pages: pdftoppm -png FILE page (poppler-utils)"}};

// A file of boxes begins with one that says what it is: size, "ftyp", brand.
std::string NameBrand(std::string_view text) {
  const std::string_view brand = text.substr(8, 4);
  if (brand == "avif" || brand == "avis")
    return std::string("an AVIF, which is not read") + kMakePng;
  for (const std::string_view heic : {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1"}) {
    if (brand == heic) return std::string("a HEIC, which is not read") + kMakePng;
  }
  return "a video; make PNGs of its frames: ffmpeg -i FILE frame%05d.png";
}

}  // namespace

bool BeginsAsImage(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto begins = [&](const Kind& kind) { return text.starts_with(kind.magic); };
  if (text.starts_with("\xFF\xD8\xFF"sv) || text.starts_with("\x89PNG\r\n\x1A\n"sv)) return true;
  if (text.starts_with("RIFF"sv) && text.size() >= 12 && text.substr(8, 4) == "WEBP") return true;
  if (std::ranges::any_of(kImages, begins)) return true;
  if (text.size() < 12 || text.substr(4, 4) != "ftyp") return false;
  return !NameBrand(text).starts_with("a video");
}

std::string NameUnread(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.empty()) return "an empty file";
  for (const Kind& kind : kImages) {
    if (text.starts_with(kind.magic))
      return std::string(kind.name) + ", which is not read" + kMakePng;
  }
  for (const Kind& kind : kOthers) {
    if (text.starts_with(kind.magic)) return std::string(kind.name);
  }
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp") return NameBrand(text);
  return "not a JPEG, PNG, WebP, BMP, PPM, PGM or PBM image";
}

}  // namespace cssrun::tools
