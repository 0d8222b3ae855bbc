// Builds small graphs with random weights, for the converter's tests.
#ifndef CSSRUN_TESTS_CONVERTER_GRAPH_BUILDER_H_
#define CSSRUN_TESTS_CONVERTER_GRAPH_BUILDER_H_

#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "converter/graph.h"

namespace cssrun::converter {

// Prints an operator in GoogleTest's messages; found by argument-dependent lookup.
inline void PrintTo(OpKind kind, std::ostream* out) {
  *out << (kind == OpKind::kUnknown ? "unknown" : Op(kind).name());
}

}  // namespace cssrun::converter

namespace cssrun::converter::testing {

class GraphBuilder {
 public:
  explicit GraphBuilder(uint32_t seed = 1, int64_t opset = 13) : random_(seed) {
    graph.opset = opset;
  }

  // Adds the image, [1, channels, rows, columns].
  ValueId Image(int64_t channels, int64_t rows, int64_t columns);
  // Adds random constants around zero, or around one (scales and variances, all positive).
  ValueId Weights(Shape shape);
  ValueId Positive(Shape shape);
  ValueId Floats(Shape shape, std::vector<float> values);
  ValueId Ints(std::vector<int64_t> values);
  ValueId IntScalar(int64_t value);
  // Adds a zero point of type int8 or uint8.
  ValueId ZeroPoint(int64_t value, bool is_signed);

  ValueId Op(const std::string& op, std::vector<ValueId> inputs,
             std::vector<Attribute> attributes = {});

  // Adds a Conv with random weights and bias; `kernel` and the following parameters are rows and
  // columns.
  ValueId Conv(ValueId input, int64_t channels_in, int64_t channels_out, int64_t kernel,
               std::vector<Attribute> attributes = {}, int64_t groups = 1);
  ValueId BatchNorm(ValueId input, int64_t channels);

  // Adds QuantizeLinear, a Clip from 0 to `high` unless that is negative, and DequantizeLinear.
  ValueId QuantizePair(ValueId input, float scale, int64_t zero, bool is_signed, int64_t high = -1);

  Graph Finish(ValueId output);

  Graph graph;

 private:
  ValueId Random(Shape shape, float low, float high);

  std::mt19937 random_;
};

// Make attributes with ONNX's types.
Attribute IntsAttribute(std::string name, std::vector<int64_t> values);
Attribute IntAttribute(std::string name, int64_t value);
Attribute FloatAttribute(std::string name, float value);
Attribute TextAttribute(std::string name, std::string value);

inline const Attribute kPadOne = IntsAttribute("pads", {1, 1, 1, 1});

// Returns `count` numbers from -1 to 1, the same ones for the same seed.
std::vector<float> RandomFloats(size_t count, uint32_t seed);

// Counts the nodes that have this operator.
int CountOps(const Graph& graph, const std::string& op);

inline ValueId Relu(GraphBuilder& b, ValueId x) { return b.Op("Relu", {x}); }

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_GRAPH_BUILDER_H_
