#include "converter/passes/normalize.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/deconvolution.h"
#include "converter/operators/resize.h"
#include "converter/passes/limits.h"
#include "converter/passes/sweep.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

const std::string& OutputName(const Graph& graph, const Node& node) {
  return graph.value(node.outputs[0]).name;
}

void SetWindow(const Window& window, Node& node) {
  SetAttribute(node, "kernel_shape",
               std::vector<int64_t>(window.kernel.begin(), window.kernel.end()));
  SetAttribute(node, "strides", std::vector<int64_t>(window.stride.begin(), window.stride.end()));
  SetAttribute(node, "dilations",
               std::vector<int64_t>(window.dilation.begin(), window.dilation.end()));
  SetAttribute(node, "pads",
               std::vector<int64_t>{window.pad_before[0], window.pad_before[1], window.pad_after[0],
                                    window.pad_after[1]});
  std::erase_if(node.attributes, [](const Attribute& attribute) {
    return attribute.name == "auto_pad" || attribute.name == "ceil_mode";
  });
}

Status NormalizeWindow(const Graph& graph, Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || input->size() != 4) return Status::Ok();
  // A Conv without known weights has no kernel size yet.
  if (node.op == OpKind::kConv && !InputShape(graph, node, 1).has_value()) return Status::Ok();
  Result<Window> window = WindowOf(graph, node, *input);
  if (!window.ok()) return window.status();
  const Window& w = window.value();
  if (node.op == OpKind::kConv) SetAttribute(node, "group", node.Int("group", 1));
  SetWindow(w, node);
  return Status::Ok();
}

bool IsPadded(const Window& w) {
  return std::max({w.pad_before[0], w.pad_before[1], w.pad_after[0], w.pad_after[1]}) > 0;
}

// Afterwards count_include_pad is 1 if all windows have equally many members, and 0 otherwise.
Status NormalizeAveragePool(Graph& graph, Node node, std::vector<Node>& output) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || input->size() != 4) {
    output.push_back(std::move(node));
    return Status::Ok();
  }
  Result<Window> window = WindowOf(graph, node, *input);
  if (!window.ok()) return window.status();
  Window& w = window.value();
  const bool overhangs = w.overhang[0] > 0 || w.overhang[1] > 0;
  bool counts_padding = !IsPadded(w) || node.Int("count_include_pad", 0) != 0;
  if (counts_padding && overhangs) {
    // The stated padding counts as zeros; the padding that ceil_mode adds does not count.
    Window stated = w;
    for (size_t axis = 0; axis < 2; ++axis) {
      stated.pad_after[axis] -= w.overhang[axis];
      w.pad_before[axis] = 0;
      w.pad_after[axis] = w.overhang[axis];
    }
    if (IsPadded(stated)) {
      const std::string name = OutputName(graph, node) + ".padded";
      const auto& [before, after] = std::pair(stated.pad_before, stated.pad_after);
      Node pad;
      pad.op = OpKind::kPad;
      pad.name = node.name;
      pad.inputs = {
          node.inputs[0],
          AddInts(graph, name + ".pads", {0, 0, before[0], before[1], 0, 0, after[0], after[1]})};
      Shape shape = *input;
      for (size_t axis = 0; axis < 2; ++axis) shape[axis + 2] += before[axis] + after[axis];
      pad.outputs = {graph.AddValue(name, std::move(shape))};
      node.inputs = pad.outputs;
      output.push_back(std::move(pad));
    }
    counts_padding = false;
  }
  SetAttribute(node, "count_include_pad", int64_t{counts_padding});
  SetWindow(w, node);
  output.push_back(std::move(node));
  return Status::Ok();
}

Status NormalizeSlice(Graph& graph, Node& node) {
  Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, node);
  if (!ranges.ok()) return ranges.status();
  if (!ranges.value().has_value()) return Status::Ok();
  SetSlice(graph, *ranges.value(), node);
  return Status::Ok();
}

Status NormalizePad(Graph& graph, Node& node) {
  Result<std::optional<Padding>> padding = PaddingOf(graph, node);
  if (!padding.ok()) return padding.status();
  if (!padding.value().has_value()) return Status::Ok();
  std::vector<int64_t> pads = padding.value()->before;
  pads.insert(pads.end(), padding.value()->after.begin(), padding.value()->after.end());
  const std::string name = OutputName(graph, node);
  const float value = padding.value()->value;
  node.inputs.resize(1);
  node.inputs.push_back(AddInts(graph, name + ".pads", std::move(pads)));
  if (value != 0) node.inputs.push_back(AddFloats(graph, name + ".value", {}, {value}));
  std::erase_if(node.attributes, [](const Attribute& a) { return a.name != "mode"; });
  return Status::Ok();
}

// The window of a node that reduces a map over rows, columns or both; none for other axes.
Result<std::optional<Window>> ReducedWindow(const Graph& graph, const Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || input->size() != 4) return std::optional<Window>();
  Result<std::optional<std::vector<size_t>>> axes = ReducedAxes(graph, node, 4);
  if (!axes.ok()) return axes.status();
  if (!axes.value().has_value() || axes.value()->empty() || axes.value()->front() < 2) {
    return std::optional<Window>();
  }
  Window window;
  for (const size_t axis : *axes.value()) window.kernel[axis - 2] = (*input)[axis];
  return std::optional(window);
}

