// QuantizeLinear and DequantizeLinear: of constants, or a pair that becomes a Quantize.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kQuantizeLinearVersions[] = {
    {10, "one scale for the whole tensor"},
    {13, "a scale for each element along an axis"},
    {19, "floats of 8 bits"},
    {21, "block_size, output_dtype, and integers of 4 and 16 bits"},
    {23, "precision, and floats of 4 bits"},
};

constexpr Refused kNotAPair = {
    "it is not one of a pair with one constant scale and zero point, or a Clip between them leaves "
    "nothing",
    "quantize activations per tensor, or convert the float model"};

// Quantized weights: (integer - zero point) * scale, one scale for all or one along `axis`; and the
// integers of weights that are still floats.
Evaluated EvaluateQuantization(const Graph& graph, const Node& node, const Shape&) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  const std::vector<float>* scales = ConstantFloats(graph, node, 1);
  const std::vector<int64_t>* zeros = ConstantInts(graph, node, 2);
  const bool quantizes = node.op == OpKind::kQuantizeLinear;
  if (input.is_float() != quantizes || scales == nullptr) return NotEvaluated();
  const auto rank = static_cast<int64_t>(input.shape.size());
  int64_t axis = node.Int("axis", 1);
  if (axis < 0) axis += rank;
  int64_t inner = 1;
  int64_t along = 1;
  if (scales->size() != 1) {
    if (axis < 0 || axis >= rank) return NotEvaluated();
    along = input.shape[static_cast<size_t>(axis)];
    inner = ElementCount(Shape(input.shape.begin() + axis + 1, input.shape.end()));
  }
  if (static_cast<int64_t>(scales->size()) != along ||
      (zeros != nullptr && zeros->size() != scales->size())) {
    return NodeError(node, "its scales do not fit its input " + ToString(input.shape) +
                               "; quantize the model again");
  }
  const auto channel_of = [&](size_t i) {
    return i / static_cast<size_t>(inner) % static_cast<size_t>(along);
  };
  if (quantizes) {
    const bool is_signed = zeros != nullptr && graph.ConstantInput(node, 2)->is_signed;
    const float low = is_signed ? -128 : 0;
    const float high = is_signed ? 127 : 255;
    std::vector<int64_t> integers;
    integers.reserve(input.floats().size());
    for (size_t i = 0; i < input.floats().size(); ++i) {
      const size_t channel = channel_of(i);
      const float zero = zeros == nullptr ? 0.0F : static_cast<float>((*zeros)[channel]);
      const float steps = std::nearbyint(input.floats()[i] / (*scales)[channel]) + zero;
      integers.push_back(static_cast<int64_t>(std::clamp(steps, low, high)));
    }
    Tensor quantized{input.shape, std::move(integers)};
    quantized.is_signed = is_signed;
    return Done(std::move(quantized));
  }
  std::vector<float> values;
  values.reserve(input.ints().size());
  for (size_t i = 0; i < input.ints().size(); ++i) {
    const size_t channel = channel_of(i);
    const double zero = zeros == nullptr ? 0.0 : static_cast<double>((*zeros)[channel]);
    values.push_back(
        static_cast<float>((static_cast<double>(input.ints()[i]) - zero) * (*scales)[channel]));
  }
  return Done({input.shape, std::move(values)});
}

}  // namespace

constinit const Operator kQuantizeLinearOperator = {
    .versions = kQuantizeLinearVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = EvaluateQuantization,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kNotAPair,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kDequantizeLinearOperator = {
    .versions = kQuantizeLinearVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = EvaluateQuantization,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = kNotAPair,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
