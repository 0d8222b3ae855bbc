#include <algorithm>
#include <array>
#include <bit>

#include "tools/decode.h"

namespace cssrun::tools {
namespace {

constexpr size_t kFileHeader = 14;
constexpr uint32_t kCoreHeader = 12;  // of OS/2, with sides of 16 bits
constexpr uint32_t kInfoHeader = 40;  // of Windows; later versions are longer
constexpr uint32_t kLongestHeader = 1024;

enum Compression : uint32_t {
  kRgb = 0,
  kRle8 = 1,
  kRle4 = 2,
  kMasks = 3,
  kJpeg = 4,
  kPng = 5,
  kMasksAndAlpha = 6
};

using Colour = std::array<uint8_t, 3>;

// Numbers of the file, in little-endian order. What lies beyond its end reads as 0.
class Numbers {
 public:
  explicit Numbers(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  uint8_t Byte(uint64_t at) const { return at < bytes_.size() ? bytes_[at] : 0; }
  uint32_t Two(uint64_t at) const { return Byte(at) | uint32_t{Byte(at + 1)} << 8; }
  uint32_t Four(uint64_t at) const { return Two(at) | Two(at + 2) << 16; }

 private:
  std::span<const uint8_t> bytes_;
};

// Some neighbouring bits of a pixel, which are one colour.
struct Mask {
  uint32_t bits = 0;

