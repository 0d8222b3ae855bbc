// Compares a real 3-bit network image by image: the spiking network computes what the quantized ANN
// computes.
#include <gtest/gtest.h>

#include <string>

#include "converter/convert.h"
#include "tests/end_to_end/shared_data.h"
#include "tools/image_list.h"

namespace cssrun {
namespace {

TEST(QuantizedTest, ThreeBitsAgreeWithTheirAnn) {
  const std::filesystem::path path = Shared() / "models" / "resnet20-q3.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const auto model = converter::LoadModel(path.string());
  ASSERT_TRUE(model.ok()) << model.status().message();
  ASSERT_TRUE(model.value().quantized_code.has_value());
  converter::ConvertOptions options;
  options.code = *model.value().quantized_code;
  EXPECT_EQ(options.code.timesteps, 3U);
  EXPECT_EQ(options.code.beta, 2.0F);
  EXPECT_TRUE(options.code.DirectInput());
  options.mean = {0.485F, 0.456F, 0.406F};
  options.stddev = {0.229F, 0.224F, 0.225F};
  options.labels = tools::FolderNames((Shared() / "cifar10" / "test").string()).value();
  const InputFormat& format = model.value().input;
  const auto calibration =
      LoadFolder((Shared() / "cifar10" / "calibration").string(), options.labels, format);
  const auto test = LoadFolder((Shared() / "cifar10" / "test").string(), options.labels, format);
  const auto conversion = converter::Convert(model.value(), calibration, test, options,
                                             [](const char*, size_t, size_t) {});
  ASSERT_TRUE(conversion.ok()) << conversion.status().message();
  const auto& [bytes, report] = conversion.value();
  EXPECT_GE(report.calibration.agreement, 0.99);
  EXPECT_GE(report.validation->agreement, 0.99);
  EXPECT_NEAR(report.validation->ann_top1, 0.849, 0.002);

  // The integer engine runs it, and decides as the float engine does.
  const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "q3");
  ASSERT_TRUE(network.ok());
  EXPECT_EQ(network.value()->engine(), EngineKind::kInteger) << network.value()->why_float();
  InputFormat normalized = format;
  normalized.mean = options.mean;
  normalized.stddev = options.stddev;
  const auto ann =
      converter::RunAnn(model.value().graph, test, normalized, {}, {}, [](size_t, size_t) {});
  ASSERT_TRUE(ann.ok());
  const auto in_float = converter::CompareWithAnn(
      {bytes.data(), bytes.size()}, test, ann.value(), 0, [](size_t, size_t) {},
      EngineKind::kFloat);
  ASSERT_TRUE(in_float.ok());
  EXPECT_NEAR(in_float.value().agreement, report.validation->agreement, 0.002);
  EXPECT_NEAR(in_float.value().spikes_per_image / report.validation->spikes_per_image, 1, 1e-4);
}

}  // namespace
}  // namespace cssrun
