#include "converter/passes/fold_quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// Set where a Quantize stands for a Relu, too.
constexpr const char* kRectifies = "rectifies";

// The integers that a quantized value can take, from `low` to `high`; `zero` stands for 0.
struct Grid {
  float step = 0;
  int64_t zero = 0;
  int64_t low = 0;
  int64_t high = 0;
};

// Of a QuantizeLinear or DequantizeLinear with one scale for the whole tensor.
std::optional<Grid> GridOf(const Graph& graph, const Node& node) {
  if (node.inputs.size() < 2) return std::nullopt;
  const std::vector<float>* scale = ConstantFloats(graph, node, 1);
  if (scale == nullptr || scale->size() != 1 || !((*scale)[0] > 0)) return std::nullopt;
  Grid grid;
  grid.step = (*scale)[0];
  grid.high = 255;  // without a zero point: uint8
  const Tensor* zero = node.inputs.size() > 2 ? graph.ConstantInput(node, 2) : nullptr;
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue && zero == nullptr) return std::nullopt;
  if (zero != nullptr) {
    if (zero->is_float() || zero->ints().size() != 1) return std::nullopt;
    grid.zero = zero->ints()[0];
    if (zero->is_signed) {
      grid.low = -128;
      grid.high = 127;
    }
  }
  return grid;
}

// Applies a Clip between QuantizeLinear and DequantizeLinear, whose bounds are integers.
bool Tighten(const Graph& graph, const Node& clip, Grid& grid) {
  for (const size_t input : {size_t{1}, size_t{2}}) {
    if (clip.inputs.size() <= input || clip.inputs[input] == kNoValue) continue;
    const std::vector<int64_t>* bound = ConstantInts(graph, clip, input);
    if (bound == nullptr || bound->size() != 1) return false;
    if (input == 1) {
      grid.low = std::max(grid.low, (*bound)[0]);
    } else {
      grid.high = std::min(grid.high, (*bound)[0]);
    }
  }
  return grid.low < grid.high;
}

class Folding {
 public:
  explicit Folding(Graph& graph) : graph_(graph), sweep_(graph) {}

