#include "converter/passes/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"

namespace cssrun::converter {
namespace {

using Evaluated = Result<std::optional<Tensor>>;

// A few bytes of a file may ask for any amount of memory; no exporter makes larger constants out of
// smaller ones.
constexpr int64_t kMaximumFilled = int64_t{1} << 24;

Evaluated NotEvaluated() { return std::optional<Tensor>(); }
Evaluated Done(Tensor tensor) { return std::optional<Tensor>(std::move(tensor)); }

Tensor Ints(Shape shape, std::vector<int64_t> values) {
  return {std::move(shape), std::move(values)};
}

std::vector<int64_t> StridesOf(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// Strides that read `shape` as if it had been broadcast to `output`.
std::vector<int64_t> BroadcastStrides(const Shape& shape, const Shape& output) {
  const std::vector<int64_t> own = StridesOf(shape);
  std::vector<int64_t> strides(output.size(), 0);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) strides[output.size() - shape.size() + i] = own[i];
  }
  return strides;
}

// Calls visit(offset) for every element of `shape` in order; `strides` say how far a step along
// each axis moves the offset.
template <typename Visit>
void ForEachOffset(const Shape& shape, int64_t offset, const std::vector<int64_t>& strides,
                   const Visit& visit) {
  const int64_t count = ElementCount(shape);
  std::vector<int64_t> position(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    visit(offset);
    for (size_t axis = shape.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++position[axis] < shape[axis]) break;
      offset -= position[axis] * strides[axis];
      position[axis] = 0;
    }
  }
}

// Slice, Transpose and Expand: the elements of `input` in another order.
Tensor Rearrange(const Tensor& input, const Shape& shape, int64_t offset,
                 const std::vector<int64_t>& strides) {
  Tensor output;
  output.shape = shape;
  std::visit(
      [&](const auto& from) {
        std::decay_t<decltype(from)> to;
        to.reserve(static_cast<size_t>(ElementCount(shape)));
        ForEachOffset(shape, offset, strides,
                      [&](int64_t at) { to.push_back(from[static_cast<size_t>(at)]); });
        output.data = std::move(to);
      },
      input.data);
  return output;
}

Evaluated EvaluateSlice(const Graph& graph, const Node& node, const Tensor& input,
                        const Shape& shape) {
  Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, node);
  if (!ranges.ok()) return ranges.status();
  std::vector<int64_t> strides = StridesOf(input.shape);
  int64_t offset = 0;
  for (size_t i = 0; i < strides.size(); ++i) {
    const AxisRange& range = (*ranges.value())[i];
    offset += range.start * strides[i];
    // A step that no second position uses may be larger than memory.
    strides[i] = range.count > 1 ? strides[i] * range.step : 0;
  }
  return Done(Rearrange(input, shape, offset, strides));
}

Tensor EvaluateTranspose(const Node& node, const Tensor& input, const Shape& shape) {
  std::vector<int64_t> order(shape.size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = node.Ints("perm", order);
  const std::vector<int64_t> from = StridesOf(input.shape);
  std::vector<int64_t> strides;
  strides.reserve(order.size());
  for (const int64_t axis : order) {
    strides.push_back(
        from[static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(from.size()) : axis)]);
  }
  return Rearrange(input, shape, 0, strides);
}

Evaluated EvaluateGather(const Graph& graph, const Node& node, const Tensor& input,
                         const Shape& shape) {
  const std::vector<int64_t>* indices = ConstantInts(graph, node, 1);
  if (indices == nullptr) return NotEvaluated();
  const auto rank = static_cast<int64_t>(input.shape.size());
  int64_t axis = node.Int("axis", 0);
  if (axis < 0) axis += rank;
  const int64_t size = input.shape[static_cast<size_t>(axis)];
  const int64_t outer = ElementCount(Shape(input.shape.begin(), input.shape.begin() + axis));
  const int64_t inner = ElementCount(Shape(input.shape.begin() + axis + 1, input.shape.end()));
  for (const int64_t index : *indices) {
    if (index < -size || index >= size) {
      return NodeError(node, "index " + std::to_string(index) + " is outside of its input " +
                                 ToString(input.shape) + "; export the model again");
    }
  }
  Tensor output;
  output.shape = shape;
  std::visit(
      [&](const auto& from) {
        std::decay_t<decltype(from)> to;
        for (int64_t o = 0; o < outer; ++o) {
          for (const int64_t index : *indices) {
            const auto begin =
                from.begin() + (o * size + (index < 0 ? index + size : index)) * inner;
            to.insert(to.end(), begin, begin + inner);
          }
        }
        output.data = std::move(to);
      },
      input.data);
  return Done(std::move(output));
}

