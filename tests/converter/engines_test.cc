// Converts small networks of operators that become other ones, and compares the answers of both
// engines with the ANN's, as ONNX defines it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "converter/convert.h"
#include "converter/infer_shapes.h"
#include "converter/passes/passes.h"
#include "converter/support.h"
#include "cssrun/cssrun.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"

namespace cssrun::converter {
namespace {

using testing::FloatAttribute;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::kPadOne;

ValueId Leaky(GraphBuilder& b, ValueId x, float slope) {
  return b.Op("LeakyRelu", {x}, {FloatAttribute("alpha", slope)});
}

struct Case {
  const char* name;
  std::function<Graph(GraphBuilder&)> build;
  bool events_alone = false;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"LeakyRelu",
       [](GraphBuilder& b) {
         const ValueId x = Leaky(b, b.Conv(b.Image(3, 12, 12), 3, 24, 3, {kPadOne}), 0.1F);
         const ValueId y = Leaky(b, b.Conv(x, 24, 40, 3, {kPadOne}), -0.25F);
         return b.Finish(b.Op("GlobalAveragePool", {y}));
       }},
      {"PReluAndShortcut",
       [](GraphBuilder& b) {
         const auto prelu = [&](ValueId x) { return b.Op("PRelu", {x, b.Weights({24, 1, 1})}); };
         const ValueId x = prelu(b.Conv(b.Image(3, 12, 12), 3, 24, 3, {kPadOne}));
         const ValueId y = prelu(b.Op("Add", {b.Conv(x, 24, 24, 3, {kPadOne}), x}));
         return b.Finish(b.Conv(y, 24, 10, 3));
       }},
      {"HalfThatNeverFires",
       [](GraphBuilder& b) {
         // What is rectified has no negative half.
         const ValueId x = b.Op("Relu", {b.Conv(b.Image(3, 12, 12), 3, 24, 3, {kPadOne})});
         return b.Finish(b.Conv(Leaky(b, x, 0.3F), 24, 10, 3));
       }},
      {"Decoder",
       [](GraphBuilder& b) {
         const ValueId x = b.Op("Relu", {b.Conv(b.Image(3, 12, 12), 3, 24, 3, {kPadOne})});
         const ValueId low =
             b.Op("Relu", {b.Conv(x, 24, 32, 3, {kPadOne, IntsAttribute("strides", {2, 2})})});
         const ValueId up = b.Op("Upsample", {low, b.Floats({4}, {1, 1, 2, 2})});
         const ValueId joined = b.Op("Concat", {up, x}, {IntAttribute("axis", 1)});
         return b.Finish(b.Conv(joined, 56, 4, 3, {kPadOne}));
       }},
      {"TransposedConvolutions",
       [](GraphBuilder& b) {
         const Attribute twice = IntsAttribute("strides", {2, 2});
         const ValueId x = b.Op("Relu", {b.Conv(b.Image(3, 6, 7), 3, 20, 3, {kPadOne})});
         const ValueId y = b.Op(
             "Relu", {b.Op("ConvTranspose", {x, b.Weights({20, 24, 4, 4})}, {twice, kPadOne})});
         const ValueId z = b.Op("Relu", {b.Op("ConvTranspose", {y, b.Weights({24, 1, 2, 2})},
                                              {twice, IntAttribute("group", 24)})});
         return b.Finish(b.Op("ConvTranspose", {z, b.Weights({24, 3, 2, 2})}, {twice}));
       },
       true},
      {"EndsRepeated",
       [](GraphBuilder& b) {
         const ValueId x = b.Op("Relu", {b.Conv(b.Image(3, 12, 12), 3, 24, 3, {kPadOne})});
         return b.Finish(b.Op("Upsample", {Leaky(b, x, 0.5F), b.Floats({4}, {1, 1, 2, 3})}));
       }},
  };
  return cases;
}

