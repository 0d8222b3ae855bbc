#include "converter/infer_shapes.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

#include "converter/operator_attributes.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

using Inferred = Result<std::optional<Shape>>;

Inferred Unknown() { return std::optional<Shape>(); }
Inferred Known(Shape shape) { return std::optional<Shape>(std::move(shape)); }

// Everything below is called with the shape of input 0.
Inferred SameShape(const Graph&, const Node&, const Shape& input) { return Known(input); }

Inferred InferConv(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> weights = InputShape(graph, node, 1);
  if (input.size() != 4 || !weights.has_value()) return Unknown();
  Result<Window> window = WindowOf(graph, node, input);
  if (!window.ok()) return window.status();
  const int64_t groups = node.Int("group", 1);
  if (weights->size() != 4 || groups < 1 || (*weights)[0] < 1 || (*weights)[0] % groups != 0 ||
      input[1] % groups != 0 || (*weights)[1] != input[1] / groups) {
    return NodeError(node, "weights " + ToString(*weights) + " in " + std::to_string(groups) +
                               " groups do not fit its input " + ToString(input) +
                               "; export the model again");
  }
  const std::optional<Shape> bias = InputShape(graph, node, 2);
  if (bias.has_value() && *bias != Shape{(*weights)[0]}) {
    return NodeError(node, "bias " + ToString(*bias) + " does not fit its weights " +
                               ToString(*weights) + "; export the model again");
  }
  return Known({input[0], (*weights)[0], window.value().positions[0], window.value().positions[1]});
}

Inferred InferPool(const Graph& graph, const Node& node, const Shape& input) {
  if (input.size() != 4) return Unknown();
  Result<Window> window = WindowOf(graph, node, input);
  if (!window.ok()) return window.status();
  return Known({input[0], input[1], window.value().positions[0], window.value().positions[1]});
}

Inferred InferGlobalPool(const Graph&, const Node&, const Shape& input) {
  if (input.size() != 4) return Unknown();
  return Known({input[0], input[1], 1, 1});
}

Inferred InferGemm(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> weights = InputShape(graph, node, 1);
  if (!weights.has_value()) return Unknown();
  if (input.size() != 2 || weights->size() != 2) {
    return NodeError(node, "it multiplies " + ToString(input) + " and " + ToString(*weights) +
                               ", which are not matrices; flatten the input first");
  }
  const bool transposed_a = node.Int("transA", 0) != 0;
  const bool transposed_b = node.Int("transB", 0) != 0;
  const int64_t inner_a = transposed_a ? input[0] : input[1];
  const int64_t inner_b = transposed_b ? (*weights)[1] : (*weights)[0];
  if (inner_a != inner_b) {
    return NodeError(node, "it cannot multiply " + ToString(input) + " and " + ToString(*weights) +
                               "; check the image size that the model was exported with");
  }
  Shape output = {transposed_a ? input[1] : input[0], transposed_b ? (*weights)[0] : (*weights)[1]};
  const std::optional<Shape> bias = InputShape(graph, node, 2);
  if (bias.has_value() && Broadcast(*bias, output) != output) {
    return NodeError(node, "bias " + ToString(*bias) + " does not fit its output " +
                               ToString(output) + "; export the model again");
  }
  return Known(std::move(output));
}

Inferred InferMatMul(const Graph& graph, const Node& node, const Shape& a) {
  const std::optional<Shape> b = InputShape(graph, node, 1);
  if (!b.has_value() || a.size() < 2 || b->size() < 2) return Unknown();
  const Shape batch_a(a.begin(), a.end() - 2);
  const Shape batch_b(b->begin(), b->end() - 2);
  std::optional<Shape> output = Broadcast(batch_a, batch_b);
  if (!output.has_value() || a.back() != (*b)[b->size() - 2]) {
    return NodeError(node, "it cannot multiply " + ToString(a) + " and " + ToString(*b) +
                               "; check the image size that the model was exported with");
  }
  output->push_back(a[a.size() - 2]);
  output->push_back(b->back());
  return output;
}

