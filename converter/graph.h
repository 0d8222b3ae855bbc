// The ANN as the converter sees it: a small graph of our own between ONNX and spikes.
//
// Only the reader (onnx_reader.cc, onnx_tensor.cc) sees ONNX; the passes in passes/ rewrite this
// graph; dense.cc runs it; spiking.cc turns it into neurons. operators/ holds what each of these
// must know of an operator. Nodes are in topological order. Shapes are known for every
// value after InferShapes and include the batch as dimension 0, which is always 1 here.
#ifndef CSSRUN_CONVERTER_GRAPH_H_
#define CSSRUN_CONVERTER_GRAPH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "converter/op.h"

namespace cssrun::converter {

using Shape = std::vector<int64_t>;

// A constant tensor. Integers of every ONNX width become int64, floating-point types float.
struct Tensor {
  Shape shape;
  std::variant<std::vector<float>, std::vector<int64_t>> data;
  bool is_signed = true;  // of ONNX's integer type; that of a zero point gives the quantized type

  bool is_float() const { return std::holds_alternative<std::vector<float>>(data); }
  const std::vector<float>& floats() const { return std::get<std::vector<float>>(data); }
  const std::vector<int64_t>& ints() const { return std::get<std::vector<int64_t>>(data); }
};

// One tensor that flows along an edge. Weights are shared, never copied, between graph, dense
// network and spiking network.
struct Value {
  std::string name;
  Shape shape;                             // empty until InferShapes (or a scalar constant)
  std::shared_ptr<const Tensor> constant;  // null for activations
};

using AttributeValue = std::variant<int64_t, float, std::string, std::vector<int64_t>,
                                    std::vector<float>, std::shared_ptr<const Tensor>>;

struct Attribute {
  std::string name;
  AttributeValue value;
};

using ValueId = int32_t;
constexpr ValueId kNoValue = -1;  // an optional input that was left out

struct Node {
  Op op;
  std::string name;  // ONNX's, or derived from the output's name; for messages
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<Attribute> attributes;

  const AttributeValue* Find(const std::string& attribute) const;
  int64_t Int(const std::string& attribute, int64_t fallback) const;
  float Float(const std::string& attribute, float fallback) const;
  std::string String(const std::string& attribute, const std::string& fallback) const;
  std::vector<int64_t> Ints(const std::string& attribute, std::vector<int64_t> fallback) const;
};

// What the model answers: logits, [1, classes], or anything else.
struct GraphOutput {
  std::string name;
  ValueId value = kNoValue;
  // Only where the output is `value` in another shape or order: its shape, and by element of the
  // output the element of `value`; no order: the same.
  Shape shape;
  std::vector<int64_t> order;
  // The operator at the end that was left out because it does not change the order of classes;
  // empty: none.
  std::string dropped;
};

struct Graph {
  std::vector<Value> values;
  std::vector<Node> nodes;
  ValueId input = kNoValue;  // the image, [1, channels, height, width]
  bool has_own_size = true;  // the file says how high and wide its images are
  bool takes_bytes = false;  // the image has whole numbers from 0 to 255
  std::vector<GraphOutput> outputs;
  int64_t opset = 0;
  // What the model does to its image first: scale * pixel + shift, one number per channel. Empty:
  // nothing (FoldImage(), which makes this a part of the pixels' normalization).
  std::vector<double> image_scale;
  std::vector<double> image_shift;
  // What is added then and differs from pixel to pixel: a mean image, [channels, rows, columns].
  // Null but between FoldImage() and AddMaps().
  std::shared_ptr<const Tensor> image_map;

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  // Returns null when the input is absent or not constant.
  const Tensor* ConstantInput(const Node& node, size_t index) const;
  ValueId AddValue(std::string name, Shape shape, std::shared_ptr<const Tensor> constant = nullptr);
  const Shape& ShapeOf(const GraphOutput& output) const {
    return output.shape.empty() ? value(output.value).shape : output.shape;
  }
  // Counts how many node inputs and outputs of the graph read each value, by ValueId.
  std::vector<int> CountUses() const;
  // Removes nodes whose outputs nobody reads, and releases constants that nobody reads.
  void RemoveDeadNodes();
};

int64_t ElementCount(const Shape& shape);
std::string ToString(const Shape& shape);  // "[1, 3, 32, 32]"

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_GRAPH_H_
