// Converts models whose outputs are maps, several, or in another order than channels-first, and
// compares the file's answers with the ANN's, output by output.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/infer_shapes.h"
#include "converter/onnx_reader.h"
#include "converter/passes/passes.h"
#include "cssrun/cssrun.h"
#include "tests/converter/naive_dense.h"
#include "tests/converter/onnx_models.h"

namespace cssrun::converter {
namespace {

using onnx::ModelProto;
using testing::AddInts;
using testing::AddNode;

// The small classifier, whose logits are followed by a map, the map with its channels last, and a
// vector cut out of it, with and without the batch.
ModelProto ManyOutputs() {
  ModelProto model = testing::SmallModel();
  onnx::GraphProto& graph = *model.mutable_graph();
  std::vector<float> weights;
  for (int i = 0; i < 5 * 3; ++i) weights.push_back(static_cast<float>(i % 7 - 3) / 4);
  *graph.add_initializer() = testing::FloatTensor("mask.weight", {5, 3, 1, 1}, weights);
  *graph.add_initializer() = testing::IntTensor("shape", {3}, {1, -1, 5});
  AddNode(model, "Conv", {"relu", "mask.weight"}, "mask");
  AddInts(AddNode(model, "Transpose", {"mask"}, "last"), "perm", {0, 2, 3, 1});
  AddNode(model, "Reshape", {"last", "shape"}, "boxes");
  *graph.add_initializer() = testing::IntTensor("no batch", {2}, {-1, 5});
  AddNode(model, "Reshape", {"last", "no batch"}, "rows");
  for (const char* name : {"mask", "last", "boxes", "rows"}) graph.add_output()->set_name(name);
  return model;
}

ImageSet RandomImages(const InputFormat& input, size_t count) {
  std::mt19937 random(1);
  ImageSet images;
  for (size_t i = 0; i < count; ++i) {
    auto& pixels = images.pixels.emplace_back(size_t{input.channels} * input.height * input.width);
    for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random() % 256);
    images.truth.push_back(-1);
  }
  return images;
}

Result<Conversion> ConvertModel(const std::string& path, const ConvertOptions& given,
                                ImageSet& images) {
  Result<Model> model = LoadModel(path);
  if (!model.ok()) return model.status();
  images = RandomImages(model.value().input, 40);
  ConvertOptions options = given;
  options.mean.assign(model.value().input.channels, 0.5F);
  options.stddev.assign(model.value().input.channels, 0.5F);
  return Convert(model.value(), images, {}, options, [](const char*, size_t, size_t) {});
}

// The values of the ANN as ONNX orders them, before any pass.
std::vector<std::vector<double>> AnnOutputs(const std::string& path,
                                            const std::vector<uint8_t>& pixels) {
  Result<Graph> graph = ReadOnnx(path);
  EXPECT_TRUE(graph.ok());
  const Shape& shape = graph.value().value(graph.value().input).shape;
  InputFormat input;
  input.channels = static_cast<uint32_t>(shape[1]);
  input.mean.assign(input.channels, 0.5F);
  input.stddev.assign(input.channels, 0.5F);
  std::vector<float> image(pixels.size());
  NormalizePixels(pixels, input, image);
  EXPECT_TRUE(InferShapes(graph.value()).ok());
  const auto values = testing::RunNaive(graph.value(), image);
  std::vector<std::vector<double>> outputs;
  for (const GraphOutput& output : graph.value().outputs) {
    outputs.push_back(values[static_cast<size_t>(output.value)]);
  }
  return outputs;
}

TEST(OutputsTest, EveryOutputHasItsShapeOrderAndNumbers) {
  const std::string path = testing::WriteModel("many.onnx", ManyOutputs());
  ImageSet images;
  ConvertOptions options;
  options.code.timesteps = 12;
  const Result<Conversion> converted = ConvertModel(path, options, images);
  ASSERT_TRUE(converted.ok()) << converted.status().message();
  EXPECT_EQ(converted.value().report.answer, AnswerKind::kNumbers);
  EXPECT_LT(converted.value().report.calibration.agreement, 0);
  EXPECT_LT(converted.value().report.calibration.relative_logit_error, 0.05);
  const auto& bytes = converted.value().bytes;
  const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "many");
  ASSERT_TRUE(network.ok()) << network.status().message();
  const std::vector<OutputInfo>& outputs = network.value()->outputs();
  ASSERT_EQ(outputs.size(), 5U);
  EXPECT_EQ(network.value()->answer(), AnswerKind::kNumbers);
  EXPECT_FALSE(network.value()->early_exit_margin().has_value());
  const std::vector<std::string> names = {"logits", "mask", "last", "boxes", "rows"};
  const std::vector<std::vector<uint32_t>> shapes = {{3}, {5, 2, 2}, {2, 2, 5}, {4, 5}, {4, 5}};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(outputs[i].name, names[i]);
    EXPECT_EQ(outputs[i].shape, shapes[i]);
  }
  Session session(network.value());
  Answer answer;
  ASSERT_TRUE(session.Run(images.pixels[0], answer).ok());
  const auto expected = AnnOutputs(path, images.pixels[0]);
  for (size_t i = 0; i < 5; ++i) {
    const std::span<const float> numbers = outputs[i].In(answer.logits);
    ASSERT_EQ(numbers.size(), expected[i].size()) << names[i];
    double error = 0;
    double norm = 0;
    for (size_t k = 0; k < numbers.size(); ++k) {
      error += std::pow(static_cast<double>(numbers[k]) - expected[i][k], 2);
      norm += std::pow(expected[i][k], 2);
    }
    EXPECT_LT(std::sqrt(error / norm), 0.05) << names[i];
  }
}

