#include "converter/passes/normalize_gemm.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// Weights as [outputs, inputs].
std::vector<float> Transposed(const std::vector<float>& weights, size_t inputs, size_t outputs) {
  std::vector<float> transposed(weights.size());
  for (size_t i = 0; i < inputs; ++i) {
    for (size_t o = 0; o < outputs; ++o) transposed[o * inputs + i] = weights[i * outputs + o];
  }
  return transposed;
}

void Scale(float factor, std::vector<float>& values) {
  for (float& v : values) v *= factor;
}

// A bias of any shape that broadcasts to [1, outputs], as [outputs].
std::vector<float> FullBias(const std::vector<float>& bias, size_t outputs) {
  return bias.size() == 1 ? std::vector<float>(outputs, bias[0]) : bias;
}

}  // namespace

Status NormalizeGemm(Graph& graph) {
  for (Node& node : graph.nodes) {
    if ((node.op != OpKind::kMatMul && node.op != OpKind::kGemm)) continue;
    const std::optional<Shape> input = InputShape(graph, node, 0);
    const std::vector<float>* constant = ConstantFloats(graph, node, 1);
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    const std::vector<float>* bias = ConstantFloats(graph, node, 2);
    if (!input.has_value() || input->size() != 2 || (*input)[0] != 1 || constant == nullptr ||
        node.Int("transA", 0) != 0 || (has_bias && bias == nullptr)) {
      continue;
    }
    const Shape& shape = graph.ConstantInput(node, 1)->shape;
    if (shape.size() != 2) continue;
    const bool transposed = node.Int("transB", 0) != 0;
    const float alpha = node.Float("alpha", 1);
    const float beta = node.Float("beta", 1);
    const int64_t outputs = transposed ? shape[0] : shape[1];
    const int64_t inputs = transposed ? shape[1] : shape[0];
    const std::string name = graph.value(node.inputs[1]).name;
    if (!transposed || alpha != 1) {
      std::vector<float> weights = transposed ? *constant
                                              : Transposed(*constant, static_cast<size_t>(inputs),
                                                           static_cast<size_t>(outputs));
      Scale(alpha, weights);
      node.inputs[1] = AddFloats(graph, name, {outputs, inputs}, std::move(weights));
    }
    if (has_bias && (beta != 1 || graph.ConstantInput(node, 2)->shape != Shape{outputs})) {
      // `bias` may have moved: values were added above.
      std::vector<float> full =
          FullBias(*ConstantFloats(graph, node, 2), static_cast<size_t>(outputs));
      Scale(beta, full);
      node.inputs[2] =
          AddFloats(graph, graph.value(node.inputs[2]).name, {outputs}, std::move(full));
    }
    node.op = OpKind::kGemm;
    node.attributes = {
        {"alpha", 1.0F}, {"beta", 1.0F}, {"transA", int64_t{0}}, {"transB", int64_t{1}}};
  }
  return Status::Ok();
}

}  // namespace cssrun::converter
