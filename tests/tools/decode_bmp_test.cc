// Checks that bitmaps of every header and depth give the right pixels, and others an error.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/encode_images.h"
#include "tools/decode.h"

namespace cssrun::tools {
namespace {

using Bytes = std::vector<uint8_t>;

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

TEST(DecodeBmpTest, RowsFromBelowAndFromAbove) {
  const Image image = PatternImage(5, 3);  // rows of 15 bytes, padded to 16
  EXPECT_EQ(Pixels(EncodeBmp(image)), image.rgb);
  EXPECT_EQ(Pixels(EncodeBmp(image, {.from_top = true})), image.rgb);
}

TEST(DecodeBmpTest, EveryHeader) {
  const Image image = PatternImage(6, 4);
  for (const uint32_t header : {12U, 40U, 52U, 56U, 64U, 108U, 124U}) {
    EXPECT_EQ(Pixels(EncodeBmp(image, {.header = header})), image.rgb) << header;
  }
  for (const uint32_t header : {0U, 11U, 13U, 39U, 4096U, 0xFFFFFFFFU}) {
    Bytes file = EncodeBmp(image);
    for (size_t i = 0; i < 4; ++i) file[14 + i] = static_cast<uint8_t>(header >> (8 * i));
    EXPECT_NE(Refusal(file).find("header"), std::string::npos) << header;
  }
}

TEST(DecodeBmpTest, ThirtyTwoBitsDropTheAlpha) {
  const Image image = PatternImage(3, 2);
  EXPECT_EQ(Pixels(EncodeBmp(image, {.bits = 32})), image.rgb);
}

TEST(DecodeBmpTest, Masks) {
  // One row of two pixels of 16 bits: 5, 6 and 5 bits of red, green and blue.
  const BmpParts parts{.bits = 16, .width = 2, .compression = 3, .masks = {0xF800, 0x07E0, 0x001F}};
  EXPECT_EQ(Pixels(AssembleBmp(parts, Bytes{0x00, 0xF8, 0xFF, 0x07})),
            (Bytes{255, 0, 0, 0, 255, 255}));
  // 32 bits with red and blue exchanged.
  const BmpParts swapped{
      .bits = 32, .width = 1, .compression = 3, .masks = {0xFF, 0xFF00, 0xFF0000}};
  EXPECT_EQ(Pixels(AssembleBmp(swapped, Bytes{1, 2, 3, 4})), (Bytes{1, 2, 3}));
  // Ten bits a colour; the highest eighth of a percent is white.
  const BmpParts ten{
      .bits = 32, .width = 1, .compression = 3, .masks = {0x3FF00000, 0x000FFC00, 0x000003FF}};
  EXPECT_EQ(Pixels(AssembleBmp(ten, Bytes{0xFF, 0x03, 0x08, 0x00})), (Bytes{0, 127, 255}));
  // Without masks, 16 bits are 5, 5 and 5.
  EXPECT_EQ(Pixels(AssembleBmp({.bits = 16, .width = 1}, Bytes{0x1F, 0x7C})), (Bytes{255, 0, 255}));
  const BmpParts torn{.bits = 16, .width = 1, .compression = 3, .masks = {0xF0F0, 0x0F00, 0x000F}};
  EXPECT_NE(Refusal(AssembleBmp(torn, Bytes{0, 0})).find("masks"), std::string::npos);
}

TEST(DecodeBmpTest, Palettes) {
  const Bytes palette = {0, 0, 0, 0, 10, 20, 30, 0, 1, 2, 3, 0, 7, 8, 9, 0};  // blue, green, red, 0
  BmpParts parts{.bits = 8, .width = 4, .colours = 4, .palette = palette};
  const Bytes expected = {30, 20, 10, 3, 2, 1, 9, 8, 7, 0, 0, 0};
  EXPECT_EQ(Pixels(AssembleBmp(parts, Bytes{1, 2, 3, 0})), expected);
  parts.bits = 4;
  EXPECT_EQ(Pixels(AssembleBmp(parts, Bytes{0x12, 0x30})), expected);
  parts.bits = 2;
  EXPECT_EQ(Pixels(AssembleBmp(parts, Bytes{0b01101100})), expected);
  parts.bits = 1;
  EXPECT_EQ(Pixels(AssembleBmp(parts, Bytes{0b01010000})),
            (Bytes{0, 0, 0, 30, 20, 10, 0, 0, 0, 30, 20, 10}));
  // A pixel that names a colour beyond the palette is black.
  parts.bits = 8;
  EXPECT_EQ(Pixels(AssembleBmp(parts, Bytes{200, 4, 3, 255})),
            (Bytes{0, 0, 0, 0, 0, 0, 9, 8, 7, 0, 0, 0}));
}

TEST(DecodeBmpTest, CompressionIsRefusedByName) {
  for (const auto& [compression, name] : {std::pair<uint32_t, const char*>{1, "RLE"},
                                          {2, "RLE"},
                                          {4, "JPEG"},
                                          {5, "PNG"},
                                          {9, "unknown"}}) {
    const std::string message =
        Refusal(AssembleBmp({.bits = 8, .width = 1, .compression = compression}, Bytes{0}));
    EXPECT_NE(message.find(name), std::string::npos) << message;
    EXPECT_NE(message.find("PNG"), std::string::npos) << "no remedy: " << message;
  }
}

TEST(DecodeBmpTest, EveryTruncationIsAnError) {
  const Bytes file = EncodeBmp(PatternImage(6, 4));
  for (size_t size = 0; size < file.size() - 2;
       ++size) {  // without the last row's padding it is whole
    EXPECT_NE(Refusal(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), "")
        << size;
  }
}

TEST(DecodeBmpTest, SizesAreCheckedBeforeAnythingIsAllocated) {
  Bytes file = EncodeBmp(PatternImage(2, 2));
  const auto with = [&](uint32_t width, uint32_t height) {
    for (size_t i = 0; i < 4; ++i) {
      file[18 + i] = static_cast<uint8_t>(width >> (8 * i));
      file[22 + i] = static_cast<uint8_t>(height >> (8 * i));
    }
    return file;
  };
  EXPECT_NE(Refusal(with(9000, 9000)).find("ends too soon"), std::string::npos);
  EXPECT_NE(Refusal(with(16384, 16384)).find("limit"), std::string::npos);
  for (const uint32_t side : {0U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU, 16385U}) {
    Refusal(with(side, 2));
    if (side != 0xFFFFFFFFU) Refusal(with(2, side));
  }
}

}  // namespace
}  // namespace cssrun::tools
