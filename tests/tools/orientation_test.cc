// Tests the orientation that cameras write, in each kind of file that has it.
#include "tools/orientation.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "tests/tools/encode_images.h"

namespace cssrun::tools {
namespace {

using Bytes = std::vector<uint8_t>;
using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

void Insert(Bytes& file, std::ptrdiff_t at, const std::string& text) {
  file.insert(file.begin() + at, text.begin(), text.end());
}

// A list of two tags, of which the second is the orientation.
std::string Exif(int orientation, bool little = true) {
  const auto o = static_cast<char>(orientation);
  if (little) {
    return "II*\0\x08\0\0\0\x02\0"s
           "\x0F\1\2\0\1\0\0\0A\0\0\0"s
           "\x12\1\3\0\1\0\0\0"s +
           o + "\0\0\0"s;
  }
  return "MM\0*\0\0\0\x08\0\x02"s
         "\1\x0F\0\2\0\0\0\1A\0\0\0"s
         "\1\x12\0\3\0\0\0\1\0"s +
         o + "\0\0"s;
}

std::string Big(size_t size, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(size >> (8 * i));
  return text;
}

Bytes JpegWith(const std::string& exif) {
  Bytes file = EncodeJpeg(PatternImage(4, 3), JpegKind::kColor);
  Insert(file, 2, "\xFF\xE1"s + Big(exif.size() + 8, 2) + "Exif\0\0"s + exif);
  return file;
}

TEST(OrientationTest, IsFoundInEveryKindOfFile) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {false, true}) {
      const std::string exif = Exif(orientation, little);
      EXPECT_EQ(OrientationOf(JpegWith(exif)), orientation);
      Bytes png = EncodePng(PatternImage(4, 3));
      Insert(png, 33, Big(exif.size(), 4) + "eXIf" + exif + "crc.");
      EXPECT_EQ(OrientationOf(png), orientation);
      Bytes webp = EncodeWebp(PatternImage(4, 3));
      const std::string size = Big(exif.size(), 4);
      Insert(webp, 12, "EXIF"s + std::string(size.rbegin(), size.rend()) + exif);
      EXPECT_EQ(OrientationOf(webp), orientation);
    }
  }
}

TEST(OrientationTest, IsUprightWhereThereIsNoneOrNonsense) {
  for (const Bytes& file :
       {Bytes{}, EncodePng(PatternImage(2, 2)), EncodePpm(PatternImage(2, 2)),
        EncodeJpeg(PatternImage(2, 2), JpegKind::kColor), JpegWith(Exif(0)), JpegWith(Exif(9)),
        JpegWith(Exif(6).substr(0, 20)), JpegWith("II*\0\xFF\xFF\xFF\xFF"s), JpegWith("")}) {
    EXPECT_EQ(OrientationOf(file), 1);
  }
}

TEST(OrientationTest, EveryCutAndEveryFlippedByteIsSurvived) {
  Bytes file = JpegWith(Exif(6));
  file.resize(80);
  for (size_t size = 0; size < file.size(); ++size) {
    OrientationOf(std::span(file).first(size));
    for (const uint8_t flip : {0x01, 0x80, 0xFF}) {
      Bytes damaged = file;
      damaged[size] ^= flip;
      const int orientation = OrientationOf(damaged);
      EXPECT_TRUE(orientation >= 1 && orientation <= 8);
    }
  }
}

// What ImageOps.exif_transpose of PIL 9.4 makes of the pixels 0 1 2 over 3 4 5.
TEST(OrientationTest, UprightEqualsPil) {
  Image image{3, 2, {}};
  for (uint8_t i = 0; i < 6; ++i) image.rgb.insert(image.rgb.end(), {i, i, i});
  const std::vector<std::vector<uint8_t>> expected = {
      {0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0}, {3, 4, 5, 0, 1, 2},
      {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2}, {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image upright = Upright(image, orientation);
    EXPECT_EQ(upright.width, orientation < 5 ? 3U : 2U);
    EXPECT_EQ(upright.height, orientation < 5 ? 2U : 3U);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(upright.rgb[3 * i], expected[static_cast<size_t>(orientation - 1)][i])
          << orientation << " " << i;
    }
  }
}

}  // namespace
}  // namespace cssrun::tools