ImageSet RandomImages(const Shape& shape, size_t count) {
  std::mt19937 random(1);
  ImageSet images;
  for (size_t i = 0; i < count; ++i) {
    auto& pixels = images.pixels.emplace_back(static_cast<size_t>(ElementCount(shape)));
    for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random() % 256);
    images.truth.push_back(-1);
  }
  return images;
}

struct CodeCase {
  const char* name;
  CodeSettings code;
  double tolerance;
};

// What each code's rounding leaves of an answer, and a little.
std::vector<CodeCase> Codes() {
  CodeSettings events;
  events.timesteps = 12;
  CodeSettings settled;
  settled.timesteps = 6;
  settled.beta = 2;
  settled.silent_steps = 5;
  settled.threshold = 0.5F;
  CodeSettings wide = settled;
  wide.timesteps = 8;
  wide.silent_steps = 7;
  return {{"events", events, 0.03}, {"settled", settled, 0.06}, {"wide", wide, 0.02}};
}

class EnginesTest : public ::testing::TestWithParam<Case> {};

TEST_P(EnginesTest, AnswerAsTheAnnDoes) {
  GraphBuilder builder(5, 9);
  Graph graph = GetParam().build(builder);
  ASSERT_TRUE(InferShapes(graph).ok());
  const Shape& shape = graph.value(graph.input).shape;
  Model model;
  model.path = GetParam().name;
  model.graph = graph;
  const Status passes = RunPasses(model.graph);
  ASSERT_TRUE(passes.ok()) << passes.message();
  const auto unsupported = FindUnsupported(model.graph);
  ASSERT_TRUE(unsupported.empty()) << FormatUnsupported(unsupported);
  model.input.channels = static_cast<uint32_t>(shape[1]);
  model.input.height = static_cast<uint32_t>(shape[2]);
  model.input.width = static_cast<uint32_t>(shape[3]);
  model.input.resize = std::max(model.input.height, model.input.width);
  model.answer = AnswerKind::kNumbers;
  const ImageSet images = RandomImages(shape, 8);
  ConvertOptions options;
  options.mean.assign(model.input.channels, 0.5F);
  options.stddev.assign(model.input.channels, 0.25F);
  options.amplitudes.rule = AmplitudeRule::kMaximum;
  InputFormat input = model.input;
  input.mean = options.mean;
  input.stddev = options.stddev;
  std::vector<float> image(images.pixels[0].size());
  NormalizePixels(images.pixels[0], input, image);
  const std::vector<double> expected = testing::NaiveAnswer(graph, image);
  for (const CodeCase& c : Codes()) {
    options.code = c.code;
    const Result<Conversion> converted =
        Convert(model, images, {}, options, [](const char*, size_t, size_t) {});
    ASSERT_TRUE(converted.ok()) << converted.status().message();
    // Sources that are spread out take events, of which 16 bits hold too few with 8 steps; the
    // converter measures that.
    const bool measured = !converted.value().report.why_float.empty();
    EXPECT_TRUE(!measured || GetParam().events_alone) << converted.value().report.why_float;
    const auto& bytes = converted.value().bytes;
    for (const EngineKind engine : {EngineKind::kFloat, EngineKind::kInteger}) {
      SCOPED_TRACE(std::string(c.name) + (engine == EngineKind::kFloat ? ", float" : ", integer"));
      const auto network = Network::FromBytes({bytes.data(), bytes.size()}, "small", engine);
      ASSERT_TRUE(network.ok()) << network.status().message();
      EXPECT_EQ(network.value()->engine(), engine) << network.value()->why_float();
      if (measured && engine == EngineKind::kInteger) continue;
      Session session(network.value());
      Answer answer;
      ASSERT_TRUE(session.Run(images.pixels[0], answer).ok());
      ASSERT_EQ(answer.logits.size(), expected.size());
      double error = 0;
      double norm = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        error += std::pow(static_cast<double>(answer.logits[i]) - expected[i], 2);
        norm += std::pow(expected[i], 2);
      }
      EXPECT_LT(std::sqrt(error / norm), c.tolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, EnginesTest, ::testing::ValuesIn(Cases()),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace cssrun::converter
