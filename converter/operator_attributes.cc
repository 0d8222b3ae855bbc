#include "converter/operator_attributes.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace cssrun::converter {
namespace {

// The pads of some axes, as pads of all.
std::vector<int64_t> SpreadPads(const std::vector<int64_t>& pads, const std::vector<size_t>& axes,
                                size_t rank) {
  std::vector<int64_t> spread(2 * rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    spread[axes[i]] = pads[i];
    spread[rank + axes[i]] = pads[axes.size() + i];
  }
  return spread;
}

}  // namespace

Status NodeError(const Node& node, const std::string& what) {
  return Status::BadModel("node " + node.name + " (" + node.op.name() + "): " + what);
}

const std::vector<int64_t>* ConstantInts(const Graph& graph, const Node& node, size_t input) {
  const Tensor* tensor = graph.ConstantInput(node, input);
  return tensor == nullptr ? nullptr : std::get_if<std::vector<int64_t>>(&tensor->data);
}

const std::vector<float>* ConstantFloats(const Graph& graph, const Node& node, size_t input) {
  const Tensor* tensor = graph.ConstantInput(node, input);
  return tensor == nullptr ? nullptr : std::get_if<std::vector<float>>(&tensor->data);
}

std::optional<std::vector<double>> NumberPerChannel(const Tensor& constant,
                                                    const Shape& activation) {
  if (!constant.is_float() || constant.shape.size() > activation.size()) return std::nullopt;
  const size_t missing = activation.size() - constant.shape.size();
  const auto channels = static_cast<size_t>(activation[1]);
  for (size_t i = 0; i < constant.shape.size(); ++i) {
    const bool is_channel = i + missing == 1 && constant.shape[i] == activation[1];
    if (constant.shape[i] != 1 && !is_channel) return std::nullopt;
  }
  const std::vector<float>& values = constant.floats();
  if (values.size() == 1) return std::vector<double>(channels, values[0]);
  return std::vector<double>(values.begin(), values.end());
}

std::optional<Shape> InputShape(const Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size() || node.inputs[input] == kNoValue) return std::nullopt;
  const Value& value = graph.value(node.inputs[input]);
  if (value.constant != nullptr) return value.constant->shape;
  if (value.shape.empty()) return std::nullopt;
  return value.shape;
}

bool AllWithin(const std::vector<int64_t>& values, int64_t low, int64_t high) {
  return std::all_of(values.begin(), values.end(),
                     [&](int64_t v) { return v >= low && v <= high; });
}

Result<std::vector<size_t>> NormalizeAxes(const Node& node, const std::vector<int64_t>& axes,
                                          size_t rank) {
  const auto signed_rank = static_cast<int64_t>(rank);
  std::vector<size_t> normalized;
  for (const int64_t axis : axes) {
    if (axis < -signed_rank || axis >= signed_rank) {
      return NodeError(node, "axis " + std::to_string(axis) + " of a tensor of " +
                                 std::to_string(rank) + " dimensions; export the model again");
    }
    const auto index = static_cast<size_t>(axis < 0 ? axis + signed_rank : axis);
    if (std::find(normalized.begin(), normalized.end(), index) != normalized.end()) {
      return NodeError(node, "axis " + std::to_string(axis) + " comes twice in " + ToString(axes));
    }
    normalized.push_back(index);
  }
  return normalized;
}

Result<size_t> AxisOf(const Node& node, int64_t fallback, size_t rank) {
  Result<std::vector<size_t>> axes = NormalizeAxes(node, {node.Int("axis", fallback)}, rank);
  if (!axes.ok()) return axes.status();
  return axes.value()[0];
}

Result<std::vector<size_t>> PermutationOf(const Node& node, const Shape& input) {
  std::vector<int64_t> order(input.size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = node.Ints("perm", order);
  Result<std::vector<size_t>> axes = NormalizeAxes(node, order, input.size());
  if (axes.ok() && axes.value().size() != input.size()) {
    return NodeError(node, "perm " + ToString(order) + " does not fit its input " +
                               ToString(input) + "; export the model again");
  }
  return axes;
}

std::optional<std::vector<int64_t>> AxesOf(const Graph& graph, const Node& node) {
  if (node.inputs.size() > 1 && node.inputs[1] != kNoValue) {
    const std::vector<int64_t>* axes = ConstantInts(graph, node, 1);
    if (axes == nullptr) return std::nullopt;
    return *axes;
  }
  return node.Ints("axes", {});
}

Result<std::optional<std::vector<size_t>>> ReducedAxes(const Graph& graph, const Node& node,
                                                       size_t rank) {
  const std::optional<std::vector<int64_t>> given = AxesOf(graph, node);
  if (!given.has_value()) return std::optional<std::vector<size_t>>();
  Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, rank);
  if (!axes.ok()) return axes.status();
  if (given->empty() && node.Int("noop_with_empty_axes", 0) == 0) {
    axes.value().resize(rank);
    std::iota(axes.value().begin(), axes.value().end(), size_t{0});
  }
  std::sort(axes.value().begin(), axes.value().end());
  return std::optional(std::move(axes).value());
}

bool PassesOn(const Graph& graph, const Node& dropout) {
  if (dropout.inputs.size() < 3 || dropout.inputs[2] == kNoValue) return true;
  const std::vector<int64_t>* training = ConstantInts(graph, dropout, 2);
  const std::vector<float>* ratio = ConstantFloats(graph, dropout, 1);
  if (ratio != nullptr && ratio->size() == 1 && (*ratio)[0] == 0) return true;
  return training != nullptr && training->size() == 1 && (*training)[0] == 0;
}

