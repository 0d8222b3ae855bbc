// Tests that resizing gives PIL's own pixels, because networks were trained on images resized by
// it.
#include "tools/resize.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/tools/encode_images.h"

namespace cssrun::tools {
namespace {

// These images were made once with PIL 9.4: PatternImage(from).resize(to, Image.BILINEAR).
struct Golden {
  uint32_t from_width, from_height, to_width, to_height;
  std::vector<uint8_t> rgb;
};

TEST(ResizeTest, EqualsPil) {
  const std::vector<Golden> goldens = {
      {13, 9, 5, 4, {114, 139, 151, 128, 143, 139, 134, 132, 113, 123, 138, 129, 127, 152, 126,
                     139, 131, 134, 124, 121, 103, 139, 143, 132, 145, 138, 133, 148, 137, 113,
                     146, 121, 138, 129, 111, 117, 133, 127, 116, 133, 128, 135, 104, 146, 126,
                     124, 143, 135, 136, 140, 111, 132, 147, 125, 114, 151, 134, 118, 139, 141}},
      {4, 3, 7, 6, {0,   53,  106, 13,  66,  119, 34,  87,  140, 56,  109, 162, 77,  130, 183, 98,
                    151, 204, 111, 164, 217, 25,  78,  131, 39,  92,  145, 61,  114, 167, 84,  137,
                    158, 106, 154, 148, 128, 140, 170, 142, 131, 184, 76,  129, 182, 91,  144, 197,
                    115, 168, 221, 139, 192, 149, 163, 203, 77,  187, 117, 101, 203, 64,  117, 126,
                    179, 168, 143, 173, 185, 169, 163, 211, 163, 184, 141, 157, 197, 71,  183, 113,
                    97,  200, 61,  114, 177, 230, 91,  194, 179, 108, 222, 98,  136, 155, 112, 133,
                    87,  136, 129, 115, 127, 157, 133, 122, 175, 202, 255, 52,  220, 182, 70,  249,
                    65,  99,  151, 76,  129, 52,  105, 158, 81,  134, 187, 99,  152, 205}},
      {10, 3, 4, 5, {37,  90,  143, 120, 173, 195, 152, 113, 94,  52,  93,  146, 80,  128, 158,
                     128, 145, 159, 130, 128, 114, 110, 123, 111, 145, 186, 181, 141, 102, 104,
                     98,  151, 143, 197, 169, 59,  168, 153, 134, 129, 139, 111, 146, 144, 111,
                     145, 158, 146, 183, 131, 103, 121, 164, 115, 178, 139, 90,  110, 151, 204}},
      {6, 11, 6, 2, {123, 150, 145, 146, 112, 148, 115, 151, 117, 155, 94,  140,
                     90,  143, 93,  147, 147, 118, 145, 140, 148, 129, 124, 141,
                     159, 125, 139, 128, 147, 113, 95,  148, 66,  151, 100, 153}},
      {40, 1, 3, 1, {107, 127, 131, 118, 135, 114, 122, 142, 121}}};
  for (const Golden& golden : goldens) {
    const Image image = Resize(PatternImage(golden.from_width, golden.from_height), golden.to_width,
                               golden.to_height);
    EXPECT_EQ(image.width, golden.to_width);
    EXPECT_EQ(image.height, golden.to_height);
    EXPECT_EQ(image.rgb, golden.rgb) << golden.from_width << " x " << golden.from_height;
  }
}

TEST(ResizeTest, SameSizeIsUntouched) {
  const Image image = PatternImage(9, 5);
  EXPECT_EQ(Resize(image, 9, 5).rgb, image.rgb);
}

TEST(ResizeTest, OneColourStaysOneColour) {
  for (const uint8_t value : {0, 1, 127, 254, 255}) {
    const Image image{37, 23, std::vector<uint8_t>(37 * 23 * 3, value)};
    for (const uint32_t side : {1U, 2U, 23U, 29U, 300U}) {
      const Image resized = ResizeShorterSide(image, side);
      EXPECT_EQ(resized.rgb, std::vector<uint8_t>(resized.rgb.size(), value));
    }
  }
}

TEST(ResizeTest, ShorterSideKeepsTheAspect) {
  const Image wide = ResizeShorterSide(PatternImage(50, 37), 25);
  EXPECT_EQ(wide.height, 25U);
  EXPECT_EQ(wide.width, 33U);  // 33.78, truncated as torchvision truncates it
  const Image tall = ResizeShorterSide(PatternImage(37, 50), 25);
  EXPECT_EQ(tall.width, 25U);
  EXPECT_EQ(tall.height, 33U);
  const Image square = ResizeShorterSide(PatternImage(8, 8), 3);
  EXPECT_EQ(square.width, 3U);
  EXPECT_EQ(square.height, 3U);
}

TEST(CropCentreTest, RoundsTheHalfPixelToTheEvenNeighbour) {
  // Columns of a row are distinguished by their red value, 37 x.
  const auto first_column = [](uint32_t from, uint32_t to) {
    return CropCentre(PatternImage(from, 1), to, 1).rgb[0] / 37;
  };
  EXPECT_EQ(first_column(6, 4), 1);
  EXPECT_EQ(first_column(5, 4), 0);  // 0.5 -> 0
  EXPECT_EQ(first_column(7, 4), 2);  // 1.5 -> 2
  EXPECT_EQ(first_column(6, 1), 2);  // 2.5 -> 2
  EXPECT_EQ(first_column(4, 4), 0);
}

TEST(CropCentreTest, CutsRowsAndColumns) {
  const Image image = CropCentre(PatternImage(6, 5), 2, 3);
  ASSERT_EQ(image.rgb.size(), 2U * 3 * 3);
  const Image whole = PatternImage(6, 5);
  for (uint32_t y = 0; y < 3; ++y) {
    for (uint32_t i = 0; i < 6; ++i) {
      EXPECT_EQ(image.rgb[y * 6 + i], whole.rgb[((y + 1) * 6 + 2) * 3 + i]);
    }
  }
}

// Computes FNV-1a, to compare images that are too large to embed.
uint64_t Hash(const std::vector<uint8_t>& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), uint64_t{0xcbf29ce484222325},
                         [](uint64_t hash, uint8_t b) { return (hash ^ b) * 0x100000001b3; });
}

// Tests Resize(256) and CenterCrop(224) on the size of a photo, with PIL's and torchvision's
// arithmetic.
TEST(ResizeTest, ImageNetPreprocessingEqualsPil) {
  const Image large = CropCentre(ResizeShorterSide(PatternImage(500, 375), 256), 224, 224);
  EXPECT_EQ(Hash(large.rgb), 0x40811d050a68d46cU);
  const Image small = CropCentre(ResizeShorterSide(PatternImage(61, 97), 32), 32, 32);
  EXPECT_EQ(Hash(small.rgb), 0x679bd8a97dbc748dU);
}

}  // namespace
}  // namespace cssrun::tools
