// Tests how cssconvert deals with pictures: folders with unreadable ones, preprocessing that is
// stored, and the check against a framework's logits.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "converter/ann_run.h"
#include "converter/convert.h"
#include "tests/temporary_folder.h"
#include "tests/tools/subprocess.h"
#include "tools/image_io.h"

namespace cssrun {
namespace {

namespace fs = std::filesystem;

const std::string kDemo = std::string(CSSRUN_SOURCE_DIR) + "/tools/demo";
const std::string kPicture = kDemo + "/test/three/0003.png";

class PicturesTest : public testing::Test {
 protected:
  static tools::Finished Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {std::string(CSSRUN_TOOLS_DIR) + "/cssconvert", kDemo + "/digits.onnx"});
    return tools::RunProgram(arguments);
  }
  tools::Finished Convert(std::vector<std::string> more) {
    more.insert(more.end(), {"-o", folder_ / "net.fb", "--calibration", folder_ / "set"});
    return Run(more);
  }
  // Copies the calibration pictures of one class.
  void CopySet() {
    fs::copy(kDemo + "/calibration/one", folder_.path() / "set", fs::copy_options::recursive);
  }
  size_t Files() {
    const fs::directory_iterator files(folder_.path() / "set");
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  // Writes what the ANN says of the picture as NumPy would, prepared with this mean and deviation.
  std::string Expected(float mean, float stddev) {
    const Result<converter::Model> model = converter::LoadModel(kDemo + "/digits.onnx");
    EXPECT_TRUE(model.ok());
    InputFormat input = model.value().input;
    input.mean.assign(input.channels, mean);
    input.stddev.assign(input.channels, stddev);
    converter::ImageSet images;
    images.pixels.resize(1);
    images.truth = {-1};
    EXPECT_TRUE(tools::ReadPixels(kPicture, input, images.pixels[0]).ok());
    const auto logits =
        converter::RunAnn(model.value().graph, images, input, {}, nullptr, [](size_t, size_t) {});
    EXPECT_TRUE(logits.ok());
    const std::vector<float>& numbers = logits.value()[0];
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, " +
                         std::to_string(numbers.size()) + "), }";
    header.resize(117, ' ');
    header += '\n';
    std::string file("\x93NUMPY\1\0\x76\0", 10);
    file += header;
    file.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
    return folder_.Write("expected.npy", file);
  }

  TemporaryFolder folder_;
};

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(PicturesTest, UnreadableOnesAreCountedAndLeftOut) {
  CopySet();
  const size_t sound = Files();
  ASSERT_GE(sound, 4U);
  for (int i = 0; i < 4; ++i) folder_.Write("set/bad" + std::to_string(i) + ".jpg", "no picture");
  folder_.Write("set/beside.tif", "x");
  const tools::Finished finished = Convert({"--mean", "0.5", "--std", "0.25"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_TRUE(
      Contains(finished.err, "4 of " + std::to_string(sound + 4) + " images cannot be read"))
      << finished.err;
  EXPECT_TRUE(Contains(finished.err, "bad0.jpg: not a JPEG")) << finished.err;
  EXPECT_TRUE(Contains(finished.err, "...")) << finished.err;  // not all four are named
  EXPECT_TRUE(Contains(finished.err, "1 image is left out of the folders")) << finished.err;
  EXPECT_TRUE(Contains(finished.err, std::to_string(sound) + " calibration images"))
      << finished.err;
}

TEST_F(PicturesTest, MoreThanHalfUnreadableIsAnError) {
  CopySet();
  const size_t sound = Files();
  for (size_t i = 0; i <= sound; ++i) folder_.Write("set/bad" + std::to_string(i) + ".jpg", "x");
  const tools::Finished finished = Convert({});
  EXPECT_EQ(finished.exit_code, 4) << finished.err;
  EXPECT_TRUE(Contains(finished.err, "more than half")) << finished.err;
  EXPECT_FALSE(fs::exists(folder_ / "net.fb"));
}

TEST_F(PicturesTest, TheCheckSaysWhetherAndHowPreprocessingDiffers) {
  const std::string expected = Expected(0.5F, 0.5F);
  const tools::Finished same =
      Run({"--check", kPicture, expected, "--mean", "0.5", "--std", "0.5"});
  EXPECT_EQ(same.exit_code, 0) << same.err;
  EXPECT_TRUE(Contains(same.err, "are the framework's")) << same.err;
  const tools::Finished other = Run({"--check", kPicture, expected});
  EXPECT_EQ(other.exit_code, 1) << other.err;
  EXPECT_TRUE(Contains(other.err, "They are the same with --mean 0.5 --std 0.5")) << other.err;
  const tools::Finished none = Run({"--check", kPicture, Expected(-3.0F, 0.1F)});
  EXPECT_EQ(none.exit_code, 1) << none.err;
  EXPECT_TRUE(Contains(none.err, "No other preprocessing that was tried")) << none.err;
}

// Such a model has its mean and deviation inside.
TEST_F(PicturesTest, TheCheckOfAModelThatTakesBytesNamesNoMean) {
  std::ifstream file(kDemo + "/digits.onnx", std::ios::binary);
  std::string model{std::istreambuf_iterator<char>(file), {}};
  // The type of elements follows the name of the input in the file.
  const std::string input = "\x0a\x05image\x12\x17\x0a\x15\x08";
  const size_t type = model.find(input) + input.size();
  ASSERT_LT(type, model.size());
  ASSERT_EQ(model[type], 1);  // float
  model[type] = 2;            // uint8
  const std::string bytes = folder_.Write("bytes.onnx", model);
  const tools::Finished finished =
      tools::RunProgram({std::string(CSSRUN_TOOLS_DIR) + "/cssconvert", bytes, "--check", kPicture,
                         Expected(0.5F, 0.5F)});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_TRUE(Contains(finished.err, "the closest:")) << finished.err;
  for (const char* option : {"--mean", "--std", "--scale"}) {
    EXPECT_FALSE(Contains(finished.err, option)) << finished.err;
  }
}

TEST_F(PicturesTest, ACheckThatFailsEndsTheConversion) {
  CopySet();
  const std::string expected = Expected(0.5F, 0.5F);
  EXPECT_EQ(Convert({"--check", kPicture, expected}).exit_code, 1);
  EXPECT_FALSE(fs::exists(folder_ / "net.fb"));
  EXPECT_EQ(Convert({"--check", kPicture, expected, "--mean", "0.5", "--std", "0.5"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "net.fb"));
}

TEST_F(PicturesTest, ChecksOfWhatIsNoArrayAreRefused) {
  const std::string bad = folder_.Write("bad.npy", "hello");
  const tools::Finished finished = Run({"--check", kPicture, bad});
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_TRUE(Contains(finished.err, "bad.npy: not an array of NumPy")) << finished.err;
  EXPECT_EQ(Run({"--check", kPicture, folder_ / "missing.npy"}).exit_code, 4);
  EXPECT_EQ(Run({"--check", kPicture}).exit_code, 2);
  EXPECT_EQ(Run({"--calibration", folder_ / "set"}).exit_code, 2);
}

TEST_F(PicturesTest, OptionsOfPreprocessingAreStored) {
  CopySet();
  ASSERT_EQ(Convert({"--fit", "--fill", "9", "--interpolation", "area", "--exif", "--scale", "1"})
                .exit_code,
            0);
  const tools::Finished inspected =
      tools::RunProgram({std::string(CSSRUN_TOOLS_DIR) + "/cssinspect", folder_ / "net.fb"});
  EXPECT_TRUE(Contains(inspected.out, "upright by EXIF, ")) << inspected.out;
  EXPECT_TRUE(Contains(inspected.out, "fitted into ")) << inspected.out;
  EXPECT_TRUE(Contains(inspected.out, "(area)")) << inspected.out;
  EXPECT_TRUE(Contains(inspected.out, "std 0.003922")) << inspected.out;
  const tools::Finished refused = Convert({"--fit", "--resize", "40"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(Contains(refused.err, "--fit: --resize says otherwise")) << refused.err;
}

}  // namespace
}  // namespace cssrun