Result<std::optional<std::vector<AxisRange>>> SliceRanges(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value()) return std::optional<std::vector<AxisRange>>();
  const size_t rank = input->size();

  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> axis_numbers;
  std::vector<int64_t> steps;
  // Opset 9 has attributes; later opsets have inputs: starts, ends, axes, steps.
  if (node.inputs.size() == 1) {
    starts = node.Ints("starts", {});
    ends = node.Ints("ends", {});
    axis_numbers = node.Ints("axes", {});
  } else {
    std::vector<int64_t>* const targets[] = {&starts, &ends, &axis_numbers, &steps};
    for (size_t i = 1; i < node.inputs.size() && i < 5; ++i) {
      if (node.inputs[i] == kNoValue) continue;
      const std::vector<int64_t>* values = ConstantInts(graph, node, i);
      if (values == nullptr) return std::optional<std::vector<AxisRange>>();
      *targets[i - 1] = *values;
    }
  }
  if (axis_numbers.empty()) {
    for (size_t i = 0; i < starts.size(); ++i) axis_numbers.push_back(static_cast<int64_t>(i));
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axis_numbers.size() != starts.size() ||
      steps.size() != starts.size()) {
    return NodeError(node, "starts, ends, axes and steps differ in length; export the model again");
  }
  Result<std::vector<size_t>> axes = NormalizeAxes(node, axis_numbers, rank);
  if (!axes.ok()) return axes.status();

  std::vector<AxisRange> ranges;
  for (const int64_t size : *input) ranges.push_back({0, 1, size});
  for (size_t i = 0; i < starts.size(); ++i) {
    AxisRange& range = ranges[axes.value()[i]];
    const int64_t size = range.count;
    if (steps[i] == 0) return NodeError(node, "a step is 0; export the model again");
    // Steps larger than any axis all have the same effect. The clamp keeps the sums below from
    // overflowing.
    range.step = std::clamp(steps[i], -kMaximumElements, kMaximumElements);
    const bool forward = range.step > 0;
    const int64_t start = starts[i] < 0 ? starts[i] + size : starts[i];
    const int64_t end = ends[i] < 0 ? ends[i] + size : ends[i];
    range.start = std::clamp<int64_t>(start, 0, forward ? size : size - 1);
    const int64_t stop = std::clamp<int64_t>(end, forward ? 0 : -1, forward ? size : size - 1);
    const int64_t distance = forward ? stop - range.start : range.start - stop;
    const int64_t stride = forward ? range.step : -range.step;
    range.count = size == 0 || distance <= 0 ? 0 : (distance + stride - 1) / stride;
  }
  return std::optional(std::move(ranges));
}

Result<std::optional<Padding>> PaddingOf(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  std::vector<int64_t> pads;
  Padding padding;
  if (node.inputs.size() == 1) {  // before opset 11
    pads = node.Ints("pads", {});
    padding.value = node.Float("value", 0);
  } else {
    const std::vector<int64_t>* constant = ConstantInts(graph, node, 1);
    if (constant == nullptr) return std::optional<Padding>();
    pads = *constant;
    if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
      const Tensor* value = graph.ConstantInput(node, 2);
      if (value == nullptr || ElementCount(value->shape) != 1) return std::optional<Padding>();
      padding.value = value->is_float() ? value->floats()[0] : static_cast<float>(value->ints()[0]);
    }
  }
  if (!input.has_value()) return std::optional<Padding>();
  const size_t rank = input->size();
  if (node.inputs.size() > 3 && node.inputs[3] != kNoValue) {
    const std::vector<int64_t>* given = ConstantInts(graph, node, 3);
    if (given == nullptr) return std::optional<Padding>();
    Result<std::vector<size_t>> axes = NormalizeAxes(node, *given, rank);
    if (!axes.ok()) return axes.status();
    if (pads.size() == 2 * axes.value().size()) pads = SpreadPads(pads, axes.value(), rank);
  }
  if (pads.size() != 2 * rank || !AllWithin(pads, -kMaximumWindow, kMaximumWindow)) {
    return NodeError(node, "pads " + ToString(pads) + " do not fit its input " + ToString(*input) +
                               "; export the model again");
  }
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  padding.before.assign(pads.begin(), middle);
  padding.after.assign(middle, pads.end());
  return std::optional(std::move(padding));
}

std::optional<ClipBounds> ClipBoundsOf(const Graph& graph, const Node& node) {
  ClipBounds bounds = {std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
  bounds.low = node.Float("min", bounds.low);
  bounds.high = node.Float("max", bounds.high);
  float* const targets[] = {&bounds.low, &bounds.high};
  for (size_t i = 1; i < node.inputs.size() && i < 3; ++i) {
    if (node.inputs[i] == kNoValue) continue;
    const std::vector<float>* value = ConstantFloats(graph, node, i);
    if (value == nullptr || value->size() != 1) return std::nullopt;
    *targets[i - 1] = (*value)[0];
  }
  return bounds;
}

bool IsFloatingPoint(int64_t element_type) {
  return element_type == 1 || element_type == 10 || element_type == 11 ||
         element_type == 16;  // float, half, double, bfloat16
}

bool IsRectifier(const Graph& graph, const Node* node) {
  if (node == nullptr) return false;
  if (node->op == OpKind::kRelu) return true;
  if (node->op == OpKind::kQuantize) return node->Int("low", 0) >= 0;
  if (node->op != OpKind::kClip) return false;
  const std::optional<ClipBounds> bounds = ClipBoundsOf(graph, *node);
  return bounds.has_value() && bounds->low >= 0;
}

}  // namespace cssrun::converter
