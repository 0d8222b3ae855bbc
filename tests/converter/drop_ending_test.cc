// Tests what is dropped at the very end of a network, and what is a part of it.
#include "converter/passes/drop_ending.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::GraphBuilder;
using testing::IntAttribute;
using testing::Operators;

// The operators that remain of a network of five logits that ends in these, one after another.
std::string Ending(const std::vector<std::string>& ops) {
  GraphBuilder b;
  const ValueId mean = b.Op("GlobalAveragePool", {b.Conv(b.Image(3, 4, 4), 3, 4, 3)});
  ValueId x = b.Op("Gemm", {b.Op("Flatten", {mean}), b.Weights({4, 5})});
  for (const std::string& op : ops) {
    std::vector<Attribute> attributes;
    std::vector<ValueId> inputs = {x};
    if (op == "Softmax" || op == "ArgMax") attributes = {IntAttribute("axis", 1)};
    if (op == "Cast") attributes = {IntAttribute("to", 6)};
    if (op == "Unsqueeze") inputs.push_back(b.Ints({2, 3}));
    x = b.Op(op, std::move(inputs), std::move(attributes));
  }
  Graph graph = b.Finish(x);
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  std::string remaining = Operators(graph);
  if (!FindUnsupported(graph).empty()) remaining += " refused";
  const std::string network = "Conv GlobalAveragePool Flatten Gemm";
  EXPECT_EQ(remaining.substr(0, network.size()), network);
  return remaining.substr(network.size());
}

TEST(DropEndingTest, OrderOfTheClasses) {
  for (const char* op : {"Sigmoid", "Softmax", "LogSoftmax", "Tanh", "ArgMax", "Squeeze"}) {
    EXPECT_EQ(Ending({op}), "") << op;
  }
  EXPECT_EQ(Ending({"Softmax", "Log"}), "");
  EXPECT_EQ(Ending({"Softmax", "ArgMax", "Squeeze", "Cast"}), "");
  EXPECT_EQ(Ending({"Unsqueeze", "Sigmoid", "Squeeze"}), "");
}

// Classes below 0 become equal: whoever trained the network so meant it.
TEST(DropEndingTest, AReluStays) {
  EXPECT_EQ(Ending({"Relu"}), " Relu");
  EXPECT_EQ(Ending({"Relu", "Softmax"}), " Relu");
}

TEST(DropEndingTest, WhatChangesTheOrderIsRefused) {
  EXPECT_EQ(Ending({"Cos"}), " Cos refused");
  EXPECT_EQ(Ending({"Cos", "Softmax"}), " Cos refused");
  // Probabilities as integers are zeros.
  EXPECT_EQ(Ending({"Softmax", "Cast"}), " Softmax Cast refused");
  EXPECT_EQ(Ending({"ArgMax", "Sigmoid"}), " ArgMax Sigmoid refused");
}

// Neg is in the Gemm's weights.
TEST(DropEndingTest, WhatIsComputedStays) {
  EXPECT_EQ(Ending({"Neg", "Softmax"}), "");
  EXPECT_EQ(Ending({"Abs", "Softmax"}), " Relu Scale Relu Scale Add");
  EXPECT_EQ(Ending({"Softmax", "Neg"}), " Softmax Scale refused");
}

TEST(DropEndingTest, AMapLosesItsLastDimensions) {
  GraphBuilder b;
  const ValueId mean = b.Op("GlobalAveragePool", {b.Conv(b.Image(3, 4, 4), 3, 5, 3)});
  Graph graph = b.Finish(b.Op("Squeeze", {mean}));
  ASSERT_TRUE(RunPasses(graph).ok());
  EXPECT_EQ(Operators(graph), "Conv GlobalAveragePool Flatten");
  EXPECT_EQ(graph.value(graph.outputs.front().value).shape, (Shape{1, 5}));
}

}  // namespace
}  // namespace cssrun::converter
