// Tests that image files on disk become a network's pixels, and that other files are refused with
// their name.
#include "tools/image_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/encode_images.h"
#include "tools/orientation.h"

namespace cssrun::tools {
namespace {

using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): it is used

InputFormat Format(uint32_t channels, uint32_t height, uint32_t width, uint32_t resize) {
  InputFormat format;
  format.channels = channels;
  format.height = height;
  format.width = width;
  format.resize = resize;
  return format;
}

class ImageIoTest : public testing::Test {
 protected:
  Status StatusOf(const std::string& path) {
    Status status = ReadImage(path).status();
    if (!status.ok()) {
      EXPECT_EQ(status.message().find(path + ": "), 0U) << status.message();
    }
    return status;
  }

  TemporaryFolder folder_;
};

TEST_F(ImageIoTest, TheNameDoesNotMatter) {
  const Image image = PatternImage(5, 4);
  const std::string path = folder_.Write("photo.jpg", EncodePng(image));
  const Result<Image> read = ReadImage(path);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read.value().rgb, image.rgb);
}

TEST_F(ImageIoTest, ALinkToAnImageIsRead) {
  const std::string path = folder_.Write("a.png", EncodePng(PatternImage(5, 4)));
  std::filesystem::create_symlink(path, folder_ / "b.png");
  EXPECT_TRUE(ReadImage(folder_ / "b.png").ok());
}

TEST_F(ImageIoTest, WhatIsNoRegularFileIsRefusedAtOnce) {
  EXPECT_EQ(StatusOf(folder_ / "missing.png").code(), StatusCode::kIo);
  EXPECT_EQ(StatusOf(folder_.path().string()).code(), StatusCode::kIo);
  ASSERT_EQ(mkfifo((folder_ / "pipe.png").c_str(), 0600), 0);
  EXPECT_EQ(StatusOf(folder_ / "pipe.png").code(), StatusCode::kIo);
  EXPECT_EQ(StatusOf("/dev/zero").code(), StatusCode::kIo);
  std::filesystem::create_symlink("loop.png", folder_ / "loop.png");
  EXPECT_EQ(StatusOf(folder_ / "loop.png").code(), StatusCode::kIo);
}

