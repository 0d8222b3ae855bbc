#include "tests/converter/simplified.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "converter/passes/fold_constants.h"
#include "converter/passes/passes.h"
#include "converter/passes/replace_splits.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"
#include "tests/converter/naive_dense.h"

namespace cssrun::converter::testing {
namespace {

// Rewrites round only weights to float once more.
constexpr double kTolerance = 1e-5;

}  // namespace

std::string Operators(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) text.append(text.empty() ? "" : " ").append(node.op.name());
  return text;
}

// Returns the graph after RunPasses(), and checks that it computes the same as before.
Graph Simplified(Graph graph) {
  Graph before = graph;
  before.RemoveDeadNodes();
  EXPECT_TRUE(ReplaceSplits(before).ok());
  const Status folded = FoldConstants(before);
  EXPECT_TRUE(folded.ok()) << folded.message();
  const Status status = RunPasses(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  if (!folded.ok() || !status.ok()) return graph;
  const auto size = static_cast<size_t>(ElementCount(graph.value(graph.input).shape));
  const std::vector<float> image = RandomFloats(size, 3);
  const auto expected = testing::NaiveAnswer(before, image);
  const auto actual = testing::NaiveAnswer(graph, image);
  EXPECT_EQ(actual.size(), expected.size());
  double largest = 1;
  for (const double v : expected) largest = std::max(largest, std::abs(v));
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    EXPECT_NEAR(actual[i], expected[i], kTolerance * largest) << Operators(graph);
  }
  EXPECT_EQ(FindUnsupported(graph).size(), 0U) << FormatUnsupported(FindUnsupported(graph));
  return graph;
}

std::string SimplifiedOperators(const Graph& graph) { return Operators(Simplified(graph)); }

}  // namespace cssrun::converter::testing
