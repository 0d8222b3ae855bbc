#include "tests/converter/whole_models.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "converter/passes/passes.h"
#include "tests/converter/graph_builder.h"

namespace cssrun::converter::testing {
namespace {

const Attribute kTransposed = IntAttribute("transB", 1);

}  // namespace

Model ModelOf(Graph graph) {
  Model model;
  model.path = "model.onnx";
  model.graph = std::move(graph);
  EXPECT_TRUE(RunPasses(model.graph).ok());
  const Shape& input = model.graph.value(model.graph.input).shape;
  model.input.channels = static_cast<uint32_t>(input[1]);
  model.input.height = static_cast<uint32_t>(input[2]);
  model.input.width = static_cast<uint32_t>(input[3]);
  model.input.resize = model.input.height;
  model.classes =
      static_cast<size_t>(ElementCount(model.graph.ShapeOf(model.graph.outputs.front())));
  return model;
}

ImageSet Images(const Model& model, size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> pixel(0, 255);
  ImageSet images;
  const size_t side = model.input.height;
  for (size_t i = 0; i < count; ++i) {
    std::vector<uint8_t> pixels(side * side * model.input.channels);
    std::vector<uint8_t> blocks(16 * model.input.channels);
    for (uint8_t& b : blocks) b = static_cast<uint8_t>(pixel(random));
    for (size_t at = 0; at < pixels.size(); ++at) {
      const size_t c = at % model.input.channels;
      const size_t y = at / model.input.channels / side * 4 / side;
      const size_t x = at / model.input.channels % side * 4 / side;
      pixels[at] = blocks[(y * 4 + x) * model.input.channels + c];
    }
    images.pixels.push_back(std::move(pixels));
    images.truth.push_back(-1);
  }
  return images;
}

Graph HiddenLayerBehindMean(int64_t side) {
  GraphBuilder b(4);
  const ValueId x = b.Op("Relu", {b.Conv(b.Image(3, side, side), 3, 8, 3, {kPadOne})});
  const ValueId mean = b.Op("Flatten", {b.Op("GlobalAveragePool", {x})});
  const ValueId hidden =
      b.Op("Relu", {b.Op("Gemm", {mean, b.Weights({16, 8}), b.Weights({16})}, {kTransposed})});
  return b.Finish(b.Op("Gemm", {hidden, b.Weights({5, 16}), b.Weights({5})}, {kTransposed}));
}

ConvertOptions OptionsOf(const std::optional<CodeSearch>& search) {
  ConvertOptions options;
  options.mean = {0.5F, 0.5F, 0.5F};
  options.stddev = {0.3F, 0.3F, 0.3F};
  options.threads = 1;
  options.search = search;
  return options;
}

Conversion Converted(const Model& model, const ConvertOptions& options) {
  Result<Conversion> conversion =
      Convert(model, Images(model, 60, 1), {}, options, [](const char*, size_t, size_t) {});
  EXPECT_TRUE(conversion.ok()) << conversion.status().message();
  return conversion.ok() ? std::move(conversion).value() : Conversion();
}

}  // namespace cssrun::converter::testing
