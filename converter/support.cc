#include "converter/support.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "converter/operator_attributes.h"

namespace cssrun::converter {
namespace {

struct Problem {
  std::string reason;
  std::string remedy;
};

using Found = std::optional<Problem>;

const char* const kExportAgain = "export the model again";

// What to do about operators that are not supported at all.
Problem UnknownOperator(const Node& node) {
  static const std::unordered_map<std::string, Problem> kKnown = [] {
    std::unordered_map<std::string, Problem> known;
    const auto add = [&](std::initializer_list<const char*> ops, const Problem& problem) {
      for (const char* op : ops) known.emplace(op, problem);
    };
    add({"Sigmoid", "Tanh", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign",
         "HardSigmoid", "HardSwish", "ThresholdedRelu", "Erf", "Gelu", "Mish", "Exp"},
        {"a spiking neuron computes ReLU, not this function", "train with ReLU or ReLU6 instead"});
    add({"If", "Loop", "Scan"},
        {"control flow cannot become a fixed network", "export by tracing, without branches"});
    add({"LSTM", "GRU", "RNN"},
        {"recurrent layers are not supported", "use a feed-forward network"});
    add({"QuantizeLinear", "DequantizeLinear"},
        {"it is not one of a pair with one constant scale and zero point, or a Clip between them "
         "leaves nothing",
         "quantize activations per tensor, or convert the float model"});
    add({"QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"},
        {"its activations are integers",
         "export with QuantizeLinear/DequantizeLinear pairs (QDQ)"});
    add({"Softmax", "LogSoftmax"}, {"a softmax inside of the network needs all values at once",
                                    "remove it; at the very end it is dropped by itself"});
    add({"Transpose", "Reshape", "Squeeze", "Unsqueeze"},
        {"it reorders a map in a way that spikes' addresses cannot follow",
         "export channels-first ([batch, channels, height, width])"});
    add({"Resize", "Upsample", "ConvTranspose", "DepthToSpace", "SpaceToDepth"},
        {"resizing inside of the network is not supported", "resize the image before the network"});
    add({"BatchNormalization"},
        {"its parameters are not constant, or it does not normalize channels",
         "export in inference mode (model.eval())"});
    add({"InstanceNormalization", "LayerNormalization", "LRN", "LpNormalization",
         "MeanVarianceNormalization", "GroupNormalization"},
        {"its scale depends on the activations", "train with BatchNormalization instead"});
    add({"Mul", "Div", "Sub", "MatMul", "Pow", "Max", "Min"},
        {"it combines activations otherwise than by addition, or with a constant that is not one "
         "number per channel",
         "train without it"});
    return known;
  }();
  const auto found = kKnown.find(node.op.name());
  if (found != kKnown.end()) return found->second;
  return {"this operator is not supported", "replace it in the model"};
}

// What a value is as a map of spikes, [channels, rows, columns]: Flatten keeps the map, so that a
// flattened value has a map that its shape does not show. Empty when not known.
class Maps {
 public:
  explicit Maps(const Graph& graph) : graph_(graph), maps_(graph.values.size()) {}

  const Shape& Of(ValueId id) const { return maps_[static_cast<size_t>(id)]; }

  void Add(const Node& node) {
    const ValueId output = node.outputs[0];
    const Shape& shape = graph_.value(output).shape;
    Shape& map = maps_[static_cast<size_t>(output)];
    const bool keeps_map = node.op == OpKind::kFlatten || node.op == OpKind::kRelu ||
                           node.op == OpKind::kClip || node.op == OpKind::kQuantize ||
                           node.op == OpKind::kAdd;
    if (shape.size() == 4) {
      map = Shape(shape.begin() + 1, shape.end());
    } else if (shape.size() == 2) {
      map = {shape[1], 1, 1};
      if (keeps_map && !Of(node.inputs[0]).empty()) map = Of(node.inputs[0]);
    }
  }

  void AddInput() {
    const Shape& shape = graph_.value(graph_.input).shape;
    if (shape.size() == 4) {
      maps_[static_cast<size_t>(graph_.input)] = Shape(shape.begin() + 1, shape.end());
    }
  }

