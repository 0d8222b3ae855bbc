// Tests that the C interface prepares pictures as the C++ one, and refuses what is none.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cssrun/c.h"
#include "cssrun/cssrun.h"
#include "format/network_file.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

std::vector<uint8_t> NetworkBytes(bool exif) {
  format::NetworkT network = oracle::ChainNetwork(1, 4, 2.0F, 1);
  network.preprocessing->resize = 0;
  network.preprocessing->pictures = std::make_unique<format::PicturesT>();
  network.preprocessing->pictures->resizing = format::Resizing::Fit;
  network.preprocessing->pictures->height = network.preprocessing->pictures->width = 5;
  network.preprocessing->pictures->exif = exif;
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  return {bytes.data(), bytes.data() + bytes.size()};
}

TEST(PreprocessInCTest, DoesAsCppDoes) {
  const std::vector<uint8_t> bytes = NetworkBytes(true);
  const auto cpp = Network::FromBytes(bytes, "net");
  ASSERT_TRUE(cpp.ok()) << cpp.status().message();
  cssrun_network* network = nullptr;
  cssrun_status status;
  ASSERT_EQ(
      cssrun_network_from_memory(bytes.data(), bytes.size(), "net", nullptr, &network, &status),
      CSSRUN_OK);
  cssrun_network_info info = {};
  info.struct_size = sizeof info;
  ASSERT_EQ(cssrun_network_get_info(network, &info, &status), CSSRUN_OK);
  EXPECT_EQ(info.exif, 1);
  EXPECT_EQ(info.resize, 0U);

  std::vector<uint8_t> rgb(size_t{9} * 7 * 3);
  for (size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<uint8_t>(i * 37);
  std::vector<uint8_t> expected;
  ASSERT_TRUE(Preprocess(cpp.value()->input(), rgb, 9, 7, expected).ok());
  std::vector<uint8_t> pixels(size_t{info.channels} * info.height * info.width);
  EXPECT_EQ(
      cssrun_network_preprocess(network, rgb.data(), 9, 7, pixels.data(), pixels.size(), &status),
      CSSRUN_OK)
      << status.message;
  EXPECT_EQ(pixels, expected);

  const auto code = [&](const cssrun_network* of, const uint8_t* picture, uint32_t width,
                        uint32_t height, uint8_t* to, size_t count) {
    return cssrun_network_preprocess(of, picture, width, height, to, count, &status);
  };
  EXPECT_EQ(code(nullptr, rgb.data(), 9, 7, pixels.data(), pixels.size()), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(code(network, nullptr, 9, 7, pixels.data(), pixels.size()), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(code(network, rgb.data(), 9, 7, nullptr, pixels.size()), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(code(network, rgb.data(), 0, 7, pixels.data(), pixels.size()), CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(code(network, rgb.data(), 0xFFFFFFFF, 0xFFFFFFFF, pixels.data(), pixels.size()),
            CSSRUN_INVALID_ARGUMENT);
  EXPECT_EQ(code(network, rgb.data(), 9, 7, pixels.data(), pixels.size() - 1),
            CSSRUN_INVALID_ARGUMENT);
  EXPECT_NE(std::string(status.message).find("room for"), std::string::npos) << status.message;
  cssrun_network_free(network);
}

}  // namespace
}  // namespace cssrun
