// Reads one network as every opset from 9 to 17 writes it: over the years, attributes became
// inputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/passes/replace_splits.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"

namespace cssrun::converter {
namespace {

using testing::FloatAttribute;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;

// Adds an operator whose axes are an attribute before opset 13.
ValueId WithAxes(GraphBuilder& b, const std::string& op, ValueId x, std::vector<int64_t> axes) {
  if (b.graph.opset < 13) return b.Op(op, {x}, {IntsAttribute("axes", std::move(axes))});
  return b.Op(op, {x, b.Ints(std::move(axes))});
}

ValueId Slice(GraphBuilder& b, ValueId x) {
  if (b.graph.opset < 10) {
    return b.Op(
        "Slice", {x},
        {IntsAttribute("starts", {1}), IntsAttribute("ends", {-1}), IntsAttribute("axes", {2})});
  }
  return b.Op("Slice", {x, b.Ints({1}), b.Ints({-1}), b.Ints({2})});
}

ValueId Pad(GraphBuilder& b, ValueId x) {
  std::vector<int64_t> pads = {0, 0, 1, 0, 0, 0, 0, 1};
  if (b.graph.opset < 11) return b.Op("Pad", {x}, {IntsAttribute("pads", std::move(pads))});
  return b.Op("Pad", {x, b.Ints(std::move(pads)), b.Floats({}, {0})});
}

ValueId Relu6(GraphBuilder& b, ValueId x) {
  if (b.graph.opset < 11) {
    return b.Op("Clip", {x}, {FloatAttribute("min", 0), FloatAttribute("max", 6)});
  }
  return b.Op("Clip", {x, b.Floats({}, {0}), b.Floats({}, {6})});
}

ValueId Dropout(GraphBuilder& b, ValueId x) {
  if (b.graph.opset < 12) return b.Op("Dropout", {x}, {FloatAttribute("ratio", 0.5F)});
  return b.Op("Dropout", {x, b.Floats({}, {0.5F})});
}

// Adds up both halves of the channels.
ValueId AddHalves(GraphBuilder& b, ValueId x) {
  const bool attribute = b.graph.opset < 13;
  std::vector<Attribute> attributes = {IntAttribute("axis", 1)};
  std::vector<ValueId> inputs = {x};
  if (attribute) {
    attributes.push_back(IntsAttribute("split", {3, 3}));
  } else {
    inputs.push_back(b.Ints({3, 3}));
  }
  const ValueId first = b.Op("Split", std::move(inputs), std::move(attributes));
  const ValueId second = b.graph.AddValue("second", {});
  b.graph.nodes.back().outputs.push_back(second);
  return b.Op("Add", {first, second});
}

class OpsetsTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(OpsetsTest, AllVariantsMeanTheSame) {
  GraphBuilder b(1, GetParam());
  ValueId x = b.BatchNorm(b.Conv(Pad(b, b.Image(3, 9, 8)), 3, 6, 3), 6);
  x = Relu6(b, Slice(b, Dropout(b, x)));
  x = b.Op("MaxPool", {x}, {IntsAttribute("kernel_shape", {2, 2})});
  x = b.Op("Relu", {b.Conv(AddHalves(b, x), 3, 4, 3)});
  x = b.Op("AveragePool", {x},
           {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("pads", {1, 1, 0, 0})});
  x = b.Op("ReduceMean", {x}, {IntsAttribute("axes", {2, 3})});
  x = WithAxes(b, "Squeeze", x, {2, 3});
  x = WithAxes(b, "Squeeze", WithAxes(b, "Unsqueeze", x, {2}), {2});
  // Before opset 11 the third input was mandatory.
  std::vector<ValueId> inputs = {x, b.Weights({4, 5})};
  if (GetParam() < 11) inputs.push_back(b.Weights({5}));
  Graph graph = b.Finish(b.Op("Gemm", std::move(inputs)));

  Graph before = graph;
  ASSERT_TRUE(ReplaceSplits(before).ok());
  ASSERT_TRUE(FoldConstants(before).ok());
  const Status status = RunPasses(graph);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
  const std::vector<float> image = testing::RandomFloats(3 * 9 * 8, 5);
  const auto expected =
      testing::RunNaive(before, image)[static_cast<size_t>(before.outputs.front().value)];
  const auto actual =
      testing::RunNaive(graph, image)[static_cast<size_t>(graph.outputs.front().value)];
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, OpsetsTest, ::testing::Range(int64_t{9}, int64_t{18}));

}  // namespace
}  // namespace cssrun::converter