TEST_F(ImageIoTest, UndecodableFiles) {
  EXPECT_EQ(StatusOf(folder_.Write("empty.png", "")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(StatusOf(folder_.Write("text.png", "hello")).code(), StatusCode::kInvalidArgument);
  // The sparse file of 300 MB takes no space on disk; it is refused because of its size, without
  // being read.
  const std::string large = folder_.Write("large.png", "");
  ASSERT_EQ(truncate(large.c_str(), 300 << 20), 0);
  EXPECT_EQ(StatusOf(large).code(), StatusCode::kInvalidArgument);
}

TEST_F(ImageIoTest, AnImageOfTheRightSizeIsNotResampled) {
  const Image image = PatternImage(6, 4);
  const std::string path = folder_.Write("a.png", EncodePng(image));
  std::vector<uint8_t> pixels;
  // An image of the network's size is not resampled even if the network resizes first.
  ASSERT_TRUE(ReadPixels(path, Format(3, 4, 6, 9), pixels).ok());
  EXPECT_EQ(pixels, image.rgb);
}

TEST_F(ImageIoTest, OtherSizesAreResizedAndCropped) {
  const Image image = PatternImage(30, 20);
  const std::string path = folder_.Write("a.png", EncodePng(image));
  std::vector<uint8_t> pixels(7, 1);
  ASSERT_TRUE(ReadPixels(path, Format(3, 8, 8, 10), pixels).ok());
  std::vector<uint8_t> expected;
  ASSERT_TRUE(Preprocess(Format(3, 8, 8, 10), image.rgb, 30, 20, expected).ok());
  EXPECT_EQ(pixels, expected);
}

TEST_F(ImageIoTest, OneChannelIsPilsLuma) {
  const Image image{4, 1, {255, 0, 0, 0, 255, 0, 10, 20, 30, 1, 2, 250}};
  const std::string path = folder_.Write("a.png", EncodePng(image));
  std::vector<uint8_t> pixels;
  ASSERT_TRUE(ReadPixels(path, Format(1, 1, 4, 4), pixels).ok());
  EXPECT_EQ(pixels, (std::vector<uint8_t>{76, 150, 18, 30}));  // Image.convert("L")
}

TEST_F(ImageIoTest, GrayStaysExactInOneChannel) {
  std::vector<uint8_t> levels(256);
  for (size_t i = 0; i < 256; ++i) levels[i] = static_cast<uint8_t>(i);
  const std::string path = folder_.Write("a.png", EncodePng(256, 1, {0, 8}, levels));
  std::vector<uint8_t> pixels;
  ASSERT_TRUE(ReadPixels(path, Format(1, 1, 256, 256), pixels).ok());
  EXPECT_EQ(pixels, levels);
}

TEST_F(ImageIoTest, OtherChannelCountsAreRefused) {
  const std::string path = folder_.Write("a.png", EncodePng(PatternImage(4, 4)));
  std::vector<uint8_t> pixels;
  for (const uint32_t channels : {2U, 4U}) {
    const Status status = ReadPixels(path, Format(channels, 4, 4, 4), pixels);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message().find(path + ": "), 0U) << status.message();
  }
}

TEST_F(ImageIoTest, PhotosAreTurnedWhereTheFormatSaysSo) {
  const Image image = PatternImage(6, 4);
  std::vector<uint8_t> file = EncodePng(image);
  // A chunk with the orientation 6, to be turned clockwise.
  const std::string chunk =
      "\0\0\0\x1A"s
      "eXIf"
      "II*\0\x08\0\0\0\1\0"s
      "\x12\1\3\0\1\0\0\0\6\0\0\0"s
      "\0\0\0\0"s
      "crc."s;
  constexpr std::ptrdiff_t kAfterHeader = 33;
  file.insert(file.begin() + kAfterHeader, chunk.begin(), chunk.end());
  const std::string path = folder_.Write("a.png", file);
  std::vector<uint8_t> pixels;
  InputFormat format = Format(3, 4, 6, 6);
  ASSERT_TRUE(ReadPixels(path, format, pixels).ok());
  EXPECT_EQ(pixels, image.rgb);
  format = Format(3, 6, 4, 6);
  format.exif = true;
  ASSERT_TRUE(ReadPixels(path, format, pixels).ok());
  EXPECT_EQ(pixels, Upright(image, 6).rgb);
  EXPECT_NE(pixels, image.rgb);
}

TEST_F(ImageIoTest, WarningsOfTheDecoderComeOut) {
  std::vector<uint8_t> file = EncodeJpeg(PatternImage(8, 8), JpegKind::kColor);
  std::vector<uint8_t> pixels;
  std::string warning = "old";
  ASSERT_TRUE(
      ReadPixels(folder_.Write("a.jpg", file), Format(3, 8, 8, 8), pixels, {}, &warning).ok());
  EXPECT_EQ(warning, "");
  file.insert(file.end() - 2, 20, 1);
  ASSERT_TRUE(
      ReadPixels(folder_.Write("b.jpg", file), Format(3, 8, 8, 8), pixels, {}, &warning).ok());
  EXPECT_NE(warning, "");
}

TEST_F(ImageIoTest, RefusalsLeaveNoDescriptorOpen) {
  const auto lowest_free = [] {
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
  };
  const int before = lowest_free();
  const std::string path = folder_.Write("text.png", "hello");
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(ReadImage(path).ok());
    EXPECT_FALSE(ReadImage(folder_.path().string()).ok());
  }
  EXPECT_EQ(lowest_free(), before);
}

}  // namespace
}  // namespace cssrun::tools
