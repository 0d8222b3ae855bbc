// Tests what a network file may say of how pictures become images, and that it comes back.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "format/network_file.h"
#include "tests/oracle/random_network.h"

namespace cssrun {
namespace {

using format::NetworkT;

// A network of 4 x 4 pixels and three channels with pictures in its preprocessing.
NetworkT WithPictures() {
  NetworkT network = oracle::ChainNetwork(1, 4, 2.0F, 1);
  network.preprocessing->resize = 0;
  network.preprocessing->pictures = std::make_unique<format::PicturesT>();
  network.preprocessing->pictures->shorter_side = 8;
  return network;
}

Result<format::NetworkFile> Load(const NetworkT& network) {
  const flatbuffers::DetachedBuffer bytes = format::SerializeNetwork(network);
  return format::NetworkFile::FromBytes({bytes.data(), bytes.size()}, "net");
}

struct BadPictures {
  const char* field;  // the message must name this field
  std::function<void(format::PicturesT&)> damage;
};

TEST(PreprocessingTest, EveryBadFieldIsNamed) {
  using format::Resizing;
  const BadPictures bad[] = {
      {"shorter_side", [](auto& p) { p.shorter_side = 3; }},
      {"shorter_side", [](auto& p) { p.shorter_side = 16385; }},
      {"shorter_side",
       [](auto& p) {
         p.resizing = Resizing::ShorterSide;
         p.shorter_side = 0;
       }},
      {"height",
       [](auto& p) {
         p.resizing = Resizing::Fit;
         p.width = 4;
       }},
      {"width",
       [](auto& p) {
         p.resizing = Resizing::Stretch;
         p.height = 8;
         p.width = 16385;
       }},
      {"unknown", [](auto& p) { p.resizing = static_cast<Resizing>(5); }},
      {"unknown", [](auto& p) { p.interpolation = static_cast<format::Interpolation>(5); }},
      {"unknown", [](auto& p) { p.colours = static_cast<format::Colours>(3); }}};
  for (const auto& [field, damage] : bad) {
    NetworkT network = WithPictures();
    ASSERT_TRUE(Load(network).ok());
    damage(*network.preprocessing->pictures);
    const Status status = Load(network).status();
    EXPECT_EQ(status.code(), StatusCode::kBadModel) << field;
    EXPECT_NE(status.message().find("preprocessing: pictures"), std::string::npos);
    EXPECT_NE(status.message().find(field), std::string::npos) << status.message();
  }
}

// A reader that does not know `pictures` finds a resize that it refuses.
TEST(PreprocessingTest, ResizeIsEitherThereOrInPictures) {
  NetworkT network = WithPictures();
  network.preprocessing->resize = 8;
  EXPECT_EQ(Load(network).status().code(), StatusCode::kBadModel);
  network.preprocessing->pictures = nullptr;
  EXPECT_TRUE(Load(network).ok());
  network.preprocessing->resize = 0;
  EXPECT_EQ(Load(network).status().code(), StatusCode::kBadModel);
}

}  // namespace
}  // namespace cssrun
