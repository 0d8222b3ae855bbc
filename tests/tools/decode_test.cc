// Checks that every kind of image file gives the right pixels, and every damaged one an error,
// never a crash.
#include "tools/decode.h"

#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tests/tools/encode_images.h"

namespace cssrun::tools {
namespace {

using Bytes = std::vector<uint8_t>;
using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

Bytes FromText(const std::string& text) { return {text.begin(), text.end()}; }

// Returns the decoded pixels. On an error the test fails, and there are none.
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

int LargestDifference(const Bytes& a, const Bytes& b) {
  if (a.size() != b.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

// Makes soft colours, which JPEG hardly changes.
Image SoftImage(uint32_t width, uint32_t height) {
  Image image{width, height, {}};
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      for (const uint32_t value : {60 + x * 2, 200 - y * 2, 90 + x + y}) {
        image.rgb.push_back(static_cast<uint8_t>(value));
      }
    }
  }
  return image;
}

TEST(DecodePngTest, Rgb) {
  const Image image = PatternImage(13, 7);
  const Result<Image> decoded = DecodeImage(EncodePng(image));
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_EQ(decoded.value().width, 13U);
  EXPECT_EQ(decoded.value().height, 7U);
  EXPECT_EQ(decoded.value().rgb, image.rgb);
}

TEST(DecodePngTest, Interlaced) {
  for (const uint32_t side : {1U, 2U, 5U, 8U, 17U}) {
    const Image image = PatternImage(side, side + 1);
    const PngLayout layout{PNG_COLOR_TYPE_RGB, 8, true};
    EXPECT_EQ(Pixels(EncodePng(side, side + 1, layout, image.rgb)), image.rgb) << side;
  }
}

TEST(DecodePngTest, AlphaIsStripped) {
  const Bytes rows = {10, 20, 30, 0, 40, 50, 60, 128};
  EXPECT_EQ(Pixels(EncodePng(2, 1, {PNG_COLOR_TYPE_RGB_ALPHA, 8}, rows)),
            (Bytes{10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(Pixels(EncodePng(2, 1, {PNG_COLOR_TYPE_GRAY_ALPHA, 8}, Bytes{7, 0, 9, 255})),
            (Bytes{7, 7, 7, 9, 9, 9}));
}

TEST(DecodePngTest, GrayOfEveryDepth) {
  EXPECT_EQ(Pixels(EncodePng(3, 1, {PNG_COLOR_TYPE_GRAY, 8}, Bytes{0, 100, 255})),
            (Bytes{0, 0, 0, 100, 100, 100, 255, 255, 255}));
  EXPECT_EQ(Pixels(EncodePng(3, 1, {PNG_COLOR_TYPE_GRAY, 1}, Bytes{0b10100000})),
            (Bytes{255, 255, 255, 0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(Pixels(EncodePng(3, 1, {PNG_COLOR_TYPE_GRAY, 2}, Bytes{0b00011100})),
            (Bytes{0, 0, 0, 85, 85, 85, 255, 255, 255}));
  EXPECT_EQ(Pixels(EncodePng(2, 1, {PNG_COLOR_TYPE_GRAY, 4}, Bytes{0x3F})),
            (Bytes{51, 51, 51, 255, 255, 255}));
  EXPECT_EQ(Pixels(EncodePng(2, 1, {PNG_COLOR_TYPE_GRAY, 16}, Bytes{0x80, 0x80, 0xFF, 0xFF})),
            (Bytes{128, 128, 128, 255, 255, 255}));
}

TEST(DecodePngTest, SixteenBitRgbIsRounded) {
  // 0x00FF of 0xFFFF is 0.992 of a level, which rounds to 1; without the low byte it would be 0.
  EXPECT_EQ(
      Pixels(EncodePng(1, 1, {PNG_COLOR_TYPE_RGB, 16}, Bytes{0x00, 0xFF, 0x12, 0x12, 0xFF, 0x00})),
      (Bytes{1, 0x12, 254}));
}

TEST(DecodePngTest, Palette) {
  const Bytes expected = {0, 255, 0, 3, 252, 1, 200, 55, 100};
  EXPECT_EQ(Pixels(EncodePng(3, 1, {PNG_COLOR_TYPE_PALETTE, 8}, Bytes{0, 3, 200})), expected);
  // Transparency in a palette is dropped like any other.
  EXPECT_EQ(Pixels(EncodePng(3, 1, {PNG_COLOR_TYPE_PALETTE, 8}, Bytes{0, 3, 200}, true)), expected);
  EXPECT_EQ(Pixels(EncodePng(2, 1, {PNG_COLOR_TYPE_PALETTE, 4}, Bytes{0x03})),
            (Bytes{0, 255, 0, 3, 252, 1}));
}

TEST(DecodePngTest, EveryTruncationIsAnError) {
  const Bytes file = EncodePng(PatternImage(11, 9));
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(Refusal(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), "")
        << size;
  }
}

TEST(DecodePngTest, DamagedPixelsAreAnError) {
  Bytes file = EncodePng(PatternImage(40, 40));
  file[file.size() / 2] ^= 0x40;  // in the only IDAT; its checksum no longer fits
  EXPECT_NE(Refusal(file).find("damaged PNG"), std::string::npos);
}

// Replaces the size in a PNG's header and corrects the checksum.
Bytes WithPngSize(Bytes file, uint32_t width, uint32_t height) {
  const auto put = [&](size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) file[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  };
  put(16, width);
  put(20, height);
  uint32_t crc = 0xFFFFFFFF;  // of the chunk's type and its 13 bytes
  for (size_t i = 12; i < 12 + 4 + 13; ++i) {
    crc ^= file[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  put(29, ~crc);
  return file;
}

TEST(DecodePngTest, BombsAreRefusedByTheirHeader) {
  const Bytes small = EncodePng(PatternImage(2, 2));
  ASSERT_EQ(WithPngSize(small, 2, 2), small);
  Refusal(WithPngSize(small, 1U << 30, 1U << 30));
  Refusal(WithPngSize(small, 16385, 1));
  Refusal(WithPngSize(small, 1, 16385));
  EXPECT_NE(Refusal(WithPngSize(small, 16000, 16000)).find("limit"), std::string::npos);
  Refusal(WithPngSize(small, 0, 2));
}

TEST(DecodeJpegTest, ColorGrayAndProgressive) {
  const Image image = SoftImage(33, 17);
  EXPECT_LE(LargestDifference(Pixels(EncodeJpeg(image, JpegKind::kColor)), image.rgb), 4);
  EXPECT_LE(LargestDifference(Pixels(EncodeJpeg(image, JpegKind::kProgressive)), image.rgb), 4);
  const Bytes gray = Pixels(EncodeJpeg(image, JpegKind::kGray));
  ASSERT_EQ(gray.size(), image.rgb.size());
  for (size_t i = 0; i < gray.size(); i += 3) {
    EXPECT_EQ(gray[i], gray[i + 1]);
    EXPECT_EQ(gray[i], gray[i + 2]);
  }
}

TEST(DecodeJpegTest, CmykIsRefusedClearly) {
  const std::string message = Refusal(EncodeJpeg(PatternImage(8, 8), JpegKind::kCmyk));
  EXPECT_NE(message.find("CMYK"), std::string::npos) << message;
  EXPECT_NE(message.find("RGB"), std::string::npos) << message;
}

TEST(DecodeJpegTest, EveryTruncationIsAnError) {
  for (const JpegKind kind : {JpegKind::kColor, JpegKind::kProgressive, JpegKind::kGray}) {
    const Bytes file = EncodeJpeg(PatternImage(24, 24), kind);
    // Without the end mark (the last two bytes) all pixels are there, and often without the last
    // byte or two of the data, which fill its last word up.
    for (size_t size = 0; size + 4 < file.size(); ++size) {
      EXPECT_NE(Refusal(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), "")
          << size;
    }
  }
}

TEST(DecodeJpegTest, BombsAreRefusedByTheirHeader) {
  Bytes file = EncodeJpeg(PatternImage(16, 16), JpegKind::kColor);
  const Bytes frame = {0xFF, 0xC0};
  const auto at = std::search(file.begin(), file.end(), frame.begin(), frame.end());
  ASSERT_NE(at, file.end());
  const Bytes size = {0x4E, 0x20, 0x4E, 0x21};  // height and width, below libjpeg's own limit
  std::copy(size.begin(), size.end(), at + 5);
  EXPECT_NE(Refusal(file).find("20001 x 20000"), std::string::npos);
}

TEST(DecodeJpegTest, ManyScansAreRefused) {
  Bytes file = EncodeJpeg(PatternImage(16, 16), JpegKind::kProgressive);
  // The last scan is repeated a thousand times: a few kilobytes would take forever to decode.
  const Bytes start = {0xFF, 0xDA};
  const auto scan = std::find_end(file.begin(), file.end() - 2, start.begin(), start.end());
  ASSERT_NE(scan, file.end() - 2);
  const Bytes last(scan, file.end() - 2);
  file.resize(file.size() - 2);
  for (int i = 0; i < 1000; ++i) file.insert(file.end(), last.begin(), last.end());
  file.insert(file.end(), {0xFF, 0xD9});
  EXPECT_NE(Refusal(file).find("jpeg-scans"), std::string::npos);
}

// Scans are counted before anything is decoded; a caller who needs more can raise the limit.
TEST(DecodeJpegTest, TheLimitOfScansIsExact) {
  const Bytes file = EncodeJpeg(PatternImage(16, 16), JpegKind::kProgressive);
  size_t scans = 0;
  for (size_t i = 0; i + 1 < file.size(); ++i) scans += file[i] == 0xFF && file[i + 1] == 0xDA;
  ASSERT_GT(scans, 2U);
  ImageLimits limits;
  limits.jpeg_scans = scans;
  EXPECT_TRUE(DecodeImage(file, limits).ok());
  limits.jpeg_scans = scans - 1;
  const Status status = DecodeImage(file, limits).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find(std::to_string(scans) + " scans"), std::string::npos)
      << status.message();
  // A thumbnail inside a marker segment has scans of its own, which are never decoded.
  const Bytes thumbnail = {0xFF, 0xE1, 0x00, 0x08, 0xFF, 0xDA, 0xFF, 0xDA, 0xFF, 0xDA};
  Bytes nested = file;
  nested.insert(nested.begin() + 2, thumbnail.begin(), thumbnail.end());
  limits.jpeg_scans = scans;
  EXPECT_TRUE(DecodeImage(nested, limits).ok());
}

TEST(DecodeImageTest, LimitsHoldForEveryFormatAndCanBeRaised) {
  const Image image = PatternImage(20, 10);
  for (const Bytes& file : {EncodePng(image), EncodePpm(image), EncodeJpeg(image, JpegKind::kColor),
                            EncodeBmp(image), EncodeWebp(image)}) {
    ImageLimits limits;
    limits.side = 20;
    limits.pixels = 200;
    EXPECT_TRUE(DecodeImage(file, limits).ok());
    limits.side = 19;
    EXPECT_NE(DecodeImage(file, limits).status().message().find("raise the limit \"side\""),
              std::string::npos);
    limits.side = 20;
    limits.pixels = 199;
    EXPECT_NE(DecodeImage(file, limits).status().message().find("raise the limit \"pixels\""),
              std::string::npos);
  }
}

TEST(DecodePnmTest, ColorAndGray) {
  const Image image = PatternImage(5, 3);
  EXPECT_EQ(Pixels(EncodePpm(image)), image.rgb);
  EXPECT_EQ(Pixels(FromText("P5 2 1 255\n\x01\xFE")), (Bytes{1, 1, 1, 254, 254, 254}));
  EXPECT_EQ(Pixels(FromText("P5\n# a comment 9 9\n2\t# another\n1\r\n255 AB")),
            (Bytes{65, 65, 65, 66, 66, 66}));
  // One white space ends the header, so a second one is the first pixel.
  EXPECT_EQ(Pixels(FromText("P5 1 1 255\n\n")), (Bytes{10, 10, 10}));
}

TEST(DecodePnmTest, RefusesWhatIsNotStrictlyRight) {
  for (const std::string& text : {"P6"s,
                                  "P6 "s,
                                  "P6 2"s,
                                  "P6 2 2"s,
                                  "P6 2 2 255"s,
                                  "P6 2 2 255\n"s,
                                  "P6 1 1 255\nab"s,
                                  "P6 1 1 65535\nabcde"s,
                                  "P6 1 1 65536\nabcdef"s,
                                  "P6 1 1 0\nabc"s,
                                  "P6 -1 1 255\nabc"s,
                                  "P6 +1 1 255\nabc"s,
                                  "P6 1.5 1 255\nabc"s,
                                  "P6 0 1 255\n"s,
                                  "P6 1 0 255\n"s,
                                  "P61 1 255\nabc"s,
                                  "P6 99999999999999999999 1 255\nabc"s,
                                  "P6 4294967297 1 255\nabc"s,
                                  "P6 16385 1 255\nabc"s,
                                  "P6 16384 16384 255\nabc"s,
                                  "P6 1 1 255xabc"s,
                                  "P6 # 1 1 255"s}) {
    EXPECT_NE(Refusal(FromText(text)), "") << text;
  }
}

TEST(DecodeImageTest, TellsByContent) {
  for (const std::string& text :
       {""s, "\0"s, "GIF89a"s, "P0 1 1 255 1 2 3"s, "P7 8 1 x"s, "BM"s, "\xFF\xD8"s, "\x89PNG"s,
        "\x89PNG\r\n\x1A\n"s, "RIFF\0\0\0\0WEBP"s, "<svg/>"s}) {
    EXPECT_NE(Refusal(FromText(text)), "") << text;
  }
}

// Files with a few changed bytes must be decoded or refused. Sanitizers find other errors.
TEST(DecodeImageTest, RandomDamageNeverCrashes) {
  const Image image = PatternImage(19, 14);
  const std::vector<Bytes> files = {
      EncodePng(image),
      EncodePng(19, 14, {PNG_COLOR_TYPE_RGB, 8, true}, image.rgb),
      EncodePng(14, 19, {PNG_COLOR_TYPE_PALETTE, 8}, {image.rgb.data(), 14 * 19}),
      EncodeJpeg(image, JpegKind::kColor),
      EncodeJpeg(image, JpegKind::kProgressive),
      EncodeBmp(image),
      EncodeBmp(image, {.header = 124, .bits = 32}),
      EncodeWebp(image),
      EncodePpm(image)};
  std::mt19937 generator(11);
  const auto draw = [&](size_t count) {
    return std::uniform_int_distribution<size_t>(0, count - 1)(generator);
  };
  for (int round = 0; round < 3000; ++round) {
    Bytes file = files[draw(files.size())];
    for (size_t changes = 1 + draw(4); changes > 0; --changes) {
      file[draw(file.size())] = static_cast<uint8_t>(draw(256));
    }
    const Result<Image> decoded = DecodeImage(file);
    if (decoded.ok()) {
      const Image& result = decoded.value();
      EXPECT_EQ(result.rgb.size(), size_t{result.width} * result.height * 3);
    } else {
      EXPECT_NE(decoded.status().message(), "");
    }
  }
}

}  // namespace
}  // namespace cssrun::tools