Inferred InferBroadcast(const Graph& graph, const Node& node, const Shape& a) {
  const std::optional<Shape> b = InputShape(graph, node, 1);
  if (!b.has_value()) return Unknown();
  std::optional<Shape> output = Broadcast(a, *b);
  if (!output.has_value()) {
    return NodeError(node,
                     "the shapes " + ToString(a) + " and " + ToString(*b) +
                         " do not fit; check the image size that the model was exported with");
  }
  return output;
}

Inferred InferFlatten(const Graph&, const Node& node, const Shape& input) {
  const auto rank = static_cast<int64_t>(input.size());
  int64_t axis = node.Int("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) {
    return NodeError(node, "axis " + std::to_string(axis) + " is outside of its input " +
                               ToString(input) + "; export the model again");
  }
  const Shape before(input.begin(), input.begin() + axis);
  const Shape after(input.begin() + axis, input.end());
  return Known({ElementCount(before), ElementCount(after)});
}

Inferred InferReshape(const Graph& graph, const Node& node, const Shape& input) {
  const std::vector<int64_t>* wanted = ConstantInts(graph, node, 1);
  if (wanted == nullptr) return Unknown();
  Shape output = *wanted;
  const bool keeps_zero = node.Int("allowzero", 0) != 0;
  int64_t known = 1;
  size_t open = output.size();  // the -1
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i] == 0 && !keeps_zero && i < input.size()) output[i] = input[i];
    if (output[i] == -1 && open == output.size()) {
      open = i;
    } else if (output[i] < 0 || __builtin_mul_overflow(known, output[i], &known)) {
      known = -1;
      break;
    }
  }
  const int64_t elements = ElementCount(input);
  if (known > 0 && open < output.size() && elements % known == 0) {
    output[open] = elements / known;
    known = elements;
  }
  if (known == elements &&
      std::all_of(output.begin(), output.end(), [](auto d) { return d >= 0; })) {
    return Known(std::move(output));
  }
  // With a batch of one, an exporter's fixed batch size in the shape is the usual cause.
  return NodeError(node, "its input " + ToString(input) + " cannot take the shape " +
                             ToString(*wanted) +
                             "; export with batch size 1 or a dynamic batch, and this image size");
}

Inferred InferSqueeze(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<std::vector<int64_t>> given = AxesOf(graph, node);
  if (!given.has_value()) return Unknown();
  Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, input.size());
  if (!axes.ok()) return axes.status();
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool listed =
        std::find(axes.value().begin(), axes.value().end(), i) != axes.value().end();
    if (listed && input[i] != 1) {
      return NodeError(node, "axis " + std::to_string(i) + " of its input " + ToString(input) +
                                 " is not 1; export the model again");
    }
    if (given->empty() ? input[i] != 1 : !listed) output.push_back(input[i]);
  }
  return Known(std::move(output));
}

Inferred InferUnsqueeze(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<std::vector<int64_t>> given = AxesOf(graph, node);
  if (!given.has_value()) return Unknown();
  const size_t rank = input.size() + given->size();
  Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, rank);
  if (!axes.ok()) return axes.status();
  Shape output;
  for (size_t i = 0, next = 0; i < rank; ++i) {
    const bool listed =
        std::find(axes.value().begin(), axes.value().end(), i) != axes.value().end();
    output.push_back(listed ? 1 : input[next++]);
  }
  return Known(std::move(output));
}

Inferred InferSlice(const Graph& graph, const Node& node, const Shape&) {
  Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, node);
  if (!ranges.ok()) return ranges.status();
  if (!ranges.value().has_value()) return Unknown();
  Shape output;
  for (const AxisRange& range : *ranges.value()) output.push_back(range.count);
  return Known(std::move(output));
}

Inferred InferPad(const Graph& graph, const Node& node, const Shape& input) {
  Result<std::optional<Padding>> padding = PaddingOf(graph, node);
  if (!padding.ok()) return padding.status();
  if (!padding.value().has_value()) return Unknown();
  Shape output = input;
  for (size_t i = 0; i < output.size(); ++i) {
    output[i] += padding.value()->before[i] + padding.value()->after[i];
    if (output[i] < 0) {
      return NodeError(node, "it cuts more off its input " + ToString(input) +
                                 " than there is; export the model again");
    }
  }
  return Known(std::move(output));
}

