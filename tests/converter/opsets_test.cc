// Reads one network as every opset that we read writes it: over the years, attributes became
// inputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "converter/operators/operator.h"
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

// Adds an operator whose axes are an attribute before opset `since`.
ValueId WithAxes(GraphBuilder& b, const std::string& op, ValueId x, std::vector<int64_t> axes,
                 int64_t since = 13) {
  if (b.graph.opset < since) return b.Op(op, {x}, {IntsAttribute("axes", std::move(axes))});
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
  if (b.graph.opset >= 18) {
    return b.Op("Pad", {x, b.Ints({1, 0, 0, 1}), b.Floats({}, {0}), b.Ints({-2, 3})});
  }
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
  if (b.graph.opset >= 18) {
    attributes.push_back(IntAttribute("num_outputs", 2));
  } else if (attribute) {
    attributes.push_back(IntsAttribute("split", {3, 3}));
  } else {
    inputs.push_back(b.Ints({3, 3}));
  }
  const ValueId first = b.Op("Split", std::move(inputs), std::move(attributes));
  const ValueId second = b.graph.AddValue("second", {});
  b.graph.nodes.back().outputs.push_back(second);
  return b.Op("Add", {first, second});
}

// A network that differs in how each opset writes it.
Graph Network(int64_t opset) {
  GraphBuilder b(1, opset);
  ValueId x = b.BatchNorm(b.Conv(Pad(b, b.Image(3, 9, 8)), 3, 6, 3), 6);
  x = Relu6(b, Slice(b, Dropout(b, x)));
  x = b.Op("MaxPool", {x}, {IntsAttribute("kernel_shape", {2, 2})});
  x = b.Op("Sum", {x, b.Op("Relu", {x})});
  x = b.Op("Relu", {b.Conv(AddHalves(b, x), 3, 4, 3)});
  x = b.Op("AveragePool", {x},
           {IntsAttribute("kernel_shape", {2, 2}), IntsAttribute("pads", {1, 1, 0, 0})});
  x = WithAxes(b, "ReduceMean", x, {2, 3}, 18);
  x = WithAxes(b, "Squeeze", x, {2, 3});
  x = WithAxes(b, "Squeeze", WithAxes(b, "Unsqueeze", x, {2}), {2});
  x = b.Op("Gemm", {x, b.Weights({4, 5}), b.Weights({5})});
  return b.Finish(b.Op("Softmax", {x}));
}

std::vector<double> Logits(const Graph& graph) {
  const std::vector<float> image = testing::RandomFloats(3 * 9 * 8, 5);
  return testing::NaiveAnswer(graph, image);
}

Graph Simplified(int64_t opset) {
  Graph graph = Network(opset);
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(FindUnsupported(graph).empty()) << FormatUnsupported(FindUnsupported(graph));
  return graph;
}

class OpsetsTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(OpsetsTest, AllVariantsMeanTheSame) {
  // As the model is written, without its Softmax.
  Graph before = Network(GetParam());
  before.outputs.front().value = before.nodes.back().inputs[0];
  before.nodes.pop_back();
  ASSERT_TRUE(ReplaceSplits(before).ok());
  ASSERT_TRUE(FoldConstants(before).ok());
  const std::vector<double> expected = Logits(before);
  const std::vector<double> actual = Logits(Simplified(GetParam()));
  const std::vector<double> of_13 = Logits(Simplified(13));
  ASSERT_EQ(actual.size(), 5U);
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-5);
    EXPECT_EQ(actual[i], of_13[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, OpsetsTest, ::testing::Range(kOldestOpset, kNewestOpset + 1));

}  // namespace
}  // namespace cssrun::converter
