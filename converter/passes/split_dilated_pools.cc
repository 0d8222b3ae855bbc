#include "converter/passes/split_dilated_pools.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/normalize.h"
#include "converter/passes/sweep.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

// Each is a layer of neurons; a hostile file may ask for many.
constexpr int64_t kMostPools = 64;

// Every r-th output along one axis, from one on: a pool of the elements that these read.
struct Phase {
  AxisRange elements;
  int64_t stride = 1;
  int64_t pad_before = 0;
  int64_t pad_after = 0;
  int64_t positions = 0;
};

std::vector<Phase> PhasesOf(const Window& w, size_t axis, int64_t size) {
  const int64_t dilation = w.dilation[axis];
  const int64_t common = std::gcd(w.stride[axis], dilation);
  const int64_t count = std::min(dilation / common, w.positions[axis]);
  std::vector<Phase> phases;
  for (int64_t first = 0; first < count; ++first) {
    Phase phase;
    // The first window begins here, perhaps in the padding.
    const int64_t begin = first * w.stride[axis] - w.pad_before[axis];
    phase.elements.step = dilation;
    phase.elements.start = begin >= 0 ? begin : (begin % dilation + dilation) % dilation;
    phase.stride = w.stride[axis] / common;
    phase.pad_before = (phase.elements.start - begin) / dilation;
    phase.positions = (w.positions[axis] - first + dilation / common - 1) / (dilation / common);
    const int64_t reach = (phase.positions - 1) * phase.stride + w.kernel[axis] - phase.pad_before;
    const int64_t there = (size - phase.elements.start + dilation - 1) / dilation;
    phase.elements.count = std::min(there, reach);
    phase.pad_after = reach - phase.elements.count;
    phases.push_back(phase);
  }
  return phases;
}

class PoolSplitter {
 public:
  explicit PoolSplitter(Graph& graph) : graph_(graph) {}

  Status Run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      if (IsDilated(node)) {
        Result<bool> split = Split(node);
        if (!split.ok()) return split.status();
        if (split.value()) continue;
      }
      graph_.nodes.push_back(std::move(node));
    }
    return Status::Ok();
  }

 private:
  bool IsDilated(const Node& node) const {
    const std::optional<Shape> input = InputShape(graph_, node, 0);
    const bool indices = node.outputs.size() > 1 && node.outputs[1] != kNoValue;
    return node.op == OpKind::kMaxPool && input.has_value() && input->size() == 4 && !indices &&
           node.Ints("dilations", {1, 1}) != std::vector<int64_t>{1, 1};
  }

  // False where the pool stays, to be refused.
  Result<bool> Split(const Node& pool) {
    const Shape input = graph_.value(pool.inputs[0]).shape;
    Result<Window> window = WindowOf(graph_, pool, input);
    if (!window.ok()) return window.status();
    const std::vector<Phase> rows = PhasesOf(window.value(), 0, input[2]);
    const std::vector<Phase> columns = PhasesOf(window.value(), 1, input[3]);
    const auto across = static_cast<int64_t>(columns.size());
    const auto count = static_cast<int64_t>(rows.size()) * across;
    if (count > kMostPools) return false;
    ValueId sum = kNoValue;
    for (size_t y = 0; y < rows.size(); ++y) {
      for (size_t x = 0; x < columns.size(); ++x) {
        if (count == 1) {
          Pooled(pool, window.value(), rows[y], columns[x], pool.outputs[0]);
          return true;
        }
        ValueId part = Pooled(pool, window.value(), rows[y], columns[x], kNoValue);
        part = Spread(pool, part, {static_cast<int64_t>(rows.size()), across},
                      {static_cast<int64_t>(y), static_cast<int64_t>(x)});
        const bool last = y + 1 == rows.size() && x + 1 == columns.size();
        sum = sum == kNoValue ? part : Sum(pool, sum, part, last ? pool.outputs[0] : kNoValue);
      }
    }
    return true;
  }

  // Adds a node whose output is a new value of this shape.
  ValueId Add(Node node, Shape shape) {
    node.outputs = {graph_.AddValue(node.name + ".phase" + std::to_string(graph_.values.size()),
                                    std::move(shape))};
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back().outputs[0];
  }

  ValueId Pooled(const Node& pool, const Window& w, const Phase& y, const Phase& x, ValueId to) {
    const Shape from = graph_.value(pool.inputs[0]).shape;
    Node slice{OpKind::kSlice, pool.name, {pool.inputs[0]}, {pool.outputs[0]}, {}};
    SetSlice(graph_, {{0, 1, 1}, {0, 1, from[1]}, y.elements, x.elements}, slice);
    const ValueId part = Add(std::move(slice), {1, from[1], y.elements.count, x.elements.count});
    Node plain{OpKind::kMaxPool, pool.name, {part}, {to}, {}};
    plain.attributes = {
        {"kernel_shape", std::vector<int64_t>{w.kernel[0], w.kernel[1]}},
        {"strides", std::vector<int64_t>{y.stride, x.stride}},
        {"dilations", std::vector<int64_t>{1, 1}},
        {"pads", std::vector<int64_t>{y.pad_before, x.pad_before, y.pad_after, x.pad_after}}};
    if (to == kNoValue) return Add(std::move(plain), {1, from[1], y.positions, x.positions});
    graph_.nodes.push_back(std::move(plain));
    return to;
  }

  // The outputs of a phase where the pool has them, and zeros elsewhere. Row `i` of the phase is
  // row i * step + first: the tap `first` of a kernel that reaches to the end of the output.
  ValueId Spread(const Node& pool, ValueId part, std::array<int64_t, 2> step,
                 std::array<int64_t, 2> first) {
    const Shape from = graph_.value(part).shape;
    const Shape to = graph_.value(pool.outputs[0]).shape;
    const int64_t rows = to[2] - (from[2] - 1) * step[0];
    const int64_t columns = to[3] - (from[3] - 1) * step[1];
    std::vector<float> weights(static_cast<size_t>(to[1] * rows * columns), 0.0F);
    for (int64_t c = 0; c < to[1]; ++c) {
      weights[static_cast<size_t>((c * rows + first[0]) * columns + first[1])] = 1;
    }
    Node spread{OpKind::kDeconvolution, pool.name, {part}, {}, {}};
    spread.inputs.push_back(
        AddFloats(graph_, pool.name + ".phase", {to[1], 1, rows, columns}, std::move(weights)));
    spread.attributes = {{"kernel_shape", std::vector<int64_t>{rows, columns}},
                         {"strides", std::vector<int64_t>{step[0], step[1]}},
                         {"dilations", std::vector<int64_t>{1, 1}},
                         {"pads", std::vector<int64_t>{0, 0, 0, 0}},
                         {"group", to[1]}};
    return Add(std::move(spread), to);
  }

  ValueId Sum(const Node& pool, ValueId a, ValueId b, ValueId to) {
    Node add{OpKind::kAdd, pool.name, {a, b}, {to}, {}};
    if (to == kNoValue) return Add(std::move(add), graph_.value(a).shape);
    graph_.nodes.push_back(std::move(add));
    return to;
  }

  Graph& graph_;
};

}  // namespace

Status SplitDilatedPools(Graph& graph) { return PoolSplitter(graph).Run(); }

}  // namespace cssrun::converter
