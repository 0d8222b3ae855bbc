// Cast of constants; between floating-point types it changes nothing. CastLike, of which
// FoldConstants() makes Casts.
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kCastVersions[] = {
    {6, "the type is a number"},
    {9, "texts"},
    {13, "bfloat16"},
    {19, "floats of 8 bits, and saturate, which is about them alone"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

constexpr OperatorVersion kLikeVersions[] = {
    {15, "the type is that of another value"},
    {19, "floats of 8 bits, and saturate, which is about them alone"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

// Truncates towards zero as ONNX's Cast does, and saturates where C++ would be undefined.
int64_t ToInteger(float value) {
  if (std::isnan(value)) return 0;
  if (value >= 9.2233720368547758e18F) return std::numeric_limits<int64_t>::max();
  if (value <= -9.2233720368547758e18F) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

Evaluated EvaluateCast(const Graph& graph, const Node& node, const Shape& shape) {
  const Tensor& input = *graph.ConstantInput(node, 0);
  const int64_t type = node.Int("to", 0);
  const bool to_float = IsFloatingPoint(type);
  if (to_float == input.is_float() && type != kOnnxBool) return Done(input);
  Tensor output;
  output.shape = shape;
  if (to_float) {
    output.data = std::vector<float>(input.ints().begin(), input.ints().end());
  } else {
    std::vector<int64_t> values;
    if (input.is_float()) {
      for (const float v : input.floats())
        values.push_back(type == kOnnxBool ? v != 0 : ToInteger(v));
    } else {
      for (const int64_t v : input.ints()) values.push_back(v != 0);
    }
    output.data = std::move(values);
  }
  return Done(std::move(output));
}

}  // namespace

constinit const Operator kCastOperator = {
    .versions = kCastVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = EvaluateCast,
    .follow = Absent::kEndsViews,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

constinit const Operator kCastLikeOperator = {
    .versions = kLikeVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kRewritten,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