 private:
  const Graph& graph_;
  std::vector<Shape> maps_;  // by ValueId
};

Found NotAMap(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || input->size() == 4) return std::nullopt;
  return Problem{"its input " + ToString(*input) + " is not [batch, channels, rows, columns]",
                 "use two-dimensional layers"};
}

Found ConstantActivation(const Graph& graph, const Node& node) {
  for (const ValueId id : node.inputs) {
    if (id == kNoValue || graph.value(id).constant != nullptr) {
      return Problem{"it combines an activation with a constant that is not one number per channel",
                     "train without it"};
    }
  }
  return std::nullopt;
}

Found VariableWeights(const Graph& graph, const Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  if (ConstantFloats(graph, node, 1) == nullptr ||
      (has_bias && ConstantFloats(graph, node, 2) == nullptr)) {
    return Problem{"its weights are not constant", "export with constant weights"};
  }
  return std::nullopt;
}

Found CheckConv(const Graph& graph, const Node& node, const Maps&) {
  if (Found found = VariableWeights(graph, node)) return found;
  const Shape& weights = graph.ConstantInput(node, 1)->shape;
  if (weights.size() != 4) {
    return Problem{"its weights " + ToString(weights) + " are not two-dimensional kernels",
                   "use two-dimensional layers"};
  }
  return NotAMap(graph, node);
}

Found CheckGemm(const Graph& graph, const Node& node, const Maps&) {
  if (Found found = VariableWeights(graph, node)) return found;
  if (node.Int("transB", 0) != 1 || node.Int("transA", 0) != 0 || node.Float("alpha", 1) != 1 ||
      node.Float("beta", 1) != 1) {
    const std::optional<Shape> input = InputShape(graph, node, 0);
    if (!input.has_value()) return std::nullopt;
    return Problem{"it does not multiply one row of activations by a matrix", kExportAgain};
  }
  return std::nullopt;
}

Found CheckRelu(const Graph&, const Node&, const Maps&) { return std::nullopt; }

Found CheckClip(const Graph& graph, const Node& node, const Maps&) {
  const std::optional<ClipBounds> bounds = ClipBoundsOf(graph, node);
  if (bounds.has_value() && node.inputs.size() == 3 && bounds->low == 0 && bounds->high > 0) {
    return std::nullopt;
  }
  return Problem{"only Clip(0, max) with constant bounds is a neuron", "train with ReLU or ReLU6"};
}

Found CheckQuantize(const Graph&, const Node& node, const Maps&) {
  if (node.Float("step", 0) > 0 && node.Int("low", 0) < node.Int("high", 0) &&
      node.Int("high", 0) > 0) {
    return std::nullopt;
  }
  return Problem{"it leaves no value above zero", "quantize the model again"};
}

Found CheckMaxPool(const Graph& graph, const Node& node, const Maps&) {
  if (Found found = NotAMap(graph, node)) return found;
  if (node.Ints("dilations", {1, 1}) != std::vector<int64_t>{1, 1}) {
    return Problem{"its window is dilated", "train with dilation 1"};
  }
  return std::nullopt;
}

Found CheckAveragePool(const Graph& graph, const Node& node, const Maps&) {
  if (Found found = NotAMap(graph, node)) return found;
  if (node.Ints("dilations", {1, 1}) != std::vector<int64_t>{1, 1}) {
    return Problem{"its window is dilated", "train with dilation 1"};
  }
  return std::nullopt;
}

Found CheckGlobalPool(const Graph& graph, const Node& node, const Maps&) {
  return NotAMap(graph, node);
}

Found CheckAdd(const Graph& graph, const Node& node, const Maps& maps) {
  if (Found found = ConstantActivation(graph, node)) return found;
  const std::optional<Shape> a = InputShape(graph, node, 0);
  const std::optional<Shape> b = InputShape(graph, node, 1);
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  if (*a != *b) {
    return Problem{"it adds " + ToString(*a) + " and " + ToString(*b) + ", which differ",
                   "train with equal shapes"};
  }
  if (maps.Of(node.inputs[0]) != maps.Of(node.inputs[1])) {
    return Problem{"it adds a flattened map and something else", "add before flattening"};
  }
  return std::nullopt;
}

Found CheckFlatten(const Graph& graph, const Node& node, const Maps&) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  const Shape& output = graph.value(node.outputs[0]).shape;
  if (!input.has_value()) return std::nullopt;
  if (input->size() == 4 && output.size() == 2 && output[0] == 1) return std::nullopt;
  return UnknownOperator(Node{OpKind::kReshape, "", {}, {}, {}});
}

Found CheckSlice(const Graph& graph, const Node& node, const Maps&) {
  if (Found found = NotAMap(graph, node)) return found;
  if (!InputShape(graph, node, 0).has_value()) return std::nullopt;
  const Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, node);
  if (!ranges.ok() || !ranges.value().has_value() || node.inputs.size() != 5) {
    return Problem{"what it keeps is not constant", "export with a fixed image size"};
  }
  for (const AxisRange& range : *ranges.value()) {
    if (range.step < 1) return Problem{"it runs backwards", "train without flipping"};
  }
  if ((*ranges.value())[1].step != 1) {
    return Problem{"it skips channels", "keep neighbouring channels, or use a 1x1 Conv"};
  }
  return std::nullopt;
}

