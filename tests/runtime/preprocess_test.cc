// Tests that pictures become the pixels that PIL and torchvision make of them, because networks
// were trained on such pixels.
#include "cssrun/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

namespace cssrun {
namespace {

using Bytes = std::vector<uint8_t>;

// PatternImage() of tests/tools.
Bytes Pattern(uint32_t width, uint32_t height) {
  Bytes rgb;
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      for (uint32_t c = 0; c < 3; ++c) {
        rgb.push_back(static_cast<uint8_t>(x * 37 + y * 101 + c * 53 + x * y * 7));
      }
    }
  }
  return rgb;
}

Bytes Preprocessed(const InputFormat& format, const Bytes& rgb, uint32_t width, uint32_t height) {
  Bytes pixels = {1, 2, 3};
  const Status status = Preprocess(format, rgb, width, height, pixels);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(pixels.size(), size_t{format.channels} * format.height * format.width);
  return pixels;
}

Bytes FromHex(const std::string& text) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

InputFormat Square(uint32_t side, Resizing resizing, uint32_t resize) {
  InputFormat format;
  format.channels = 3;
  format.height = format.width = side;
  format.resizing = resizing;
  format.resize = resize;
  return format;
}

// preprocess_expected.py made the file, and says what its columns are.
TEST(PreprocessTest, EqualsPilAndTorchvision) {
  std::ifstream file(CSSRUN_SOURCE_DIR "/tests/runtime/preprocess_expected.txt");
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    std::istringstream columns(line);
    InputFormat format;
    uint32_t width = 0;
    uint32_t height = 0;
    int resizing = 0;
    int interpolation = 0;
    int colours = 0;
    int tolerance = 0;
    std::array<int, 3> fill = {};
    std::string hex;
    columns >> width >> height >> format.channels >> format.height >> format.width >> resizing >>
        format.resize >> format.resize_height >> format.resize_width >> interpolation >> colours >>
        fill[0] >> fill[1] >> fill[2] >> tolerance >> hex;
    ASSERT_TRUE(columns) << line;
    format.resizing = static_cast<Resizing>(resizing);
    format.interpolation = static_cast<Interpolation>(interpolation);
    format.colours = static_cast<Colours>(colours);
    for (size_t c = 0; c < 3; ++c) format.fill[c] = static_cast<uint8_t>(fill[c]);
    const Bytes expected = FromHex(hex);
    const Bytes pixels = Preprocessed(format, Pattern(width, height), width, height);
    ASSERT_EQ(pixels.size(), expected.size());
    int largest = 0;
    for (size_t i = 0; i < pixels.size(); ++i) {
      largest = std::max(largest, std::abs(pixels[i] - expected[i]));
    }
    EXPECT_LE(largest, tolerance) << line.substr(0, 60);
  }
  EXPECT_GT(lines, 30);
}

// Computes FNV-1a, to compare images that are too large to embed.
uint64_t Hash(const Bytes& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), uint64_t{0xcbf29ce484222325},
                         [](uint64_t hash, uint8_t b) { return (hash ^ b) * 0x100000001b3; });
}

// Tests Resize(256) and CenterCrop(224) on the size of a photo.
TEST(PreprocessTest, ImageNetPreprocessingEqualsPil) {
  const InputFormat large = Square(224, Resizing::kShorterSide, 256);
  EXPECT_EQ(Hash(Preprocessed(large, Pattern(500, 375), 500, 375)), 0x40811d050a68d46cU);
  const InputFormat small = Square(32, Resizing::kCover, 32);
  EXPECT_EQ(Hash(Preprocessed(small, Pattern(61, 97), 61, 97)), 0x679bd8a97dbc748dU);
}

TEST(PreprocessTest, OneColourStaysOneColour) {
  for (const uint8_t value : {0, 1, 127, 254, 255}) {
    const Bytes rgb(size_t{37} * 23 * 3, value);
    for (const uint32_t side : {1U, 2U, 23U, 29U, 300U}) {
      for (int i = 0; i <= static_cast<int>(Interpolation::kLinear); ++i) {
        InputFormat format = Square(side, Resizing::kShorterSide, side);
        format.interpolation = static_cast<Interpolation>(i);
        EXPECT_EQ(Preprocessed(format, rgb, 37, 23), Bytes(size_t{side} * side * 3, value));
      }
    }
  }
}

