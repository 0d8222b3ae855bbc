#include "tests/converter/graph_builder.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace cssrun::converter::testing {

ValueId GraphBuilder::Image(int64_t channels, int64_t rows, int64_t columns) {
  graph.input = graph.AddValue("image", {1, channels, rows, columns});
  return graph.input;
}

ValueId GraphBuilder::Random(Shape shape, float low, float high) {
  std::uniform_real_distribution<float> distribution(low, high);
  std::vector<float> values(static_cast<size_t>(ElementCount(shape)));
  for (float& v : values) v = distribution(random_);
  return Floats(std::move(shape), std::move(values));
}

ValueId GraphBuilder::Weights(Shape shape) { return Random(std::move(shape), -0.5F, 0.5F); }
ValueId GraphBuilder::Positive(Shape shape) { return Random(std::move(shape), 0.5F, 1.5F); }

ValueId GraphBuilder::Floats(Shape shape, std::vector<float> values) {
  auto tensor = std::make_shared<const Tensor>(Tensor{shape, std::move(values)});
  return graph.AddValue("constant" + std::to_string(graph.values.size()), std::move(shape),
                        std::move(tensor));
}

ValueId GraphBuilder::Ints(std::vector<int64_t> values) {
  Shape shape = {static_cast<int64_t>(values.size())};
  auto tensor = std::make_shared<const Tensor>(Tensor{shape, std::move(values)});
  return graph.AddValue("constant" + std::to_string(graph.values.size()), std::move(shape),
                        std::move(tensor));
}

ValueId GraphBuilder::IntScalar(int64_t value) {
  auto tensor = std::make_shared<const Tensor>(Tensor{{}, std::vector<int64_t>{value}});
  return graph.AddValue("constant" + std::to_string(graph.values.size()), {}, std::move(tensor));
}

ValueId GraphBuilder::ZeroPoint(int64_t value, bool is_signed) {
  Tensor zero{{}, std::vector<int64_t>{value}};
  zero.is_signed = is_signed;
  return graph.AddValue("constant" + std::to_string(graph.values.size()), {},
                        std::make_shared<const Tensor>(std::move(zero)));
}

ValueId GraphBuilder::QuantizePair(ValueId input, float scale, int64_t zero, bool is_signed,
                                   int64_t high) {
  const std::vector<ValueId> grid = {Floats({}, {scale}), ZeroPoint(zero, is_signed)};
  ValueId integers = Op("QuantizeLinear", {input, grid[0], grid[1]});
  if (high >= 0) {
    integers = Op("Clip", {integers, ZeroPoint(0, is_signed), ZeroPoint(high, is_signed)});
  }
  return Op("DequantizeLinear", {integers, grid[0], grid[1]});
}

ValueId GraphBuilder::Op(const std::string& op, std::vector<ValueId> inputs,
                         std::vector<Attribute> attributes) {
  const std::string name = op + std::to_string(graph.nodes.size());
  const ValueId output = graph.AddValue(name + ".out", {});
  graph.nodes.push_back(
      {Op::Named("", op), name, std::move(inputs), {output}, std::move(attributes)});
  return output;
}

ValueId GraphBuilder::Conv(ValueId input, int64_t channels_in, int64_t channels_out, int64_t kernel,
                           std::vector<Attribute> attributes, int64_t groups) {
  const ValueId weights = Weights({channels_out, channels_in / groups, kernel, kernel});
  const ValueId bias = Weights({channels_out});
  if (groups != 1) attributes.push_back(IntAttribute("group", groups));
  return Op("Conv", {input, weights, bias}, std::move(attributes));
}

ValueId GraphBuilder::BatchNorm(ValueId input, int64_t channels) {
  const ValueId scale = Positive({channels});
  const ValueId bias = Weights({channels});
  const ValueId mean = Weights({channels});
  const ValueId variance = Positive({channels});
  return Op("BatchNormalization", {input, scale, bias, mean, variance});
}

Graph GraphBuilder::Finish(ValueId output) {
  graph.outputs = {{graph.value(output).name, output, {}, {}, {}}};
  return graph;
}

Attribute IntsAttribute(std::string name, std::vector<int64_t> values) {
  return {std::move(name), std::move(values)};
}
Attribute IntAttribute(std::string name, int64_t value) { return {std::move(name), value}; }
Attribute FloatAttribute(std::string name, float value) { return {std::move(name), value}; }
Attribute TextAttribute(std::string name, std::string value) {
  return {std::move(name), std::move(value)};
}

std::vector<float> RandomFloats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> distribution(-1.0F, 1.0F);
  std::vector<float> values(count);
  for (float& v : values) v = distribution(random);
  return values;
}

int CountOps(const Graph& graph, const std::string& op) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                        [&](const Node& node) { return node.op.name() == op; }));
}

}  // namespace cssrun::converter::testing
