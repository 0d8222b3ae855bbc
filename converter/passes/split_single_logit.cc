#include "converter/passes/split_single_logit.h"

#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// The halves of -z and z.
std::vector<float> Halves(const std::vector<float>& values) {
  std::vector<float> halves;
  halves.reserve(2 * values.size());
  for (const float v : values) halves.push_back(-v / 2);
  for (const float v : values) halves.push_back(v / 2);
  return halves;
}

// The node that makes the logit, behind what only gives it another shape; null if it has other
// readers.
Node* ProducerOfLogit(Graph& graph) {
  const std::vector<int> uses = graph.CountUses();
  ValueId wanted = graph.outputs.front().value;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    Node& node = graph.nodes[i];
    if (node.outputs.empty() || node.outputs[0] != wanted) continue;
    if (uses[static_cast<size_t>(wanted)] != 1) return nullptr;
    if (OperatorOf(node.op).elements != ElementRule::kReshaped) return &node;
    wanted = node.inputs[0];
  }
  return nullptr;
}

void SetOutput(Graph& graph, ValueId logits) {
  graph.value(logits).shape = {1, 2};
  graph.outputs.front().value = logits;
  graph.outputs.front().shape.clear();
  graph.outputs.front().order.clear();
}

// A fully connected layer gets its one row of weights twice.
void Double(Graph& graph, Node& gemm) {
  const Tensor& weights = *graph.ConstantInput(gemm, 1);
  std::vector<float> halves = Halves(weights.floats());
  const int64_t inputs = weights.shape[1];
  const std::string name = graph.value(gemm.inputs[1]).name;
  gemm.inputs[1] = AddFloats(graph, name, {2, inputs}, std::move(halves));
  if (const std::vector<float>* bias = ConstantFloats(graph, gemm, 2); bias != nullptr) {
    std::vector<float> both = Halves(*bias);
    gemm.inputs[2] = AddFloats(graph, graph.value(gemm.inputs[2]).name, {2}, std::move(both));
  }
  SetOutput(graph, gemm.outputs[0]);
}

}  // namespace

Status SplitSingleLogit(Graph& graph) {
  const ValueId logit = graph.outputs.front().value;
  const Shape shape = graph.value(logit).shape;
  if (graph.outputs.size() != 1 || shape.empty() || ElementCount(shape) != 1) return Status::Ok();
  Node* producer = ProducerOfLogit(graph);
  if (producer != nullptr && producer->op == OpKind::kGemm &&
      ConstantFloats(graph, *producer, 1) != nullptr && producer->Int("transB", 0) == 1 &&
      graph.ConstantInput(*producer, 1)->shape.size() == 2 &&
      graph.ConstantInput(*producer, 1)->shape[0] == 1) {
    Double(graph, *producer);
    return Status::Ok();
  }
  if (shape.size() != 2) return Status::Ok();
  Node gemm{OpKind::kGemm, "logit", {logit}, {}, {}};
  gemm.attributes = {
      {"alpha", 1.0F}, {"beta", 1.0F}, {"transA", int64_t{0}}, {"transB", int64_t{1}}};
  gemm.inputs.push_back(AddFloats(graph, "logit.weight", {2, 1}, {-0.5F, 0.5F}));
  gemm.outputs.push_back(graph.AddValue("logits", {1, 2}));
  SetOutput(graph, gemm.outputs[0]);
  graph.nodes.push_back(std::move(gemm));
  return Status::Ok();
}

}  // namespace cssrun::converter
