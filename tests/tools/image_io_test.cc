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

#include "tests/tools/encode_images.h"
#include "tests/tools/temporary_folder.h"
#include "tools/resize.h"

namespace cssrun::tools {
namespace {

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
  EXPECT_EQ(pixels, CropCentre(ResizeShorterSide(image, 10), 8, 8).rgb);
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

// One row of 16384 pixels is a small image, but 256 rows with the same ratio of sides are 3 GB.
TEST_F(ImageIoTest, ALineOfPixelsIsRefusedBeforeItGrows) {
  std::vector<uint8_t> pixels;
  for (const Image& line : {PatternImage(16384, 1), PatternImage(1, 16384)}) {
    const std::string path = folder_.Write("line.png", EncodePng(line));
    for (const uint32_t resize : {256U, 16384U}) {
      const Status status = ReadPixels(path, Format(3, 224, 224, resize), pixels);
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
      EXPECT_EQ(status.message().find(path + ": "), 0U) << status.message();
    }
    EXPECT_TRUE(ReadPixels(path, Format(3, 8, 8, 8), pixels).ok());
  }
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