  // PIL's rounding.
  uint8_t Of(uint32_t pixel) const {
    if (bits == 0) return 0;
    const int shift = std::countr_zero(bits);
    const uint64_t value = (pixel & bits) >> shift;
    return static_cast<uint8_t>(value * 255 / (bits >> shift));
  }
  bool InOnePiece() const {
    return bits == 0 || std::has_single_bit(uint64_t{bits >> std::countr_zero(bits)} + 1);
  }
};

struct Header {
  uint32_t size = 0;  // of the header itself
  int64_t width = 0;
  int64_t height = 0;  // negative: rows from the top
  uint32_t bits = 0;   // of a pixel
  uint32_t compression = kRgb;
  uint32_t colours = 0;      // of the palette; 0: all that the bits can name
  uint64_t palette = 0;      // where it begins
  uint64_t pixels = 0;       // where they begin
  uint64_t row_bytes = 0;    // with the padding to whole words
  uint64_t pixel_bytes = 0;  // without
  std::array<Mask, 3> masks = {};
};

Header ReadHeader(const Numbers& file) {
  Header header;
  header.size = file.Four(kFileHeader);
  const uint64_t fields = kFileHeader + 4;
  if (header.size == kCoreHeader) {
    header.width = file.Two(fields);
    header.height = file.Two(fields + 2);
    header.bits = file.Two(fields + 6);
  } else {
    header.width = static_cast<int32_t>(file.Four(fields));
    header.height = static_cast<int32_t>(file.Four(fields + 4));
    header.bits = file.Two(fields + 10);
    header.compression = file.Four(fields + 12);
    header.colours = file.Four(fields + 28);
  }
  header.palette = kFileHeader + uint64_t{header.size};
  // Masks are a part of the longer headers, and follow the shorter one.
  const bool masked = header.compression == kMasks || header.compression == kMasksAndAlpha;
  for (uint64_t c = 0; masked && c < 3; ++c) {
    header.masks[c].bits = file.Four(kFileHeader + kInfoHeader + 4 * c);
  }
  if (masked && header.size == kInfoHeader) {
    header.palette += header.compression == kMasks ? 12 : 16;
  }
  if (!masked && header.bits == 16) header.masks = {{{0x7C00}, {0x03E0}, {0x001F}}};
  if (!masked && header.bits == 32) header.masks = {{{0xFF0000}, {0x00FF00}, {0x0000FF}}};
  header.pixels = file.Four(10);
  return header;
}

Status Check(const Header& header) {
  if (header.size != kCoreHeader && (header.size < kInfoHeader || header.size > kLongestHeader)) {
    return Undecodable("a BMP of an unknown kind (its header has " + std::to_string(header.size) +
                       " bytes)" + kMakePng);
  }
  switch (header.compression) {
    case kRgb:
      break;
    case kRle8:
    case kRle4:
      return Undecodable(std::string("a BMP with run lengths (RLE)") + kMakePng);
    case kJpeg:
    case kPng:
      return Undecodable(std::string("a JPEG or PNG inside of a BMP") + kMakePng);
    default:
      if (header.compression != kMasks && header.compression != kMasksAndAlpha) {
        return Undecodable(std::string("a BMP with an unknown compression") + kMakePng);
      }
      if (header.bits != 16 && header.bits != 32) return Undecodable("a damaged BMP: its masks");
  }
  for (const Mask& mask : header.masks) {
    if (!mask.InOnePiece()) return Undecodable("a damaged BMP: its masks");
  }
  for (const uint32_t bits : {1, 2, 4, 8, 16, 24, 32}) {
    if (header.bits == bits) return Status::Ok();
  }
  return Undecodable("a damaged BMP: pixels of " + std::to_string(header.bits) + " bits");
}

// The palette, in which the file may name fewer colours than the pixels do: those are black.
std::array<Colour, 256> ReadPalette(const Numbers& file, const Header& header) {
  std::array<Colour, 256> palette = {};
  const uint64_t bytes = header.size == kCoreHeader ? 3 : 4;
  uint64_t colours = uint64_t{1} << header.bits;
  if (header.colours != 0 && header.colours < colours) colours = header.colours;
  for (uint64_t i = 0; i < colours; ++i) {
    const uint64_t at = header.palette + i * bytes;
    palette[i] = {file.Byte(at + 2), file.Byte(at + 1), file.Byte(at)};
  }
  return palette;
}

void ReadRow(std::span<const uint8_t> row, const Header& header,
             const std::array<Colour, 256>& palette, std::span<uint8_t> rgb) {
  const Numbers numbers(row);
  for (size_t x = 0; 3 * x < rgb.size(); ++x) {
    Colour colour = {};
    if (header.bits == 24) {
      colour = {row[3 * x + 2], row[3 * x + 1], row[3 * x]};
    } else if (header.bits > 8) {
      const uint32_t pixel = header.bits == 16 ? numbers.Two(2 * x) : numbers.Four(4 * x);
      for (size_t c = 0; c < 3; ++c) colour[c] = header.masks[c].Of(pixel);
    } else {
      // The first pixel of a byte is in its highest bits.
      const size_t bit = x * header.bits;
      const uint32_t shift = 8 - header.bits - bit % 8;
      colour = palette[row[bit / 8] >> shift & ((1U << header.bits) - 1)];
    }
    std::copy(colour.begin(), colour.end(), rgb.begin() + static_cast<std::ptrdiff_t>(3 * x));
  }
}

}  // namespace

Result<Image> DecodeBmp(std::span<const uint8_t> bytes, const ImageLimits& limits) {
  const Numbers file(bytes);
  Header header = ReadHeader(file);
  if (Status status = Check(header); !status.ok()) return status;
  const bool from_top = header.height < 0;
  if (header.width <= 0) return Undecodable("a damaged BMP: its width");
  const auto width = static_cast<uint64_t>(header.width);
  const auto height = static_cast<uint64_t>(from_top ? -header.height : header.height);
  if (Status status = CheckSize(width, height, limits); !status.ok()) return status;
  header.row_bytes = (width * header.bits + 31) / 32 * 4;
  header.pixel_bytes = (width * header.bits + 7) / 8;
  if (header.pixels == 0) {
    const uint64_t colours = header.bits > 8 ? 0 : uint64_t{1} << header.bits;
    header.pixels = header.palette + colours * (header.size == kCoreHeader ? 3 : 4);
  }
  // All of the pixels must be there before anything is allocated for them. The last row may lack
  // its padding.
  const uint64_t needed = header.row_bytes * (height - 1) + header.pixel_bytes;
  if (header.pixels > bytes.size() || needed > bytes.size() - header.pixels) {
    return Undecodable("a damaged BMP: it ends too soon");
  }
  Image image;
  if (Status status = PrepareImage(width, height, limits, image); !status.ok()) return status;
  std::array<Colour, 256> palette = {};
  if (header.bits <= 8) palette = ReadPalette(file, header);
  const size_t rgb_bytes = width * 3;
  for (size_t y = 0; y < height; ++y) {
    const size_t row = from_top ? y : height - 1 - y;
    ReadRow(bytes.subspan(header.pixels + row * header.row_bytes, header.pixel_bytes), header,
            palette, std::span(image.rgb).subspan(y * rgb_bytes, rgb_bytes));
  }
  return image;
}

}  // namespace cssrun::tools
