// Tests that activations of several nodes are reported as one, by their names.
#include "converter/gates.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "converter/passes/passes.h"
#include "converter/support.h"
#include "tests/converter/graph_builder.h"

namespace cssrun::converter {
namespace {

using testing::FloatAttribute;
using testing::GraphBuilder;
using testing::IntAttribute;

class GatesTest : public ::testing::Test {
 protected:
  ValueId Map() { return b_.Conv(b_.Image(3, 6, 6), 3, 4, 3); }
  ValueId Number(float number) { return b_.Floats({}, {number}); }

  // Expects one line about the network that goes on behind `x`.
  void ExpectOnly(ValueId x, const std::string& op) {
    const ValueId logits = b_.Op("GlobalAveragePool", {b_.Op("Relu", {b_.Conv(x, 4, 4, 1)})});
    Graph graph = b_.Finish(b_.Op("Gemm", {b_.Op("Flatten", {logits}), b_.Weights({4, 5})}));
    const Status status = RunPasses(graph);
    ASSERT_TRUE(status.ok()) << status.message();
    const std::vector<UnsupportedNode> nodes = FindUnsupported(graph);
    ASSERT_EQ(nodes.size(), 1U) << FormatUnsupported(nodes);
    EXPECT_EQ(nodes[0].op, op);
    EXPECT_FALSE(nodes[0].remedy.empty());
  }

  GraphBuilder b_;
};

TEST_F(GatesTest, Silu) {
  const ValueId x = Map();
  ExpectOnly(b_.Op("Mul", {x, b_.Op("Sigmoid", {x})}), "SiLU");
}

TEST_F(GatesTest, SiluTheOtherWayRound) {
  const ValueId x = Map();
  ExpectOnly(b_.Op("Mul", {b_.Op("Sigmoid", {x}), x}), "SiLU");
}

TEST_F(GatesTest, HardSwishByHardSigmoid) {
  const ValueId x = Map();
  ExpectOnly(b_.Op("Mul", {x, b_.Op("HardSigmoid", {x}, {FloatAttribute("alpha", 1.0F / 6)})}),
             "HardSwish");
}

TEST_F(GatesTest, HardSwishByClip) {
  const ValueId x = Map();
  const ValueId shifted = b_.Op("Add", {x, Number(3)});
  const ValueId gate = b_.Op("Clip", {shifted, Number(0), Number(6)});
  ExpectOnly(b_.Op("Div", {b_.Op("Mul", {x, gate}), Number(6)}), "HardSwish");
}

TEST_F(GatesTest, Gelu) {
  const ValueId x = Map();
  const ValueId erf = b_.Op("Erf", {b_.Op("Div", {x, Number(1.4142F)})});
  const ValueId product = b_.Op("Mul", {x, b_.Op("Add", {erf, Number(1)})});
  ExpectOnly(b_.Op("Mul", {product, Number(0.5F)}), "GELU");
}

TEST_F(GatesTest, GeluThatHalvesFirst) {
  const ValueId x = Map();
  const ValueId erf = b_.Op("Erf", {b_.Op("Mul", {x, Number(0.7071F)})});
  const ValueId half = b_.Op("Mul", {x, Number(0.5F)});
  ExpectOnly(b_.Op("Mul", {half, b_.Op("Add", {erf, Number(1)})}), "GELU");
}

TEST_F(GatesTest, GeluByTanh) {
  const ValueId x = Map();
  const ValueId cube = b_.Op("Mul", {b_.Op("Pow", {x, Number(3)}), Number(0.0447F)});
  const ValueId sum = b_.Op("Mul", {b_.Op("Add", {x, cube}), Number(0.798F)});
  const ValueId gate = b_.Op("Add", {b_.Op("Tanh", {sum}), Number(1)});
  ExpectOnly(b_.Op("Mul", {b_.Op("Mul", {x, gate}), Number(0.5F)}), "GELU");
}

TEST_F(GatesTest, Mish) {
  const ValueId x = Map();
  ExpectOnly(b_.Op("Mul", {x, b_.Op("Tanh", {b_.Op("Softplus", {x})})}), "Mish");
}

TEST_F(GatesTest, SqueezeAndExcitation) {
  const ValueId x = Map();
  const ValueId mean = b_.Op("GlobalAveragePool", {x});
  const ValueId hidden = b_.Op("Relu", {b_.Conv(mean, 4, 2, 1)});
  const ValueId gate = b_.Op("Sigmoid", {b_.Conv(hidden, 2, 4, 1)});
  ExpectOnly(b_.Op("Mul", {x, gate}), "squeeze-and-excitation");
}

TEST_F(GatesTest, FunctionsOfTheirOwnAreNamedThemselves) {
  ExpectOnly(b_.Op("Sigmoid", {Map()}), "Sigmoid");
}

// Only a Mul: its factors have nothing to do with each other.
TEST_F(GatesTest, OtherProducts) {
  const ValueId x = Map();
  ExpectOnly(b_.Op("Mul", {b_.Conv(x, 4, 4, 1), b_.Conv(x, 4, 4, 1)}), "Mul");
}

// What stands behind the cause is not named, however much of it there is.
TEST_F(GatesTest, NothingFollows) {
  ValueId x = b_.Op("Resize", {Map()});
  x = b_.Op("Reshape", {x, b_.Ints({0, 4, -1})});
  x = b_.BatchNorm(b_.Op("Mul", {x, b_.Weights({1, 4, 1})}), 4);
  ExpectOnly(b_.Op("Sub", {x, b_.Op("Identity", {x})}), "Resize");
}

}  // namespace
}  // namespace cssrun::converter