Found CheckPad(const Graph& graph, const Node& node, const Maps&) {
  if (Found found = NotAMap(graph, node)) return found;
  if (!InputShape(graph, node, 0).has_value()) return std::nullopt;
  const std::string mode = node.String("mode", "constant");
  if (mode != "constant") return Problem{"it pads in the mode " + mode, "pad with zeros"};
  const Result<std::optional<Padding>> padding = PaddingOf(graph, node);
  if (!padding.ok() || !padding.value().has_value()) {
    return Problem{"its padding is not constant", "export with a fixed image size"};
  }
  const Padding& p = *padding.value();
  if (p.value != 0) return Problem{"it pads with another number than 0", "pad with zeros"};
  if (p.before[0] != 0 || p.after[0] != 0) return Problem{"it pads the batch", kExportAgain};
  for (size_t i = 0; i < 4; ++i) {
    if (p.before[i] < 0 || p.after[i] < 0) {
      return Problem{"it cuts off instead of padding", "use a Slice"};
    }
  }
  return std::nullopt;
}

Found CheckConcat(const Graph& graph, const Node& node, const Maps& maps) {
  if (Found found = ConstantActivation(graph, node)) return found;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const std::optional<Shape> input = InputShape(graph, node, i);
    if (!input.has_value()) continue;
    const auto rank = static_cast<int64_t>(input->size());
    const int64_t axis = node.Int("axis", 1);
    if ((axis < 0 ? axis + rank : axis) != 1) {
      return Problem{"it does not join along the channels", "join along axis 1"};
    }
    const Shape& map = maps.Of(node.inputs[i]);
    if (rank == 2 && !map.empty() && (map[1] != 1 || map[2] != 1)) {
      return Problem{"it joins flattened maps", "join before flattening"};
    }
  }
  return std::nullopt;
}

using Check = Found (*)(const Graph&, const Node&, const Maps&);

const std::unordered_map<std::string, Check>& Checks() {
  static const std::unordered_map<std::string, Check> checks = {
      {"Conv", CheckConv},
      {"Gemm", CheckGemm},
      {"Relu", CheckRelu},
      {"Clip", CheckClip},
      {"Quantize", CheckQuantize},
      {"MaxPool", CheckMaxPool},
      {"AveragePool", CheckAveragePool},
      {"GlobalAveragePool", CheckGlobalPool},
      {"Add", CheckAdd},
      {"Flatten", CheckFlatten},
      {"Slice", CheckSlice},
      {"Pad", CheckPad},
      {"Concat", CheckConcat},
  };
  return checks;
}

Found CheckNode(const Graph& graph, const Node& node, const Maps& maps,
                const std::vector<int>& uses) {
  if (node.op.is_foreign()) {
    return Problem{"it is not one of ONNX's own operators", "export with standard operators"};
  }
  const auto check = Checks().find(node.op.name());
  const bool known = check != Checks().end();
  // A Reshape that is still there either moves things or has a shape that nobody knows.
  if (!known && node.op != OpKind::kReshape) return UnknownOperator(node);
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue && uses[static_cast<size_t>(node.outputs[i])] > 0) {
      return Problem{"its second output is used", "use its first output alone"};
    }
  }
  if (known) {
    if (Found found = check->second(graph, node, maps)) return found;
  }
  // A shape that is unknown because of an earlier node is that node's problem.
  bool inputs_known = true;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue && !InputShape(graph, node, i).has_value()) inputs_known = false;
  }
  if (inputs_known && graph.value(node.outputs[0]).shape.empty()) {
    return Problem{"its output's shape cannot be known", "export with a fixed image size"};
  }
  return known ? std::nullopt : Found(UnknownOperator(node));
}

// Names come from the file: nothing in them may move the terminal's cursor.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

std::vector<UnsupportedNode> FindUnsupported(const Graph& graph) {
  std::vector<UnsupportedNode> unsupported;
  const std::vector<int> uses = graph.CountUses();
  Maps maps(graph);
  maps.AddInput();
  for (const Node& node : graph.nodes) {
    Found problem = node.outputs.empty() || node.outputs[0] == kNoValue
                        ? Problem{"it has no output", kExportAgain}
                        : CheckNode(graph, node, maps, uses);
    if (problem.has_value()) {
      unsupported.push_back({node.name, node.op.full_name(), graph.opset,
                             std::move(problem->reason), std::move(problem->remedy)});
    }
    if (!node.outputs.empty() && node.outputs[0] != kNoValue) maps.Add(node);
  }
  return unsupported;
}

std::string FormatUnsupported(const std::vector<UnsupportedNode>& nodes) {
  using Row = std::array<std::string, 5>;
  std::vector<Row> rows = {{"NODE", "OPERATOR", "OPSET", "REASON", "WHAT TO DO"}};
  for (const UnsupportedNode& node : nodes) {
    rows.push_back({Printable(node.name), Printable(node.op), std::to_string(node.opset),
                    Printable(node.reason), Printable(node.remedy)});
  }
  Row::value_type table = std::to_string(nodes.size()) + (nodes.size() == 1 ? " node" : " nodes") +
                          " cannot be converted";
  std::array<size_t, 5> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    table += "\n";
    for (size_t i = 0; i < row.size(); ++i) {
      table += row[i];
      if (i + 1 < row.size()) table += std::string(widths[i] - row[i].size() + 2, ' ');
    }
  }
  return table;
}

}  // namespace cssrun::converter