// A pool, and a Reshape when the reduction dropped dimensions.
void NormalizeReduction(Graph& graph, Node node, const Window& window, std::vector<Node>& output) {
  const bool keeps = node.Int("keepdims", 1) != 0;
  const Shape input = *InputShape(graph, node, 0);
  node.inputs.resize(1);
  node.attributes.clear();
  if (node.op == OpKind::kReduceMax) {
    node.op = OpKind::kMaxPool;
    SetWindow(window, node);
  } else if (window.kernel[0] == input[2] && window.kernel[1] == input[3]) {
    node.op = OpKind::kGlobalAveragePool;
  } else {
    node.op = OpKind::kAveragePool;
    SetWindow(window, node);
    SetAttribute(node, "count_include_pad", int64_t{1});
  }
  if (keeps) {
    output.push_back(std::move(node));
    return;
  }
  Node reshape{OpKind::kReshape, node.name, {}, node.outputs, {}};
  const std::string name = OutputName(graph, node);
  const Shape dropped = graph.value(node.outputs[0]).shape;
  const Shape pooled = {input[0], input[1], input[2] / window.kernel[0],
                        input[3] / window.kernel[1]};
  node.outputs = {graph.AddValue(name + ".pooled", pooled)};
  reshape.inputs = {node.outputs[0], AddInts(graph, name + ".shape", dropped)};
  output.push_back(std::move(node));
  output.push_back(std::move(reshape));
}

void NormalizeGlobalMaxPool(const Graph& graph, Node& node) {
  const std::optional<Shape> input = InputShape(graph, node, 0);
  if (!input.has_value() || input->size() != 4) return;
  node.op = OpKind::kMaxPool;
  Window window;
  window.kernel = {(*input)[2], (*input)[3]};
  SetWindow(window, node);
}

void NormalizeSum(Graph& graph, Node node, std::vector<Node>& output) {
  ValueId sum = node.inputs[0];
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    Node add;
    add.op = OpKind::kAdd;
    add.name = node.name;
    add.inputs = {sum, node.inputs[i]};
    const bool last = i + 1 == node.inputs.size();
    Shape shape;
    if (!graph.value(node.outputs[0]).shape.empty()) {
      shape = Broadcast(graph.value(add.inputs[0]).shape, graph.value(add.inputs[1]).shape)
                  .value_or(Shape());
    }
    sum = last
              ? node.outputs[0]
              : graph.AddValue(OutputName(graph, node) + "." + std::to_string(i), std::move(shape));
    add.outputs = {sum};
    output.push_back(std::move(add));
  }
}

}  // namespace

void SetSlice(Graph& graph, const std::vector<AxisRange>& ranges, Node& node) {
  const Shape input = *InputShape(graph, node, 0);
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> axes;
  std::vector<int64_t> steps;
  for (size_t i = 0; i < input.size(); ++i) {
    const AxisRange& range = ranges[i];
    if (range.start == 0 && range.step == 1 && range.count == input[i]) continue;
    const int64_t last = range.start + (range.count - 1) * range.step;
    starts.push_back(range.start);
    // A backward slice down to element 0 ends before it; "-1" would mean the last element.
    ends.push_back(range.count == 0 ? range.start
                   : range.step > 0 ? last + 1
                   : last > 0       ? last - 1
                                    : std::numeric_limits<int64_t>::min());
    axes.push_back(static_cast<int64_t>(i));
    steps.push_back(range.step);
  }
  const std::string name = OutputName(graph, node);
  node.inputs.resize(1);
  node.inputs.push_back(AddInts(graph, name + ".starts", std::move(starts)));
  node.inputs.push_back(AddInts(graph, name + ".ends", std::move(ends)));
  node.inputs.push_back(AddInts(graph, name + ".axes", std::move(axes)));
  node.inputs.push_back(AddInts(graph, name + ".steps", std::move(steps)));
  node.attributes.clear();
}

Status Normalize(Graph& graph) {
  std::vector<Node> normalized;
  normalized.reserve(graph.nodes.size());
  for (Node& node : graph.nodes) {
    if (node.inputs.empty() || node.outputs.empty() || node.outputs[0] == kNoValue) {
      normalized.push_back(std::move(node));
      continue;
    }
    Status status;
    if (node.op == OpKind::kConv || node.op == OpKind::kMaxPool) {
      status = NormalizeWindow(graph, node);
    } else if (node.op == OpKind::kAveragePool) {
      status = NormalizeAveragePool(graph, std::move(node), normalized);
      if (!status.ok()) return status;
      continue;
    } else if (node.op == OpKind::kConvTranspose) {
      status = NormalizeConvTranspose(graph, node);
    } else if (node.op == OpKind::kResize || node.op == OpKind::kUpsample) {
      status = NormalizeResize(graph, node);
    } else if (node.op == OpKind::kSlice) {
      status = NormalizeSlice(graph, node);
    } else if (node.op == OpKind::kPad) {
      status = NormalizePad(graph, node);
    } else if (IsOneOf(node.op, {OpKind::kClip, OpKind::kMax, OpKind::kMin})) {
      NormalizeLimits(graph, std::move(node), normalized);
      continue;
    } else if (node.op == OpKind::kGlobalMaxPool) {
      NormalizeGlobalMaxPool(graph, node);
    } else if (node.op == OpKind::kReduceMean || node.op == OpKind::kReduceMax) {
      Result<std::optional<Window>> window = ReducedWindow(graph, node);
      if (!window.ok()) return window.status();
      if (window.value().has_value()) {
        NormalizeReduction(graph, std::move(node), *window.value(), normalized);
        continue;
      }
    } else if (node.op == OpKind::kSum && node.inputs.size() > 1) {
      NormalizeSum(graph, std::move(node), normalized);
      continue;
    } else if (node.op == OpKind::kSum) {
      node.op = OpKind::kIdentity;
    }
    if (!status.ok()) return status;
    normalized.push_back(std::move(node));
  }
  graph.nodes = std::move(normalized);
  return Status::Ok();
}

}  // namespace cssrun::converter
