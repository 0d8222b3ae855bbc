// Tests dilated MaxPools: pools of every d-th row and column, side by side.
#include "converter/passes/split_dilated_pools.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/converter/graph_builder.h"
#include "tests/converter/simplified.h"

namespace cssrun::converter {
namespace {

using testing::CountOps;
using testing::GraphBuilder;
using testing::IntAttribute;
using testing::IntsAttribute;

struct Case {
  std::vector<int64_t> kernel, strides, dilations, pads;
  int64_t ceil_mode;
  int pools;
  bool spread;
};

// Simplified() compares the answers.
TEST(SplitDilatedPoolsTest, EveryOutputIsTheMaximumOfItsWindow) {
  const Case cases[] = {
      {{2, 2}, {1, 1}, {2, 2}, {0, 0, 0, 0}, 0, 4, true},
      {{3, 3}, {2, 2}, {2, 2}, {1, 1, 1, 1}, 0, 1, false},
      {{3, 3}, {1, 1}, {3, 2}, {2, 1, 2, 1}, 0, 6, true},
      {{3, 2}, {2, 3}, {3, 2}, {1, 1, 1, 0}, 0, 6, true},
      {{3, 2}, {4, 1}, {2, 1}, {2, 0, 1, 1}, 0, 1, false},
      {{2, 3}, {4, 2}, {6, 4}, {3, 3, 0, 4}, 1, 6, true},
      {{2, 2}, {1, 9}, {7, 8}, {0, 0, 0, 0}, 0, 4, true},  // fewer outputs than phases
  };
  for (const Case& c : cases) {
    GraphBuilder b;
    const ValueId x = b.Conv(b.Image(2, 11, 10), 2, 3, 1);
    const ValueId y =
        b.Op("MaxPool", {x},
             {IntsAttribute("kernel_shape", c.kernel), IntsAttribute("strides", c.strides),
              IntsAttribute("dilations", c.dilations), IntsAttribute("pads", c.pads),
              IntAttribute("ceil_mode", c.ceil_mode)});
    const Graph graph = testing::Simplified(b.Finish(y));
    SCOPED_TRACE(testing::Operators(graph));
    EXPECT_EQ(CountOps(graph, "MaxPool"), c.pools);
    EXPECT_EQ(CountOps(graph, "Deconvolution"), c.spread ? c.pools : 0);
  }
}

}  // namespace
}  // namespace cssrun::converter
