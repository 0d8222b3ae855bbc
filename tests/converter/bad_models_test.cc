// Checks models that cannot be converted: one clear message each, exit code 3, and no output file.
#include "tests/converter/bad_models.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "converter/convert.h"
#include "tests/converter/onnx_models.h"
#include "tests/tools/subprocess.h"

namespace cssrun::converter {
namespace {

using testing::BadModel;
using testing::WriteFile;

void ExpectStatus(const Status& status, const std::string& path, const BadModel& model) {
  EXPECT_EQ(status.code(), StatusCode::kBadModel) << status.message();
  EXPECT_EQ(status.message().rfind(path, 0), 0U) << status.message();
  for (const std::string& part : model.parts) {
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "no \"" << part << "\" in: " << status.message();
  }
}

Status ConvertOnNoise(const Model& model) {
  ImageSet images;
  const size_t size = size_t{model.input.channels} * model.input.height * model.input.width;
  for (size_t i = 0; i < 3; ++i) {
    images.pixels.emplace_back(size, static_cast<uint8_t>(100 * i));
    images.truth.push_back(-1);
  }
  ConvertOptions options;
  options.mean.assign(model.input.channels, 0.5F);
  options.stddev.assign(model.input.channels, 0.25F);
  options.threads = 1;
  return Convert(model, images, {}, options, [](const char*, size_t, size_t) {}).status();
}

class BadModelsTest : public ::testing::TestWithParam<BadModel> {};

TEST_P(BadModelsTest, IsRefusedWithItsReason) {
  const std::string path = WriteFile(GetParam().name + ".onnx", GetParam().bytes);
  ExpectStatus(LoadModel(path).status(), path, GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, BadModelsTest, ::testing::ValuesIn(testing::BadModels()),
                         [](const auto& model) { return model.param.name; });

class ModelsBadOnImagesTest : public ::testing::TestWithParam<BadModel> {};

TEST_P(ModelsBadOnImagesTest, IsRefusedWithItsReason) {
  const std::string path = WriteFile(GetParam().name + ".onnx", GetParam().bytes);
  const Result<Model> model = LoadModel(path);
  ASSERT_TRUE(model.ok()) << model.status().message();
  ExpectStatus(ConvertOnNoise(model.value()), path, GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, ModelsBadOnImagesTest,
                         ::testing::ValuesIn(testing::ModelsBadOnImages()),
                         [](const auto& model) { return model.param.name; });

// Shows that the model is sound before it is spoilt; otherwise the list would prove nothing.
TEST(BadModelsTest, TheSoundModelConverts) {
  const std::string path = testing::WriteModel("sound.onnx", testing::SmallModel());
  const Result<Model> model = LoadModel(path);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const Status status = ConvertOnNoise(model.value());
  EXPECT_TRUE(status.ok()) << status.message();
}

// Makes a model that fails only once images, which have one channel here, have run through it.
BadModel GreyAndSilent() {
  onnx::ModelProto model = testing::SmallModel();
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(1)
      ->set_dim_value(1);
  *graph.mutable_initializer(0) =
      testing::FloatTensor("conv.weight", {3, 1, 3, 3}, std::vector<float>(27));
  *graph.mutable_initializer(1) = testing::FloatTensor("conv.bias", {3}, {-1, -1, -1});
  return {"NeverFires", model.SerializeAsString(), {"node Conv1", "zero", "--mean and --std"}};
}

TEST(BadModelsTest, TheProgramLeavesNothingBehind) {
  const std::string program = std::string(CSSRUN_TOOLS_DIR) + "/cssconvert";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << program << " is not built";
  // Most models take two channels, so they are refused before an image is read.
  WriteFile("images/a.pgm", "P5 4 4 255\n0123456789abcdef");
  const std::string images =
      std::filesystem::path(WriteFile("images/b.pgm", "P5 4 4 255\nfedcba9876543210"))
          .parent_path()
          .string();
  std::vector<BadModel> models = testing::BadModels();
  models.push_back(GreyAndSilent());
  for (const BadModel& model : models) {
    SCOPED_TRACE(model.name);
    const std::string path = WriteFile("cli/" + model.name + ".onnx", model.bytes);
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    const std::string net = (folder / "net.fb").string();
    const std::string report = (folder / "report.json").string();
    const tools::Finished finished =
        tools::RunProgram({program, path, "-o", net, "--calibration", images, "--report", report});
    EXPECT_EQ(finished.exit_code, 3) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(finished.err.rfind("cssconvert: ", 0), 0U) << finished.err;
    for (const std::string& part : model.parts) {
      EXPECT_NE(finished.err.find(part), std::string::npos) << finished.err;
    }
    // Nothing but the model itself may be left there, not even a temporary file.
    std::filesystem::remove(path);
    EXPECT_TRUE(std::filesystem::is_empty(folder));
  }
}

}  // namespace
}  // namespace cssrun::converter