TEST(OutputsTest, AMapIsNumbers) {
  ModelProto model = testing::SmallModel();
  model.mutable_graph()->mutable_output(0)->set_name("relu");
  ImageSet images;
  const Result<Conversion> converted =
      ConvertModel(testing::WriteModel("map.onnx", model), {}, images);
  ASSERT_TRUE(converted.ok()) << converted.status().message();
  const auto& bytes = converted.value().bytes;
  const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "map");
  ASSERT_TRUE(network.ok()) << network.status().message();
  EXPECT_EQ(network.value()->outputs()[0].shape, (std::vector<uint32_t>{3, 2, 2}));
  EXPECT_EQ(network.value()->logits(), 12U);
}

TEST(OutputsTest, AVectorMayBeNumbersWhereTheUserSaysSo) {
  const std::string path = testing::WriteModel("vector.onnx", testing::SmallModel());
  ImageSet images;
  const Result<Conversion> classes = ConvertModel(path, {}, images);
  ASSERT_TRUE(classes.ok()) << classes.status().message();
  EXPECT_EQ(classes.value().report.answer, AnswerKind::kClasses);
  ConvertOptions options;
  options.answer = AnswerKind::kNumbers;
  const Result<Conversion> numbers = ConvertModel(path, options, images);
  ASSERT_TRUE(numbers.ok()) << numbers.status().message();
  EXPECT_EQ(numbers.value().report.answer, AnswerKind::kNumbers);
}

TEST(OutputsTest, WhatNumbersCannotHaveIsRefused) {
  const std::string path = testing::WriteModel("many.onnx", ManyOutputs());
  ImageSet images;
  const auto message = [&](const ConvertOptions& options) {
    return ConvertModel(path, options, images).status().message();
  };
  ConvertOptions classes;
  classes.answer = AnswerKind::kClasses;
  EXPECT_NE(message(classes).find("5 outputs"), std::string::npos) << message(classes);
  ConvertOptions labels;
  labels.labels = {"a", "b", "c"};
  EXPECT_NE(message(labels).find("labels name classes"), std::string::npos) << message(labels);
  ConvertOptions search;
  search.search = CodeSearch{Goal::kEnergy, 0.99};
  EXPECT_NE(message(search).find("compares classes"), std::string::npos) << message(search);
}

}  // namespace
}  // namespace cssrun::converter
