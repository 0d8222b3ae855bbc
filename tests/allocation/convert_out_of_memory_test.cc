// Lets memory run out at every allocation of a conversion and of decoding an image. The result must
// be an error that says so, without a leak.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "tests/allocation/malloc_hooks.h"
#include "tests/converter/onnx_models.h"
#include "tests/tools/encode_images.h"
#include "tools/decode.h"

namespace cssrun {
namespace {

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

Status ConvertOnce(const std::string& path) {
  Result<converter::Model> model = converter::LoadModel(path);
  if (!model.ok()) return model.status();
  converter::ImageSet images;
  images.pixels.assign(2, std::vector<uint8_t>(32, 200));
  images.truth.assign(2, -1);
  converter::ConvertOptions options;
  options.mean.assign(2, 0.5F);
  options.stddev.assign(2, 0.25F);
  options.threads = 1;
  return converter::Convert(model.value(), images, {}, options, [](const char*, size_t, size_t) {})
      .status();
}

// Catches what the test's own preparations throw as well, because they may run out of memory too.
Status Guarded(const std::string& path) {
  try {
    return ConvertOnce(path);
  } catch (const std::bad_alloc&) {
    return Status::OutOfMemory();
  }
}

TEST(ConvertOutOfMemoryTest, WhereverItRunsOut) {
  if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot fail here";
  setenv("OMP_NUM_THREADS", "1", 1);  // NOLINT(concurrency-mt-unsafe)
  const std::string path =
      converter::testing::WriteModel("small.onnx", converter::testing::SmallModel());
  // Libraries keep their first allocations: caches of kernels, pools of threads.
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Guarded(path).ok());
  const uint64_t before_all = allocations;
  ASSERT_TRUE(Guarded(path).ok());
  const uint64_t whole = allocations - before_all;
  const int64_t before = held;
  uint64_t failures = 0;
  for (uint64_t successes = 0; successes < whole; ++successes) {
    fail_from = successes;
    const StatusCode code = Guarded(path).code();
    fail_from = kNever;
    if (code == StatusCode::kOk) continue;  // oneDNN can do without some of its caches
    ++failures;
    ASSERT_EQ(code, StatusCode::kOutOfMemory) << "after " << successes << " of " << whole;
  }
  EXPECT_GT(failures, 100U);
  ASSERT_TRUE(Guarded(path).ok());
  // Caches of libraries may hold a little more or less than before, but must not grow with each
  // failure.
  EXPECT_LT(held - before, static_cast<int64_t>(failures)) << failures << " failures";
}

TEST(DecodeOutOfMemoryTest, WhereverItRunsOut) {
  if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot fail here";
  const tools::Image image = tools::PatternImage(24, 17);
  // Not WebP: libwebp 1.2.4 itself uses a null pointer if an allocation fails in a lossless image.
  const std::vector<uint8_t> files[] = {tools::EncodePng(image), tools::EncodePpm(image),
                                        tools::EncodeBmp(image),
                                        tools::EncodeJpeg(image, tools::JpegKind::kProgressive),
                                        tools::EncodeJpeg(image, tools::JpegKind::kColor)};
  for (const std::vector<uint8_t>& file : files) {
    SCOPED_TRACE("a file of " + std::to_string(file.size()) + " bytes");
    ASSERT_TRUE(tools::DecodeImage(file).ok());
    const int64_t before = held;
    uint64_t successes = 0;
    for (bool done = false; !done; ++successes) {
      fail_from = successes;
      try {
        done = tools::DecodeImage(file).ok();
      } catch (const std::bad_alloc&) {
        // ReadPixels() turns this exception into a message.
      }
      fail_from = kNever;
      ASSERT_LT(successes, 10000U);
    }
    EXPECT_LE(held - before, 0);
    EXPECT_GT(successes, 1U);
  }
}

// Checks a file of some hundred bytes that announces a text of a gigabyte.
TEST(DecodeAllocationTest, NoRoomIsMadeForLongTexts) {
  if (!CSSRUN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "allocations cannot be counted here";
  tools::Image image;
  image.width = image.height = 4;
  image.rgb.assign(size_t{4} * 4 * 3, 100);
  std::vector<uint8_t> file = tools::EncodePng(image);
  const std::string text = "\x42\x60\x82\x68iTXtsome";
  constexpr std::ptrdiff_t kAfterHeader = 33;
  file.insert(file.begin() + kAfterHeader, text.begin(), text.end());
  largest = 0;
  EXPECT_FALSE(tools::DecodeImage(file).ok());
  EXPECT_LT(largest, 1U << 20);
}

}  // namespace
}  // namespace cssrun