Inferred InferConcat(const Graph& graph, const Node& node, const Shape& first) {
  Result<std::vector<size_t>> axis = NormalizeAxes(node, {node.Int("axis", 1)}, first.size());
  if (!axis.ok()) return axis.status();
  const size_t along = axis.value()[0];
  Shape output = first;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const std::optional<Shape> next = InputShape(graph, node, i);
    if (!next.has_value()) return Unknown();
    Shape expected = output;
    if (next->size() == output.size()) expected[along] = (*next)[along];
    if (*next != expected) {
      return NodeError(node, "the shapes " + ToString(output) + " and " + ToString(*next) +
                                 " cannot be joined along axis " + std::to_string(along) +
                                 "; export the model again");
    }
    output[along] += (*next)[along];
  }
  return Known(std::move(output));
}

Inferred InferReduceMean(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<std::vector<int64_t>> given = AxesOf(graph, node);
  if (!given.has_value()) return Unknown();
  Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, input.size());
  if (!axes.ok()) return axes.status();
  const bool keeps = node.Int("keepdims", 1) != 0;
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool reduced = given->empty() || std::find(axes.value().begin(), axes.value().end(), i) !=
                                               axes.value().end();
    if (!reduced) output.push_back(input[i]);
    if (reduced && keeps) output.push_back(1);
  }
  return Known(std::move(output));
}

