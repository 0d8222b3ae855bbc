// Tests which weights the converter rounds for Winograd's products.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "format/network_file.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/whole_models.h"

namespace cssrun::converter {
namespace {

using testing::Converted;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;
using testing::ModelOf;
using testing::OptionsOf;

// A convolution of each kind, each behind a layer of its own.
Model KindsModel() {
  const Attribute pad = IntsAttribute("pads", {1, 1, 1, 1});
  GraphBuilder b(9);
  const auto relu = [&](ValueId x) { return b.Op("Relu", {x}); };
  ValueId x = relu(b.Conv(b.Image(3, 9, 9), 3, 32, 3, {pad}));              // pixels
  x = relu(b.Conv(x, 32, 32, 3, {pad}));                                    // suits
  x = relu(b.Conv(x, 32, 32, 1, {}));                                       // one tap
  x = relu(b.Conv(x, 32, 16, 3, {IntsAttribute("pads", {0, 0, 0, 0})}));    // suits
  x = relu(b.Conv(x, 16, 32, 3, {pad}));                                    // 16 sources
  x = relu(b.Conv(x, 32, 32, 3, {pad, IntsAttribute("strides", {2, 2})}));  // stride
  x = relu(b.Conv(x, 32, 16, 3, {pad}));                                    // 4 columns
  return ModelOf(b.Finish(b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({5, 256}), b.Weights({5})},
                               {IntAttribute("transB", 1)})));
}

struct Written {
  uint32_t version = 0;
  std::string winograd;  // by node and synapses: 1 or 0
};

Written Convert(const Model& model, uint32_t timesteps, uint32_t silent_steps) {
  ConvertOptions options = OptionsOf(std::nullopt);
  options.code.timesteps = timesteps;
  options.code.beta = 2;
  options.code.silent_steps = silent_steps;
  const Conversion conversion = Converted(model, options);
  const format::Network* network = format::GetNetwork(conversion.bytes.data());
  Written written;
  written.version = network->format_version();
  for (const format::Node* node : *network->nodes()) {
    for (const format::Synapses* s : *node->synapses())
      written.winograd += s->winograd() ? "1" : "0";
  }
  return written;
}

TEST(WinogradTest, WeightsAreRoundedForItWhereAKernelUsesIt) {
  const Model model = KindsModel();
  const std::string nowhere = "00000000";
  for (const uint32_t timesteps : {4U, 5U, 6U, 7U, 8U}) {
    SCOPED_TRACE(timesteps);
    const Written settled = Convert(model, timesteps, timesteps - 1);
    const bool uses = timesteps == 7;
    EXPECT_EQ(settled.winograd, uses ? "01010000" : nowhere);
    EXPECT_EQ(settled.version, uses ? format::kWinogradVersion : format::kImagesVersion);
    EXPECT_EQ(Convert(model, timesteps, 1).winograd, nowhere) << "in a code of events";
  }
}

}  // namespace
}  // namespace cssrun::converter