Evaluated EvaluateConcat(const Graph& graph, const Node& node, const Shape& shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  int64_t axis = node.Int("axis", 1);
  if (axis < 0) axis += rank;
  const int64_t outer = ElementCount(Shape(shape.begin(), shape.begin() + axis));
  Tensor output;
  output.shape = shape;
  output.data = graph.ConstantInput(node, 0)->data;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (graph.ConstantInput(node, i)->data.index() != output.data.index()) {
      return NodeError(node, "it joins numbers of different types; export the model again");
    }
  }
  std::visit(
      [&](auto& to) {
        using Values = std::decay_t<decltype(to)>;
        to.clear();
        for (int64_t o = 0; o < outer; ++o) {
          for (size_t i = 0; i < node.inputs.size(); ++i) {
            const auto& from = std::get<Values>(graph.ConstantInput(node, i)->data);
            const int64_t part = static_cast<int64_t>(from.size()) / std::max<int64_t>(outer, 1);
            to.insert(to.end(), from.begin() + o * part, from.begin() + (o + 1) * part);
          }
        }
      },
      output.data);
  return Done(std::move(output));
}

// Truncates towards zero as ONNX's Cast does, and saturates where C++ would be undefined.
int64_t ToInteger(float value) {
  if (std::isnan(value)) return 0;
  if (value >= 9.2233720368547758e18F) return std::numeric_limits<int64_t>::max();
  if (value <= -9.2233720368547758e18F) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

// Numbers of ONNX's element types.
enum ElementType : int64_t { kFloat = 1, kBool = 9, kFloat16 = 10, kDouble = 11, kBfloat16 = 16 };

Evaluated EvaluateCast(const Node& node, const Tensor& input, const Shape& shape) {
  const int64_t type = node.Int("to", 0);
  const bool to_float = type == kFloat || type == kFloat16 || type == kDouble || type == kBfloat16;
  if (to_float == input.is_float() && type != kBool) return Done(input);
  Tensor output;
  output.shape = shape;
  if (to_float) {
    output.data = std::vector<float>(input.ints().begin(), input.ints().end());
  } else {
    std::vector<int64_t> values;
    if (input.is_float()) {
      for (const float v : input.floats()) values.push_back(type == kBool ? v != 0 : ToInteger(v));
    } else {
      for (const int64_t v : input.ints()) values.push_back(v != 0);
    }
    output.data = std::move(values);
  }
  return Done(std::move(output));
}

float Compute(const Op& op, float a, float b) {
  if (op == OpKind::kAdd) return a + b;
  if (op == OpKind::kSub) return a - b;
  if (op == OpKind::kMul) return a * b;
  return a / b;
}

// Wraps around instead of overflowing. Division by zero was refused before.
int64_t Compute(const Op& op, int64_t a, int64_t b) {
  const auto ua = static_cast<uint64_t>(a);
  const auto ub = static_cast<uint64_t>(b);
  if (op == OpKind::kAdd) return static_cast<int64_t>(ua + ub);
  if (op == OpKind::kSub) return static_cast<int64_t>(ua - ub);
  if (op == OpKind::kMul) return static_cast<int64_t>(ua * ub);
  return b == -1 ? static_cast<int64_t>(0 - ua) : a / b;
}

Evaluated EvaluateArithmetic(const Graph& graph, const Node& node, const Tensor& a,
                             const Shape& shape) {
  const Tensor& b = *graph.ConstantInput(node, 1);
  if (a.data.index() != b.data.index()) {
    return NodeError(node, "its inputs are numbers of different types; export the model again");
  }
  const std::vector<int64_t>* divisors = ConstantInts(graph, node, 1);
  if (node.op == OpKind::kDiv && divisors != nullptr &&
      std::find(divisors->begin(), divisors->end(), 0) != divisors->end()) {
    return NodeError(node, "it divides by zero; export the model again");
  }
  Tensor output = Rearrange(a, shape, 0, BroadcastStrides(a.shape, shape));
  const Tensor right = Rearrange(b, shape, 0, BroadcastStrides(b.shape, shape));
  std::visit(
      [&](auto& values) {
        const auto& other = std::get<std::decay_t<decltype(values)>>(right.data);
        for (size_t i = 0; i < values.size(); ++i) {
          values[i] = Compute(node.op, values[i], other[i]);
        }
      },
      output.data);
  return Done(std::move(output));
}

Tensor EvaluateUnary(const Node& node, const Tensor& input) {
  std::vector<float> values = input.floats();
  for (float& v : values) v = node.op == OpKind::kNeg ? -v : std::sqrt(v);
  return {input.shape, std::move(values)};
}

Evaluated EvaluateConstantOfShape(const Node& node, const Shape& shape) {
  const auto size = static_cast<size_t>(ElementCount(shape));
  const AttributeValue* attribute = node.Find("value");
  const auto* given =
      attribute == nullptr ? nullptr : std::get_if<std::shared_ptr<const Tensor>>(attribute);
  if (given == nullptr) return Done({shape, std::vector<float>(size, 0.0F)});
  if (ElementCount((*given)->shape) != 1) {
    return NodeError(node, "its value has the shape " + ToString((*given)->shape) +
                               " instead of one element; export the model again");
  }
  if ((*given)->is_float()) return Done({shape, std::vector<float>(size, (*given)->floats()[0])});
  return Done(Ints(shape, std::vector<int64_t>(size, (*given)->ints()[0])));
}

Tensor EvaluateRange(const Graph& graph, const Node& node, const Shape& shape) {
  const int64_t start = (*ConstantInts(graph, node, 0))[0];
  const int64_t step = (*ConstantInts(graph, node, 2))[0];
  std::vector<int64_t> values(static_cast<size_t>(shape[0]));
  for (size_t i = 0; i < values.size(); ++i) values[i] = start + static_cast<int64_t>(i) * step;
  return Ints(shape, std::move(values));
}

// Quantized weights: (integer - zero point) * scale, one scale for all or one along `axis`; and the
// integers of weights that are still floats.
Evaluated EvaluateQuantization(const Graph& graph, const Node& node, const Tensor& input) {
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

Evaluated Evaluate(const Graph& graph, const Node& node) {
  if (node.inputs.empty()) return NotEvaluated();
  if (node.op == OpKind::kShape) {
    // Opset 15 can cut a part out; nobody exports that, so it is left to be reported.
    const std::optional<Shape> shape = InputShape(graph, node, 0);
    if (!shape.has_value() || node.Find("start") != nullptr || node.Find("end") != nullptr) {
      return NotEvaluated();
    }
    return Done(Ints({static_cast<int64_t>(shape->size())}, *shape));
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNoValue && graph.ConstantInput(node, i) == nullptr) {
      return NotEvaluated();
    }
  }
  Result<std::optional<Shape>> inferred = InferShape(graph, node);
  if (!inferred.ok()) return inferred.status();
  if (!inferred.value().has_value()) return NotEvaluated();
  const Shape& shape = *inferred.value();
  const Tensor& input = *graph.ConstantInput(node, 0);
  if (ElementCount(shape) > std::max(kMaximumFilled, ElementCount(input.shape))) {
    return NodeError(
        node, "it makes a constant of shape " + ToString(shape) + "; export the model again");
  }
  const Op& op = node.op;

  if (op == OpKind::kIdentity || op == OpKind::kDropout) return Done(input);
  if (op == OpKind::kReshape || op == OpKind::kFlatten || op == OpKind::kSqueeze ||
      op == OpKind::kUnsqueeze) {
    return Done({shape, input.data});
  }
  if (op == OpKind::kSlice) return EvaluateSlice(graph, node, input, shape);
  if (op == OpKind::kTranspose) return Done(EvaluateTranspose(node, input, shape));
  if (op == OpKind::kExpand) {
    return Done(Rearrange(input, shape, 0, BroadcastStrides(input.shape, shape)));
  }
  if (op == OpKind::kGather) return EvaluateGather(graph, node, input, shape);
  if (op == OpKind::kConcat) return EvaluateConcat(graph, node, shape);
  if (op == OpKind::kCast) return EvaluateCast(node, input, shape);
  if (op == OpKind::kAdd || op == OpKind::kSub || op == OpKind::kMul || op == OpKind::kDiv) {
    return EvaluateArithmetic(graph, node, input, shape);
  }
  if ((op == OpKind::kNeg || op == OpKind::kSqrt) && input.is_float())
    return Done(EvaluateUnary(node, input));
  if (op == OpKind::kConstantOfShape) return EvaluateConstantOfShape(node, shape);
  if (op == OpKind::kRange) return Done(EvaluateRange(graph, node, shape));
  if (op == OpKind::kQuantizeLinear || op == OpKind::kDequantizeLinear) {
    return EvaluateQuantization(graph, node, input);
  }
  return NotEvaluated();
}

}  // namespace cssrun::converter
