// Operators that are not in list.h: everything about them is here, by the names that files use.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

struct Advice {
  std::span<const std::string_view> names;
  Refused refused;
};

// Functions of single elements: the output has the input's shape.
constexpr std::string_view kFunctions[] = {"Sigmoid",  "Tanh",      "Elu",
                                           "Selu",     "Celu",      "Softplus",
                                           "Softsign", "HardSwish", "ThresholdedRelu",
                                           "Erf",      "Gelu",      "Mish",
                                           "Exp",      "Swish",     "Log",
                                           "Pow",      "Sin",       "Cos",
                                           "Sign",     "Floor",     "Ceil",
                                           "Round",    "Shrink",    "Reciprocal"};
constexpr std::string_view kControlFlow[] = {"If", "Loop", "Scan"};
constexpr std::string_view kRecurrent[] = {"LSTM", "GRU", "RNN"};
constexpr std::string_view kOnIntegers[] = {"QLinearConv", "QLinearMatMul", "ConvInteger",
                                            "MatMulInteger", "DynamicQuantizeLinear"};
constexpr std::string_view kNormalizing[] = {
    "InstanceNormalization", "LayerNormalization",        "LRN",
    "LpNormalization",       "MeanVarianceNormalization", "GroupNormalization"};

constexpr std::string_view kIndices[] = {"ArgMax", "ArgMin", "TopK", "NonMaxSuppression"};

constexpr Advice kAdvice[] = {
    {kFunctions,
     {"a spiking neuron computes ReLU, not this function", "train with ReLU or ReLU6 instead"}},
    {kControlFlow,
     {"control flow cannot become a fixed network", "export by tracing, without branches"}},
    {kRecurrent, {"recurrent layers are not supported", "use a feed-forward network"}},
    {kOnIntegers,
     {"its activations are integers", "export with QuantizeLinear/DequantizeLinear pairs (QDQ)"}},
    {kNormalizing,
     {"its scale depends on the activations", "train with BatchNormalization instead"}},
    {kIndices, {"it gives indices, which are no activations", "end the network at its logits"}},
};

bool Names(std::span<const std::string_view> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Shapes behind a function stay known, so that other problems of the model are found, too.
Inferred InferUnknown(const Graph&, const Node& node, const Shape& input) {
  if (!IsFunction(node.op)) return Unknown();
  return Known(input);
}

}  // namespace

bool IsFunction(const Op& op) { return !op.is_foreign() && Names(kFunctions, op.name()); }

Problem ProblemOfVersion(const Op& op, int64_t opset) {
  return {"ONNX opset " + std::to_string(opset) + " has no operator " + op.name(),
          "export the model again with opset 13"};
}

Problem ProblemOfUnknown(const Op& op) {
  if (op.is_foreign()) {
    return {"it is not one of ONNX's own operators", "export with standard operators"};
  }
  const std::string name = op.name();
  for (const Advice& advice : kAdvice) {
    if (Names(advice.names, name)) return {advice.refused.reason, advice.refused.remedy};
  }
  return {Refused().reason, Refused().remedy};
}

bool MayLackInputs(const Op& op) {
  return op.is_foreign() || op == OpKind::kConstant || op.name().starts_with("Random");
}

constinit const Operator kUnknownOperator = {
    .versions = std::span<const OperatorVersion>(),
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferUnknown,
    .evaluate = Absent::kUnknownOperator,
    .follow = Absent::kUnknownOperator,
    .reorder_weights = Absent::kUnknownOperator,
    .check = Refused{},  // ProblemOfUnknown() knows more
    .dense = Absent::kUnknownOperator,
    .lower = Absent::kUnknownOperator,
};

}  // namespace cssrun::converter