// The first column of a row that is cut out; columns differ by their red, 37 x.
TEST(PreprocessTest, TheHalfPixelGoesToTheEvenNeighbour) {
  const auto first_column = [](uint32_t from, uint32_t to) {
    InputFormat format = Square(1, Resizing::kNone, 0);
    format.width = to;
    return Preprocessed(format, Pattern(from, 1), from, 1)[0] / 37;
  };
  EXPECT_EQ(first_column(6, 4), 1);
  EXPECT_EQ(first_column(5, 4), 0);  // 0.5 -> 0
  EXPECT_EQ(first_column(7, 4), 2);  // 1.5 -> 2
  EXPECT_EQ(first_column(6, 1), 2);  // 2.5 -> 2
  EXPECT_EQ(first_column(4, 4), 0);
}

// Files of older versions: one channel is made of three after resizing.
TEST(PreprocessTest, GreyOfOldFilesIsComputedLast) {
  InputFormat format = Square(5, Resizing::kCover, 5);
  const Bytes rgb = Preprocessed(format, Pattern(13, 9), 13, 9);
  format.channels = 1;
  const Bytes grey = Preprocessed(format, Pattern(13, 9), 13, 9);
  for (size_t i = 0; i < grey.size(); ++i) {
    const double luma = 0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2];
    EXPECT_NEAR(grey[i], luma, 0.51);
  }
}

// One row of 16384 pixels is a small picture, but with the same ratio of sides 256 rows are 3 GB.
// Only what is cut out is computed.
TEST(PreprocessTest, ALineOfPixelsDoesNotGrow) {
  const Bytes line(size_t{16384} * 3, 9);
  for (const uint32_t resize : {256U, 16384U}) {
    const InputFormat format = Square(224, Resizing::kShorterSide, resize);
    EXPECT_EQ(Preprocessed(format, line, 16384, 1), Bytes(size_t{224} * 224 * 3, 9));
    EXPECT_EQ(Preprocessed(format, line, 1, 16384), Bytes(size_t{224} * 224 * 3, 9));
  }
  InputFormat fit = Square(4, Resizing::kFit, 0);
  fit.resize_height = fit.resize_width = 4;
  EXPECT_EQ(Preprocessed(fit, line, 16384, 1)[4 * 3 * 2], 9);  // one row is left of it
}

TEST(PreprocessTest, EverySizeIntoEverySize) {
  for (uint32_t width = 1; width <= 9; ++width) {
    for (uint32_t height = 1; height <= 9; height += 2) {
      const Bytes rgb = Pattern(width, height);
      for (int way = 0; way < 5 * 5 * 36; ++way) {
        InputFormat format = Square(1, static_cast<Resizing>(way % 5), 1 + way / 25 % 6);
        format.interpolation = static_cast<Interpolation>(way / 5 % 5);
        format.width = 1 + static_cast<uint32_t>(way) / 150;
        format.height = 1 + static_cast<uint32_t>(way) / 25 % 6;
        format.resize_height = 1 + static_cast<uint32_t>(way) / 7 % 6;
        format.resize_width = 1 + static_cast<uint32_t>(way) / 11 % 6;
        Preprocessed(format, rgb, width, height);
      }
    }
  }
}

TEST(PreprocessTest, RefusesWhatIsNoPicture) {
  const InputFormat format = Square(4, Resizing::kCover, 4);
  Bytes pixels;
  const Bytes rgb(12, 0);
  EXPECT_TRUE(Preprocess(format, rgb, 2, 2, pixels).ok());
  for (const auto& [width, height] : {std::pair{0U, 2U},
                                      {2U, 0U},
                                      {3U, 2U},
                                      {1U, 1U},
                                      {65536U, 1U},
                                      {0xFFFFFFFFU, 0xFFFFFFFFU}}) {
    EXPECT_EQ(Preprocess(format, rgb, width, height, pixels).code(), StatusCode::kInvalidArgument);
  }
  for (const uint32_t channels : {0U, 2U, 4U}) {
    InputFormat other = format;
    other.channels = channels;
    const Status status = Preprocess(other, rgb, 2, 2, pixels);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("channels"), std::string::npos) << status.message();
  }
}

}  // namespace
}  // namespace cssrun
