// Checks WebP, text PNMs, what a decoder complains of, and that other kinds of files are named as
// what they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tests/tools/encode_images.h"
#include "tools/decode.h"
#include "tools/file_kinds.h"

namespace cssrun::tools {
namespace {

using Bytes = std::vector<uint8_t>;
using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

Bytes FromText(const std::string& text) { return {text.begin(), text.end()}; }

Bytes Pixels(const Bytes& file) {
  const Result<Image> image = DecodeImage(file);
  EXPECT_TRUE(image.ok()) << image.status().message();
  return image.ok() ? image.value().rgb : Bytes();
}

std::string Refusal(const Bytes& file) {
  const Result<Image> image = DecodeImage(file);
  EXPECT_FALSE(image.ok());
  EXPECT_EQ(image.status().code(), StatusCode::kInvalidArgument) << image.status().message();
  return image.status().message();
}

TEST(DecodeWebpTest, LosslessPixelsAreExact) {
  const Image image = PatternImage(13, 7);
  const Result<Image> decoded = DecodeImage(EncodeWebp(image));
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_EQ(decoded.value().width, 13U);
  EXPECT_EQ(decoded.value().rgb, image.rgb);
}

TEST(DecodeWebpTest, EveryTruncationIsAnError) {
  const Bytes file = EncodeWebp(PatternImage(11, 9));
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(Refusal(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), "")
        << size;
  }
}

TEST(DecodeWebpTest, LimitsHold) {
  ImageLimits limits;
  limits.side = 12;
  EXPECT_NE(DecodeImage(EncodeWebp(PatternImage(13, 7)), limits).status().message().find("side"),
            std::string::npos);
}

TEST(DecodePnmTest, TextAndWideNumbers) {
  EXPECT_EQ(Pixels(FromText("P3\n# c\n2 1\n255\n1 2 3\n4 5\t6")), (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Pixels(FromText("P2 3 1 15 0 5\n15 ")), (Bytes{0, 0, 0, 85, 85, 85, 255, 255, 255}));
  EXPECT_EQ(Pixels(FromText("P3 1 1 65535 65535 32896 0")), (Bytes{255, 128, 0}));
  EXPECT_EQ(Pixels(FromText("P1 4 1 01\n1 0")),
            (Bytes{255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(Pixels(FromText("P4 3 2\n\x5F\xA0")),
            (Bytes{255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0}));
  EXPECT_EQ(Pixels(FromText("P6 1 1 65535\n\xFF\xFF\x80\x80\0\0"s)), (Bytes{255, 128, 0}));
  EXPECT_EQ(Pixels(FromText("P5 2 1 1\n\0\1"s)), (Bytes{0, 0, 0, 255, 255, 255}));
}

TEST(DecodePnmTest, RefusesDamagedTexts) {
  for (const std::string& text :
       {"P3"s, "P3 1 1 255 1 2"s, "P3 1 1 255 1 2 x"s, "P3 1 1 255 1 2 -3"s, "P2 9000 9000 255 1"s,
        "P1 2 1 0"s, "P1 2 1 02"s, "P2 1 1 65536 1"s, "P2 1 1 0 0"s, "P4 9 1\n\xFF"s}) {
    EXPECT_NE(Refusal(FromText(text)), "") << text;
  }
}

TEST(DecodeJpegTest, UnusualChromaIsRead) {
  const Image grey{16, 16, Bytes(16 * 16 * 3, 90)};
  for (const auto& [horizontal, vertical] : {std::pair{3, 1}, {1, 3}, {4, 2}, {2, 4}, {2, 2}}) {
    const Bytes pixels = Pixels(EncodeJpegWithSampling(grey, horizontal, vertical));
    ASSERT_EQ(pixels.size(), grey.rgb.size()) << horizontal << "x" << vertical;
    for (const uint8_t level : pixels) ASSERT_NEAR(level, 90, 1) << horizontal << "x" << vertical;
  }
}

// Bytes before the end mark make libjpeg complain, and change nothing.
TEST(DecodeJpegTest, WarningsAreKept) {
  Bytes file = EncodeJpeg(PatternImage(16, 16), JpegKind::kColor);
  const Bytes pixels = Pixels(file);
  EXPECT_EQ(DecodeImage(file).value().warning, "");
  file.insert(file.end() - 2, {1, 2, 3, 4});
  const Result<Image> image = DecodeImage(file);
  ASSERT_TRUE(image.ok()) << image.status().message();
  EXPECT_EQ(image.value().rgb, pixels);
  EXPECT_NE(image.value().warning.find("extraneous"), std::string::npos) << image.value().warning;
}

// Sound, but nobody's decoder knows them.
TEST(DecodeJpegTest, RareKindsAreNotCalledDamaged) {
  Bytes file = EncodeJpeg(PatternImage(16, 16), JpegKind::kColor);
  const Bytes frame = {0xFF, 0xC0};
  const auto at = std::search(file.begin(), file.end(), frame.begin(), frame.end());
  ASSERT_NE(at, file.end());
  *(at + 4) = 12;  // bits
  EXPECT_NE(Refusal(file).find("a JPEG of a rare kind: "), std::string::npos) << Refusal(file);
  *(at + 4) = 8;
  *(at + 1) = 0xC3;  // lossless
  EXPECT_NE(Refusal(file).find("a JPEG of a rare kind: "), std::string::npos) << Refusal(file);
}

// A chunk with a wrong checksum that is not needed.
TEST(DecodePngTest, WarningsAreKept) {
  const Image image = PatternImage(5, 4);
  Bytes file = EncodePng(image);
  EXPECT_EQ(DecodeImage(file).value().warning, "");
  const std::string chunk = "\0\0\0\6tRNS\0\1\0\2\0\3crc."s;
  constexpr std::ptrdiff_t kAfterHeader = 33;
  file.insert(file.begin() + kAfterHeader, chunk.begin(), chunk.end());
  const Result<Image> decoded = DecodeImage(file);
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_EQ(decoded.value().rgb, image.rgb);
  EXPECT_NE(decoded.value().warning, "");
}

// All pixels are there without the end mark; without the last of the data they are not.
TEST(DecodeJpegTest, AMissingEndMarkIsAWarning) {
  for (const JpegKind kind : {JpegKind::kColor, JpegKind::kGray, JpegKind::kProgressive}) {
    Bytes file = EncodeJpeg(PatternImage(24, 24), kind);
    const Bytes pixels = Pixels(file);
    file.resize(file.size() - 2);
    const Result<Image> image = DecodeImage(file);
    ASSERT_TRUE(image.ok()) << image.status().message();
    EXPECT_EQ(image.value().rgb, pixels);
    EXPECT_NE(image.value().warning, "");
  }
}

TEST(DecodeImageTest, OtherKindsAreNamed) {
  const std::pair<std::string, const char*> files[] = {
      {"II*\0\x08\0\0\0"s, "a TIFF"},
      {"MM\0*\0\0\0\x08"s, "a TIFF"},
      {"GIF89a\1\0\1\0"s, "a GIF"},
      {"\0\0\0\x1C"s
       "ftypavif\0\0\0\0"s,
       "an AVIF"},
      {"\0\0\0\x18"s
       "ftypheic\0\0\0\0"s,
       "a HEIC"},
      {"\0\0\0\x18"s
       "ftypmif1\0\0\0\0"s,
       "a HEIC"},
      {"\0\0\0\x18"s
       "ftypisom\0\0\0\0"s,
       "a video"},
      {"\xFF\x0A\x10"s, "a JPEG XL"},
      {"\0\0\0\x0CjP  \r\n"s, "a JPEG 2000"},
      {"<svg xmlns"s, "an SVG"},
      {"<!DOCTYPE html>"s, "a web page"},
      {"version https://git-lfs.github.com/spec/v1"s, "Git LFS"},
      {"\x93NUMPY\1\0"s, "NumPy"},
      {"%PDF-1.4"s, "a PDF"},
      {""s, "an empty file"},
      {"hello"s, "not a JPEG, PNG, WebP, BMP"}};
  for (const auto& [bytes, name] : files) {
    const std::string message = Refusal(FromText(bytes));
    EXPECT_NE(message.find(name), std::string::npos) << message;
  }
  EXPECT_NE(Refusal(FromText("GIF89a\1\0\1\0"s)).find("mogrify -format png"), std::string::npos);
}

TEST(DecodeImageTest, ImagesAreKnownByTheirFirstBytes) {
  const Image image = PatternImage(4, 4);
  const auto begins = [](Bytes file) {
    file.resize(std::min<size_t>(file.size(), 16));
    return IsImage(RecognizeFile(file));
  };
  EXPECT_TRUE(begins(EncodePng(image)));
  EXPECT_TRUE(begins(EncodeWebp(image)));
  EXPECT_TRUE(begins(EncodeJpeg(image, JpegKind::kColor)));
  EXPECT_TRUE(begins(FromText("GIF89a\1\0\1\0"s)));
  EXPECT_TRUE(
      begins(FromText("\0\0\0\x1C"s
                      "ftypavif\0\0\0\0"s)));
  EXPECT_FALSE(
      begins(FromText("\0\0\0\x1C"s
                      "ftypisom\0\0\0\0"s)));
  EXPECT_FALSE(begins(FromText("a text of words")));
  EXPECT_FALSE(begins({}));
}

}  // namespace
}  // namespace cssrun::tools