Inferred InferTranspose(const Graph&, const Node& node, const Shape& input) {
  std::vector<int64_t> order(input.size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = node.Ints("perm", order);
  Result<std::vector<size_t>> axes = NormalizeAxes(node, order, input.size());
  if (!axes.ok()) return axes.status();
  if (axes.value().size() != input.size()) {
    return NodeError(node, "perm " + ToString(order) + " does not fit its input " +
                               ToString(input) + "; export the model again");
  }
  Shape output;
  for (const size_t axis : axes.value()) output.push_back(input[axis]);
  return Known(std::move(output));
}

Inferred InferBatchNorm(const Graph& graph, const Node& node, const Shape& input) {
  for (size_t i = 1; i < 5; ++i) {
    const std::optional<Shape> parameter = InputShape(graph, node, i);
    if (!parameter.has_value()) continue;
    if (input.size() < 2 || *parameter != Shape{input[1]}) {
      return NodeError(node, "parameters " + ToString(*parameter) + " do not fit its input " +
                                 ToString(input) + "; export the model again");
    }
  }
  return Known(input);
}

Inferred InferGather(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> indices = InputShape(graph, node, 1);
  if (!indices.has_value()) return Unknown();
  Result<std::vector<size_t>> axis = NormalizeAxes(node, {node.Int("axis", 0)}, input.size());
  if (!axis.ok()) return axis.status();
  const auto along = static_cast<std::ptrdiff_t>(axis.value()[0]);
  Shape output(input.begin(), input.begin() + along);
  output.insert(output.end(), indices->begin(), indices->end());
  output.insert(output.end(), input.begin() + along + 1, input.end());
  return Known(std::move(output));
}

Inferred InferExpand(const Graph& graph, const Node& node, const Shape& input) {
  const std::vector<int64_t>* wanted = ConstantInts(graph, node, 1);
  if (wanted == nullptr) return Unknown();
  std::optional<Shape> output = Broadcast(input, *wanted);
  if (!output.has_value()) {
    return NodeError(node, "its input " + ToString(input) + " cannot be expanded to " +
                               ToString(*wanted) + "; export the model again");
  }
  return output;
}

Inferred InferConstantOfShape(const Graph& graph, const Node& node, const Shape&) {
  const std::vector<int64_t>* shape = ConstantInts(graph, node, 0);
  if (shape == nullptr) return Unknown();
  return Known(*shape);
}

Inferred InferShapeOperator(const Graph&, const Node&, const Shape& input) {
  return Known({static_cast<int64_t>(input.size())});
}

Inferred InferRange(const Graph& graph, const Node& node, const Shape&) {
  const std::vector<int64_t>* values[3];
  for (size_t i = 0; i < 3; ++i) {
    values[i] = ConstantInts(graph, node, i);
    if (values[i] == nullptr || values[i]->size() != 1) return Unknown();
  }
  const int64_t step = (*values[2])[0];
  int64_t distance = 0;
  if (step == 0 || step == std::numeric_limits<int64_t>::min() ||
      __builtin_sub_overflow((*values[1])[0], (*values[0])[0], &distance)) {
    return NodeError(node, "the range has no end; export the model again");
  }
  int64_t count = distance / step;
  if (distance % step != 0 && (distance > 0) == (step > 0)) ++count;
  return Known({std::max<int64_t>(count, 0)});
}

using InferFunction = Inferred (*)(const Graph&, const Node&, const Shape&);

const std::unordered_map<std::string, InferFunction>& Functions() {
  static const std::unordered_map<std::string, InferFunction> functions = {
      {"Conv", InferConv},
      {"MaxPool", InferPool},
      {"AveragePool", InferPool},
      {"GlobalAveragePool", InferGlobalPool},
      {"GlobalMaxPool", InferGlobalPool},
      {"Gemm", InferGemm},
      {"MatMul", InferMatMul},
      {"Add", InferBroadcast},
      {"Sub", InferBroadcast},
      {"Mul", InferBroadcast},
      {"Div", InferBroadcast},
      {"Relu", SameShape},
      {"Clip", SameShape},
      {"Identity", SameShape},
      {"Dropout", SameShape},
      {"Cast", SameShape},
      {"Softmax", SameShape},
      {"LogSoftmax", SameShape},
      {"Neg", SameShape},
      {"Sqrt", SameShape},
      {"QuantizeLinear", SameShape},
      {"DequantizeLinear", SameShape},
      {"Quantize", SameShape},
      {"BatchNormalization", InferBatchNorm},
      {"Flatten", InferFlatten},
      {"Reshape", InferReshape},
      {"Squeeze", InferSqueeze},
      {"Unsqueeze", InferUnsqueeze},
      {"Slice", InferSlice},
      {"Pad", InferPad},
      {"Concat", InferConcat},
      {"ReduceMean", InferReduceMean},
      {"Transpose", InferTranspose},
      {"Gather", InferGather},
      {"Expand", InferExpand},
      {"ConstantOfShape", InferConstantOfShape},
      {"Shape", InferShapeOperator},
      {"Range", InferRange},
  };
  return functions;
}

// The product stays small enough to be trusted everywhere after this.
Status CheckSize(const Node& node, const Shape& shape) {
  int64_t elements = 1;
  for (const int64_t size : shape) {
    // An empty tensor's other sizes must not overflow a product either.
    if (size < 0 || __builtin_mul_overflow(elements, std::max<int64_t>(size, 1), &elements) ||
        elements > kMaximumElements) {
      return NodeError(
          node, "its output would have the shape " + ToString(shape) + "; export the model again");
    }
  }
  return Status::Ok();
}

}  // namespace

std::optional<Shape> Broadcast(const Shape& a, const Shape& b) {
  Shape output(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < output.size(); ++i) {
    // Counted from the last dimension; missing ones are 1.
    const int64_t size_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t size_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1) return std::nullopt;
    output[output.size() - 1 - i] = size_a == 1 ? size_b : size_a;
  }
  return output;
}

Result<std::optional<Shape>> InferShape(const Graph& graph, const Node& node) {
  const auto function = Functions().find(node.op.name());
  if (node.op.is_foreign() || function == Functions().end()) return Unknown();
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value()) return Unknown();
  Inferred inferred = function->second(graph, node, *input);
  if (inferred.ok() && inferred.value().has_value()) {
    if (Status status = CheckSize(node, *inferred.value()); !status.ok()) return status;
  }
  return inferred;
}

Status InferShapes(Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0] == kNoValue) continue;
    Result<std::optional<Shape>> shape = InferShape(graph, node);
    if (!shape.ok()) return shape.status();
    graph.value(node.outputs[0]).shape = shape.value().value_or(Shape());
  }
  return Status::Ok();
}

}  // namespace cssrun::converter
