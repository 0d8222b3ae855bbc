#include "converter/passes/split_leaky_relus.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/maps.h"
#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

class Splitter {
 public:
  explicit Splitter(Graph& graph)
      : graph_(graph), maps_(graph), only_reader_(graph.values.size(), kNone) {
    const std::vector<int> uses = graph.CountUses();
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const ValueId id : graph.nodes[i].inputs) {
        if (id != kNoValue && uses[static_cast<size_t>(id)] == 1) {
          only_reader_[static_cast<size_t>(id)] = i;
        }
      }
    }
  }

  void Run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    std::map<size_t, Node> behind;  // by the index of a MaxPool: the LeakyRelu that now reads it
    for (size_t i = 0; i < nodes.size(); ++i) {
      Place(std::move(nodes[i]), nodes, behind);
      // The LeakyRelu may move on, behind a later MaxPool.
      if (auto found = behind.find(i); found != behind.end()) {
        Place(std::move(found->second), nodes, behind);
      }
    }
  }

 private:
  // Splits a LeakyRelu, or moves it behind the MaxPool that alone reads it; adds any other node.
  void Place(Node node, std::vector<Node>& nodes, std::map<size_t, Node>& behind) {
    const std::optional<std::vector<float>> slopes = SlopesOf(node);
    if (!slopes.has_value()) {
      if (!node.outputs.empty() && node.outputs[0] != kNoValue) maps_.Add(node);
      graph_.nodes.push_back(std::move(node));
      return;
    }
    const size_t reader = only_reader_[static_cast<size_t>(node.outputs[0])];
    const bool rises = std::ranges::all_of(*slopes, [](float slope) { return slope >= 0; });
    if (rises && reader != kNone && nodes[reader].op == OpKind::kMaxPool &&
        nodes[reader].outputs.size() == 1) {
      Node& pool = nodes[reader];
      const Value& pooled = graph_.value(pool.outputs[0]);
      const ValueId largest = graph_.AddValue(pooled.name + ".max", pooled.shape);
      maps_.Grow();
      pool.inputs[0] = node.inputs[0];
      node.inputs[0] = largest;
      node.outputs[0] = std::exchange(pool.outputs[0], largest);
      behind.emplace(reader, std::move(node));
      return;
    }
    Split(node, *slopes);
  }

  // One slope, or one for each channel; nothing for other nodes and for what stays.
  std::optional<std::vector<float>> SlopesOf(const Node& node) const {
    if (node.op != OpKind::kLeakyRelu && node.op != OpKind::kPRelu) return std::nullopt;
    const std::optional<Shape> input = InputShape(graph_, node, 0);
    if (!input.has_value() || input->size() < 2 || node.outputs[0] == kNoValue) return std::nullopt;
    std::vector<float> slopes = {node.Float("alpha", 0.01F)};
    if (node.op == OpKind::kPRelu) {
      if (ConstantFloats(graph_, node, 1) == nullptr) return std::nullopt;
      const auto numbers = NumberPerChannel(*graph_.ConstantInput(node, 1), *input);
      if (!numbers.has_value()) return std::nullopt;
      slopes.assign(numbers->begin(), numbers->end());
    }
    if (!std::ranges::all_of(slopes, [](float slope) { return std::isfinite(slope); })) {
      return std::nullopt;
    }
    const bool equal = std::ranges::all_of(slopes, [&](float slope) { return slope == slopes[0]; });
    if (equal) slopes.resize(1);
    // A flattened map has fewer channels than its value has.
    const Shape& map = maps_.Of(node.inputs[0]);
    if (!equal && (map.empty() || map[0] != static_cast<int64_t>(slopes.size()))) {
      return std::nullopt;
    }
    return slopes;
  }

  void Split(const Node& node, std::vector<float> slopes) {
    const ValueId y = node.inputs[0];
    const ValueId output = node.outputs[0];
    if (slopes == std::vector<float>{0}) {
      Add({OpKind::kRelu, node.name, {y}, {output}, {}});
      return;
    }
    for (float& slope : slopes) slope = -slope;
    // Either half may be silent on all calibration images; that is no mistake in the model.
    const Attribute half = {"half", int64_t{1}};
    const ValueId positive = NewValue(node, ".positive");
    const ValueId turned = NewValue(node, ".turned");
    const ValueId negative = NewValue(node, ".negative");
    const ValueId sloped = NewValue(node, ".sloped");
    Add({OpKind::kRelu, node.name + ".positive", {y}, {positive}, {half}});
    Add({OpKind::kScale, node.name, {y, Factors(node, ".turn", {-1})}, {turned}, {}});
    Add({OpKind::kRelu, node.name + ".negative", {turned}, {negative}, {half}});
    Add({OpKind::kScale,
         node.name,
         {negative, Factors(node, ".slopes", std::move(slopes))},
         {sloped},
         {}});
    Add({OpKind::kAdd, node.name, {positive, sloped}, {output}, {}});
  }

  void Add(Node node) {
    maps_.Add(node);
    graph_.nodes.push_back(std::move(node));
  }

  ValueId NewValue(const Node& node, const char* suffix) {
    const Value& output = graph_.value(node.outputs[0]);
    const ValueId id = graph_.AddValue(output.name + suffix, output.shape);
    maps_.Grow();
    return id;
  }

  ValueId Factors(const Node& node, const char* suffix, std::vector<float> values) {
    const Shape shape = {static_cast<int64_t>(values.size())};
    const ValueId id =
        AddFloats(graph_, graph_.value(node.outputs[0]).name + suffix, shape, std::move(values));
    maps_.Grow();
    return id;
  }

  Graph& graph_;
  Maps maps_;
  std::vector<size_t> only_reader_;  // by ValueId: the only node that reads it, or kNone
};

}  // namespace

Status SplitLeakyRelus(Graph& graph) {
  const bool any = std::ranges::any_of(graph.nodes, [](const Node& node) {
    return node.op == OpKind::kLeakyRelu || node.op == OpKind::kPRelu;
  });
  if (any) Splitter(graph).Run();
  return Status::Ok();
}

}  // namespace cssrun::converter
