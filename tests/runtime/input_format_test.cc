// Tests that the format of a network's images goes into a file and comes back.
#include "runtime/network/input_format.h"

#include <gtest/gtest.h>

#include <memory>

#include "cssrun/network.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

InputFormat ThroughAFile(const InputFormat& input) {
  format::NetworkT network = oracle::ChainNetwork(1, 4, 2.0F, 1);
  network.preprocessing = internal::PackInput(input);
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  const auto loaded = Network::FromBytes({bytes.data(), bytes.size()}, "net");
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  return loaded.ok() ? loaded.value()->input() : InputFormat{};
}

void ExpectSame(const InputFormat& a, const InputFormat& b) {
  EXPECT_EQ(a.resize, b.resize);
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.stddev, b.stddev);
  EXPECT_EQ(a.resizing, b.resizing);
  EXPECT_EQ(a.resize_height, b.resize_height);
  EXPECT_EQ(a.resize_width, b.resize_width);
  EXPECT_EQ(a.interpolation, b.interpolation);
  EXPECT_EQ(a.colours, b.colours);
  EXPECT_EQ(a.fill, b.fill);
  EXPECT_EQ(a.exif, b.exif);
}

InputFormat Plain() {
  InputFormat input;
  input.channels = 3;
  input.height = input.width = 4;
  input.resize = 9;
  input.mean = {0.1F, 0.2F, 0.3F};
  input.stddev = {1, 2, 3};
  return input;
}

TEST(InputFormatTest, EverythingComesBack) {
  ExpectSame(ThroughAFile(Plain()), Plain());
  InputFormat rich = Plain();
  rich.resizing = Resizing::kFit;
  rich.resize = 0;
  rich.resize_height = 6;
  rich.resize_width = 7;
  rich.interpolation = Interpolation::kNearest;
  rich.colours = Colours::kBgr;
  rich.fill = {4, 5, 6};
  rich.exif = true;
  ExpectSame(ThroughAFile(rich), rich);
}

// What older readers understand is written as they read it; nothing else is.
TEST(InputFormatTest, OnlyWhatOldReadersUnderstandIsWrittenForThem) {
  const auto plain = internal::PackInput(Plain());
  EXPECT_EQ(plain->resize, 9U);
  EXPECT_EQ(plain->pictures, nullptr);
  for (int field = 0; field < 4; ++field) {
    InputFormat input = Plain();
    if (field == 0) input.resizing = Resizing::kShorterSide;
    if (field == 1) input.interpolation = Interpolation::kArea;
    if (field == 2) input.colours = Colours::kGrey;
    if (field == 3) input.exif = true;
    const auto packed = internal::PackInput(input);
    EXPECT_EQ(packed->resize, 0U) << field;
    ASSERT_NE(packed->pictures, nullptr) << field;
    EXPECT_EQ(packed->pictures->shorter_side, 9U) << field;
  }
}

}  // namespace
}  // namespace cssrun
