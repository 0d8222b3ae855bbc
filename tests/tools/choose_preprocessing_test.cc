// Tests what follows from the options of preprocessing, and which of them contradict each other.
#include "tools/choose_preprocessing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace cssrun::tools {
namespace {

InputFormat Model(uint32_t channels, uint32_t height, uint32_t width) {
  InputFormat model;
  model.channels = channels;
  model.height = height;
  model.width = width;
  model.resize = std::max(height, width);
  return model;
}

InputFormat Chosen(const AskedPreprocessing& asked, const InputFormat& model = Model(3, 224, 224)) {
  const Result<InputFormat> chosen = ChoosePreprocessing(asked, model, "--");
  EXPECT_TRUE(chosen.ok()) << chosen.status().message();
  return chosen.ok() ? chosen.value() : InputFormat{};
}

std::string Refusal(const AskedPreprocessing& asked,
                    const InputFormat& model = Model(3, 224, 224)) {
  const Result<InputFormat> chosen = ChoosePreprocessing(asked, model, "--");
  EXPECT_FALSE(chosen.ok());
  EXPECT_EQ(chosen.status().code(), StatusCode::kInvalidArgument);
  return chosen.status().message();
}

TEST(ChoosePreprocessingTest, NothingAskedIsAsBefore) {
  for (const uint32_t channels : {1U, 2U, 3U}) {
    const InputFormat input = Chosen({}, Model(channels, 24, 32));
    EXPECT_EQ(input.resizing, Resizing::kCover);
    EXPECT_EQ(input.resize, 32U);
    EXPECT_EQ(input.colours, Colours::kRgb);
    EXPECT_EQ(input.mean, std::vector<float>(channels, 0));
    EXPECT_EQ(input.stddev, std::vector<float>(channels, 1));
  }
}

// A model of uint8 images has its own numbers.
TEST(ChoosePreprocessingTest, BytesAreTakenAsTheyAre) {
  for (const char* scale : {"", "1"}) {
    const InputFormat input = Chosen({.scale = scale, .takes_bytes = true});
    EXPECT_EQ(input.mean, std::vector<float>(3, 0));
    EXPECT_EQ(input.stddev, std::vector<float>(3, 1.0F / 255));
  }
  const AskedPreprocessing contradictions[] = {{.mean = {0.5F}, .takes_bytes = true},
                                               {.stddev = {0.5F}, .takes_bytes = true},
                                               {.scale = "1/255", .takes_bytes = true},
                                               {.preset = "imagenet", .takes_bytes = true}};
  for (const AskedPreprocessing& asked : contradictions) {
    EXPECT_NE(Refusal(asked).find("takes pixels of 0 to 255 (uint8)"), std::string::npos);
  }
}

// A preset's cut would show the middle of a frame alone, enlarged.
TEST(ChoosePreprocessingTest, WholeFramesAreFittedIn) {
  const InputFormat frames = Model(3, 360, 640);
  for (const char* preset : {"", "imagenet", "keras"}) {
    const InputFormat input = Chosen({.preset = preset, .whole_frames = true}, frames);
    EXPECT_EQ(input.resizing, Resizing::kFit);
    EXPECT_EQ(input.resize_height, 360U);
    EXPECT_EQ(input.resize_width, 640U);
    EXPECT_EQ(input.mean[0] > 0, std::string(preset) != "");
  }
  const InputFormat asked =
      Chosen({.preset = "imagenet", .resize = "400", .whole_frames = true}, frames);
  EXPECT_EQ(asked.resizing, Resizing::kShorterSide);
  EXPECT_EQ(asked.resize, 400U);
}

TEST(ChoosePreprocessingTest, Presets) {
  const InputFormat imagenet = Chosen({.preset = "imagenet"});
  EXPECT_EQ(imagenet.resizing, Resizing::kShorterSide);
  EXPECT_EQ(imagenet.resize, 256U);
  EXPECT_EQ(imagenet.mean, (std::vector<float>{0.485F, 0.456F, 0.406F}));
  EXPECT_EQ(Chosen({.preset = "torchvision"}, Model(3, 299, 299)).resize, 342U);
  const InputFormat mnist = Chosen({.preset = "mnist"}, Model(1, 28, 28));
  EXPECT_EQ(mnist.colours, Colours::kGrey);
  EXPECT_EQ(mnist.stddev, std::vector<float>{0.3081F});
  const InputFormat keras = Chosen({.preset = "keras"});
  EXPECT_EQ(keras.resizing, Resizing::kStretch);
  EXPECT_EQ(keras.resize_width, 224U);
  EXPECT_EQ(keras.mean, std::vector<float>(3, 0.5F));
  const InputFormat caffe = Chosen({.preset = "keras-caffe"});
  EXPECT_EQ(caffe.colours, Colours::kBgr);
  EXPECT_FLOAT_EQ(caffe.mean[0], 103.939F / 255);
  EXPECT_FLOAT_EQ(caffe.stddev[2], 1.0F / 255);
  EXPECT_EQ(Chosen({.preset = "tf"}).interpolation, Interpolation::kLinear);
  EXPECT_EQ(Chosen({.preset = "cifar10"}, Model(3, 32, 32)).resizing, Resizing::kCover);
}

TEST(ChoosePreprocessingTest, OptionsOverridePresets) {
  const InputFormat input = Chosen({.preset = "keras-caffe",
                                    .stddev = {2},
                                    .resize = "230",
                                    .channels = "rgb",
                                    .interpolation = "bicubic"});
  EXPECT_EQ(input.resizing, Resizing::kShorterSide);
  EXPECT_EQ(input.resize, 230U);
  EXPECT_EQ(input.resize_height, 0U);
  EXPECT_EQ(input.colours, Colours::kRgb);
  EXPECT_EQ(input.interpolation, Interpolation::kBicubic);
  EXPECT_FLOAT_EQ(input.mean[1], 116.779F / 255);
  EXPECT_FLOAT_EQ(input.stddev[0], 2.0F / 255);
  // Mean and deviation belong to the preset's scale, and go with it.
  const InputFormat scaled = Chosen({.preset = "imagenet", .scale = "1"});
  EXPECT_EQ(scaled.mean, std::vector<float>(3, 0));
  EXPECT_FLOAT_EQ(scaled.stddev[0], 1.0F / 255);
}

TEST(ChoosePreprocessingTest, Scales) {
  EXPECT_EQ(Chosen({.scale = "1/255"}).stddev, std::vector<float>(3, 1));
  EXPECT_FLOAT_EQ(Chosen({.scale = "1"}).stddev[0], 1.0F / 255);
  const InputFormat half = Chosen({.mean = {1}, .scale = "1/127.5"});
  EXPECT_FLOAT_EQ(half.mean[0], 0.5F);
  EXPECT_FLOAT_EQ(half.stddev[0], 0.5F);
}

TEST(ChoosePreprocessingTest, Sizes) {
  const InputFormat stretched = Chosen({.resize = "256x300", .crop = "224"});
  EXPECT_EQ(stretched.resizing, Resizing::kStretch);
  EXPECT_EQ(stretched.resize_height, 256U);
  EXPECT_EQ(stretched.resize_width, 300U);
  EXPECT_EQ(stretched.resize, 0U);
  const InputFormat fit = Chosen({.fit = "", .fill = "124,116,104"}, Model(3, 24, 32));
  EXPECT_EQ(fit.resizing, Resizing::kFit);
  EXPECT_EQ(fit.resize_height, 24U);
  EXPECT_EQ(fit.resize_width, 32U);
  EXPECT_EQ(fit.fill, (std::array<uint8_t, 3>{124, 116, 104}));
  EXPECT_EQ(Chosen({.fit = "256"}).resize_width, 256U);
  EXPECT_EQ(Chosen({.fit = "", .fill = "9"}).fill, (std::array<uint8_t, 3>{9, 9, 9}));
  EXPECT_EQ(Chosen({.crop = "24x32"}, Model(3, 24, 32)).resizing, Resizing::kNone);
  // The shorter side of a model that is not square.
  EXPECT_EQ(Chosen({.resize = "28"}, Model(3, 24, 32)).resize, 28U);
  // A picture of just that size is resized, too.
  EXPECT_EQ(Chosen({.resize = "256"}).resizing, Resizing::kShorterSide);
}

TEST(ChoosePreprocessingTest, OneChannelIsGreyFirst) {
  EXPECT_EQ(Chosen({.resize = "30"}, Model(1, 28, 28)).colours, Colours::kGrey);
  EXPECT_EQ(Chosen({.channels = "gray"}, Model(1, 28, 28)).colours, Colours::kGrey);
  EXPECT_EQ(Chosen({.channels = "grey"}).colours, Colours::kGrey);
}

TEST(ChoosePreprocessingTest, ContradictionsAreNamed) {
  const struct {
    AskedPreprocessing asked;
    const char* message;
  } cases[] = {
      {{.preset = "coco"}, "--preset coco: there are imagenet"},
      {{.resize = "0"}, "--resize 0: neither N nor HxW"},
      {{.resize = "256x"}, "--resize 256x: neither"},
      {{.resize = "1e3"}, "--resize 1e3: neither"},
      {{.resize = "20000"}, "--resize 20000: neither"},
      {{.resize = "200"}, "--resize 200: the model takes images of 224 x 224"},
      {{.resize = "256x200"}, "--resize 256x200: the model takes images of 224 x 224"},
      {{.fit = "100"}, "--fit 100: the model takes"},
      {{.resize = "256", .fit = ""}, "--fit: --resize says otherwise"},
      {{.crop = "200"}, "--crop 200: the model takes images of 224 x 224, which are cut"},
      {{.crop = "224", .interpolation = "area"}, "--crop alone does not resize"},
      {{.fill = "9"}, "--fill 9: nothing is left to be filled; give --fit"},
      {{.fit = "", .fill = "1,2"}, "--fill 1,2: a level"},
      {{.fit = "", .fill = "256"}, "--fill 256: a level"},
      {{.channels = "cmyk"}, "--channels cmyk: there are rgb, bgr and grey"},
      {{.interpolation = "lanczos"}, "--interpolation lanczos: there are bilinear"},
      {{.scale = "0"}, "--scale 0: a positive number"},
      {{.scale = "1/0"}, "--scale 1/0: a positive number"},
      {{.scale = "x"}, "--scale x: a positive number"},
      {{.mean = {1, 2}}, "--mean: the model takes 3 channels"},
      {{.stddev = {0}}, "--std: the model takes 3 channels, and each deviation is positive"}};
  for (const auto& [asked, message] : cases) {
    EXPECT_EQ(
        Refusal(asked).rfind(message, 0) == 0 || Refusal(asked).find(message) != std::string::npos,
        true)
        << Refusal(asked);
  }
  EXPECT_NE(Refusal({.preset = "imagenet"}, Model(1, 28, 28)).find("three channels"),
            std::string::npos);
  EXPECT_NE(Refusal({.channels = "bgr"}, Model(1, 28, 28)).find("1 channel"), std::string::npos);
}

TEST(ChoosePreprocessingTest, IsDescribed) {
  EXPECT_EQ(DescribePreprocessing(Chosen({.preset = "imagenet"})),
            "rgb, shorter side to 256 (bilinear), centre 224x224, mean 0.485,0.456,0.406, std "
            "0.229,0.224,0.225");
  EXPECT_EQ(DescribePreprocessing(Chosen({.crop = "28", .exif = true}, Model(1, 28, 28))),
            "upright by EXIF, not resized, centre 28x28, mean 0, std 1");
}

}  // namespace
}  // namespace cssrun::tools
