#include "converter/window.h"

#include <algorithm>
#include <optional>
#include <string>

#include "converter/operator_attributes.h"

namespace cssrun::converter {
namespace {

Status WindowError(const Node& node, const std::string& attribute,
                   const std::vector<int64_t>& values) {
  return NodeError(node, attribute + " is " + ToString(values) +
                             ", which no two-dimensional window can have; export the model again");
}

// The ways in which a node can state its padding.
enum class AutoPad { kExplicit, kSameUpper, kSameLower, kNone };

std::optional<AutoPad> AutoPadOf(const Node& node) {
  const std::string name = node.String("auto_pad", "NOTSET");
  if (name == "NOTSET") return AutoPad::kExplicit;
  if (name == "SAME_UPPER") return AutoPad::kSameUpper;
  if (name == "SAME_LOWER") return AutoPad::kSameLower;
  if (name == "VALID") return AutoPad::kNone;
  return std::nullopt;
}

// Computes for rows or columns how many positions the window takes, and the padding that this
// needs.
void Place(Window& window, size_t axis, int64_t size, AutoPad auto_pad, bool ceil_mode) {
  const int64_t reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
  const int64_t stride = window.stride[axis];
  int64_t& before = window.pad_before[axis];
  int64_t& after = window.pad_after[axis];
  int64_t& positions = window.positions[axis];
  if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower) {
    positions = (size + stride - 1) / stride;
    const int64_t total = std::max<int64_t>((positions - 1) * stride + reach - size, 0);
    before = auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
    after = total - before;
    return;
  }
  if (auto_pad == AutoPad::kNone) before = after = 0;
  const int64_t room = size + before + after - reach;
  if (room < 0) {
    positions = 0;
    return;
  }
  positions = room / stride + 1;
  if (!ceil_mode || room % stride == 0) return;
  // ceil_mode adds one more window, unless it would start in the padding after the map.
  if (positions * stride >= size + before) return;
  ++positions;
  window.overhang[axis] = (positions - 1) * stride - room;
  after += window.overhang[axis];
}

}  // namespace

Result<Window> WindowOf(const Graph& graph, const Node& node, const Shape& input) {
  const bool is_pool = node.op != OpKind::kConv;
  std::vector<int64_t> kernel = node.Ints("kernel_shape", {});
  if (!is_pool) {
    const std::optional<Shape> weights = InputShape(graph, node, 1);
    if (weights.has_value() && weights->size() == 4) {
      const std::vector<int64_t> of_weights = {(*weights)[2], (*weights)[3]};
      if (!kernel.empty() && kernel != of_weights) {
        return NodeError(node, "kernel_shape is " + ToString(kernel) + " but the weights are " +
                                   ToString(*weights) + "; export the model again");
      }
      kernel = of_weights;
    }
  }
  const std::vector<int64_t> strides = node.Ints("strides", {1, 1});
  const std::vector<int64_t> dilations = node.Ints("dilations", {1, 1});
  const std::vector<int64_t> pads = node.Ints("pads", {0, 0, 0, 0});
  if (kernel.size() != 2 || !AllWithin(kernel, 1, kMaximumWindow)) {
    return WindowError(node, "kernel_shape", kernel);
  }
  if (strides.size() != 2 || !AllWithin(strides, 1, kMaximumWindow)) {
    return WindowError(node, "strides", strides);
  }
  if (dilations.size() != 2 || !AllWithin(dilations, 1, kMaximumWindow)) {
    return WindowError(node, "dilations", dilations);
  }
  if (pads.size() != 4 || !AllWithin(pads, 0, kMaximumWindow)) {
    return WindowError(node, "pads", pads);
  }
  const std::optional<AutoPad> auto_pad = AutoPadOf(node);
  if (!auto_pad.has_value()) {
    return NodeError(node, "auto_pad \"" + node.String("auto_pad", "") +
                               "\" is unknown; export the model again");
  }
  Window window;
  for (size_t axis = 0; axis < 2; ++axis) {
    window.kernel[axis] = kernel[axis];
    window.stride[axis] = strides[axis];
    window.dilation[axis] = dilations[axis];
    window.pad_before[axis] = pads[axis];
    window.pad_after[axis] = pads[axis + 2];
    const int64_t size = input[axis + 2];
    Place(window, axis, size, *auto_pad, is_pool && node.Int("ceil_mode", 0) != 0);
    if (window.positions[axis] < 1) {
      return NodeError(node, "the window " + ToString(kernel) + " does not fit into its input " +
                                 ToString(input) + "; use a larger image size");
    }
    // A pool over padding only has no value.
    if (is_pool && !EveryPositionSeesTheMap(window, axis, size)) {
      return NodeError(node, "the padding " + ToString(pads) + " is not smaller than the window " +
                                 ToString(kernel) + "; export the model again");
    }
  }
  return window;
}

Window WholeMap(const Shape& input) {
  Window window;
  window.kernel = {input[2], input[3]};
  window.positions = {1, 1};
  return window;
}

bool EveryPositionSeesTheMap(const Window& window, size_t axis, int64_t size) {
  const int64_t reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
  const int64_t last = (window.positions[axis] - 1) * window.stride[axis] - window.pad_before[axis];
  return window.pad_before[axis] < reach && last < size;
}

format::Window StoredWindow(const Window& w) {
  const auto stored = [](int64_t value) { return static_cast<int32_t>(value); };
  return {stored(w.kernel[0]),    stored(w.kernel[1]),     stored(w.stride[0]),
          stored(w.stride[1]),    stored(w.pad_before[0]), stored(w.pad_before[1]),
          stored(w.pad_after[0]), stored(w.pad_after[1]),  stored(w.dilation[0]),
          stored(w.dilation[1])};
}

WindowAxis RowsOf(const format::Window& w) {
  return {w.kernel_y(), w.stride_y(), w.pad_top(), w.dilation_y()};
}

WindowAxis ColumnsOf(const format::Window& w) {
  return {w.kernel_x(), w.stride_x(), w.pad_left(), w.dilation_x()};
}

uint64_t ExistingReads(const WindowAxis& axis, int64_t size, int64_t positions, int64_t spread) {
  uint64_t reads = 0;
  for (int64_t o = 0; o < positions; ++o) {
    for (int64_t k = 0; k < axis.kernel; ++k) {
      const int64_t i = o * axis.stride - axis.pad_before + k * axis.dilation;
      if (i >= 0 && i % spread == 0 && i / spread < size) ++reads;
    }
  }
  return reads;
}

int32_t PadAfter(const WindowAxis& axis, int64_t size, int64_t positions) {
  const int64_t end = (positions - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1;
  return static_cast<int32_t>(end - size - axis.pad_before);
}

std::vector<EqualWindows> FindEqualWindows(const WindowAxis& axis, int64_t size,
                                           int64_t positions) {
  std::vector<EqualWindows> runs;
  for (int64_t o = 0; o < positions; ++o) {
    const int64_t first = o * axis.stride - axis.pad_before;
    const int64_t members = std::min(first + axis.kernel, size) - std::max<int64_t>(first, 0);
    if (runs.empty() || runs.back().members != members) runs.push_back({o, 0, members});
    ++runs.back().count;
  }
  return runs;
}

}  // namespace cssrun::converter