  void Run() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      Node& node = sweep_.Visit(i);
      if (node.inputs.empty() || node.outputs.empty()) continue;
      if (node.op == OpKind::kDequantizeLinear) FoldDequantize(node);
      if (node.op == OpKind::kRelu) JoinRelu(node);
    }
    for (const GraphOutput& output : graph_.outputs) DropLast(output);
    sweep_.Finish();
  }

 private:
  // What rounds the logits brings nothing but ties.
  void DropLast(const GraphOutput& output) {
    Node* last = sweep_.Producer(output.value);
    while (last != nullptr && sweep_.OnlyReader(last->outputs[0]) && HandsOn(*last)) {
      last = sweep_.Producer(last->inputs[0]);
    }
    if (last == nullptr || last->op != OpKind::kQuantize || last->Int(kRectifies, 0) != 0) return;
    const Shape& shape = graph_.value(last->inputs[0]).shape;
    const bool vector = shape.size() > 1 && ElementCount(shape) == shape[1];
    if (vector && sweep_.OnlyReader(last->outputs[0])) sweep_.Replace(*last, last->inputs[0]);
  }

  static bool HandsOn(const Node& node) {
    return OperatorOf(node.op).elements == ElementRule::kReshaped || node.op == OpKind::kSoftmax ||
           node.op == OpKind::kLogSoftmax;
  }

  void FoldDequantize(Node& node) {
    const std::optional<Grid> outer = GridOf(graph_, node);
    const ValueId integers = node.inputs[0];
    if (outer.has_value() && FoldBehindSelection(node, *outer)) return;
    Node* producer = sweep_.Producer(integers);
    const Node* clip = nullptr;
    if (producer != nullptr && producer->op == OpKind::kClip) {
      clip = producer;
      producer = sweep_.Producer(clip->inputs[0]);
    }
    if (!outer.has_value() || producer == nullptr || producer->op != OpKind::kQuantizeLinear)
      return;
    std::optional<Grid> grid = GridOf(graph_, *producer);
    if (!grid.has_value() || grid->step != outer->step || grid->zero != outer->zero) return;
    if (clip != nullptr && !Tighten(graph_, *clip, *grid)) return;

    // Several readers of one quantized value: one Quantize.
    const auto [known, is_new] = folded_.emplace(integers, node.outputs[0]);
    if (!is_new) {
      sweep_.Replace(node, known->second);
      return;
    }
    int64_t low = grid->low - grid->zero;
    bool rectifies = false;
    const int64_t high = grid->high - grid->zero;
    ValueId source = producer->inputs[0];
    if (IsOnGrid(source, grid->step, low, high)) {  // rounded before
      sweep_.Replace(node, source);
      folded_[integers] = source;
      return;
    }
    if (const Node* relu = sweep_.Producer(source); relu != nullptr && relu->op == OpKind::kRelu) {
      low = std::max<int64_t>(low, 0);
      source = relu->inputs[0];
      rectifies = true;
    }
    if (high <= low) return;
    MakeQuantize(node, source, grid->step, low, high, rectifies);
  }

  // Operators that hand on integers, such as a max pool between two of a QOperator model, hand on
  // the floats that they mean all the same: the QuantizeLinear before them becomes the Quantize.
  bool FoldBehindSelection(Node& node, const Grid& grid) {
    ValueId at = node.inputs[0];
    Node* producer = sweep_.Producer(at);
    bool between = false;
    while (producer != nullptr && sweep_.OnlyReader(at) && producer->op != OpKind::kRelu &&
           OperatorOf(producer->op).elements != ElementRule::kComputed) {
      between = true;
      at = producer->inputs[0];
      producer = sweep_.Producer(at);
    }
    if (producer == nullptr) return false;
    if (producer->op == OpKind::kQuantizeLinear && between) {
      const std::optional<Grid> inner = GridOf(graph_, *producer);
      if (!inner.has_value() || inner->step != grid.step || inner->zero != grid.zero) return false;
      ValueId source = producer->inputs[0];
      int64_t low = inner->low - inner->zero;
      const Node* relu = sweep_.Producer(source);
      const bool rectifies = relu != nullptr && relu->op == OpKind::kRelu;
      if (rectifies) {
        low = std::max<int64_t>(low, 0);
        source = relu->inputs[0];
      }
      MakeQuantize(*producer, source, grid.step, low, inner->high - inner->zero, rectifies);
      between_.insert(producer->outputs[0]);
    }
    if (producer->op != OpKind::kQuantize || !between_.contains(producer->outputs[0]) ||
        producer->Float("step", 0) != grid.step) {
      return false;
    }
    sweep_.Replace(node, node.inputs[0]);
    return true;
  }

  void MakeQuantize(Node& node, ValueId source, float step, int64_t low, int64_t high,
                    bool rectifies) {
    node.op = OpKind::kQuantize;
    node.attributes.clear();
    SetAttribute(node, "step", step);
    SetAttribute(node, "low", low);
    SetAttribute(node, "high", high);
    if (rectifies) SetAttribute(node, kRectifies, int64_t{1});
    node.inputs.resize(1);
    sweep_.SetInput(node, 0, source);
  }

  // relu(quantize(x)) is quantize(x) with the lower limit 0.
  void JoinRelu(Node& node) {
    Node* producer = sweep_.Producer(node.inputs[0]);
    if (producer == nullptr || producer->op != OpKind::kQuantize) return;
    if (producer->Int("low", 0) < 0) {
      if (!sweep_.OnlyReader(node.inputs[0]) || producer->Int("high", 0) <= 0) return;
      SetAttribute(*producer, "low", int64_t{0});
      SetAttribute(*producer, kRectifies, int64_t{1});
    }
    sweep_.Replace(node, node.inputs[0]);
  }

  bool IsOnGrid(ValueId id, float step, int64_t low, int64_t high) {
    const Node* producer = sweep_.Producer(id);
    // Through operators that hand on values of a grid, or choose among them.
    while (producer != nullptr && OperatorOf(producer->op).elements != ElementRule::kComputed) {
      producer = sweep_.Producer(producer->inputs[0]);
    }
    return producer != nullptr && producer->op == OpKind::kQuantize &&
           producer->Float("step", 0) == step && producer->Int("low", 0) >= low &&
           producer->Int("high", 0) <= high;
  }

  Graph& graph_;
  Sweep sweep_;
  std::unordered_set<ValueId> between_;          // outputs of Quantizes that were made in place
  std::unordered_map<ValueId, ValueId> folded_;  // quantized integers to the floats they mean
};

}  // namespace

Status FoldQuantization(Graph& graph) {
  Folding(graph).Run();
  return Status::Ok();
}

}  // namespace cssrun::converter
