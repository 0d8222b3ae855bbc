#include "converter/passes/fold_affine.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/maps.h"
#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// output[channel] = scale[channel] * input[channel] + shift[channel]
struct Affine {
  ValueId input = kNoValue;
  std::vector<double> scale;
  std::vector<double> shift;
};

std::optional<Affine> BatchNormAffine(const Graph& graph, const Sweep& sweep, const Node& node) {
  const std::vector<float>* parameters[4];  // scale, bias, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = ConstantFloats(graph, node, i + 1);
    if (parameters[i] == nullptr) return std::nullopt;
    // Opsets 7 and 8 could normalize each element by itself.
    const Shape& shape = graph.value(node.inputs[0]).shape;
    if (shape.size() < 2 || static_cast<int64_t>(parameters[i]->size()) != shape[1]) {
      return std::nullopt;
    }
  }
  if (node.Int("training_mode", 0) != 0) return std::nullopt;
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue && sweep.IsRead(node.outputs[i])) return std::nullopt;
  }
  const double epsilon = node.Float("epsilon", 1e-5F);
  Affine affine;
  affine.input = node.inputs[0];
  for (size_t c = 0; c < parameters[0]->size(); ++c) {
    const double scale = (*parameters[0])[c] / std::sqrt((*parameters[3])[c] + epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back((*parameters[1])[c] - scale * (*parameters[2])[c]);
  }
  return affine;
}

std::optional<Affine> ArithmeticAffine(const Graph& graph, const Node& node) {
  const bool constant_first = graph.ConstantInput(node, 0) != nullptr;
  const Tensor* constant = graph.ConstantInput(node, constant_first ? 0 : 1);
  if (constant == nullptr || (constant_first && node.op == OpKind::kDiv)) return std::nullopt;
  Affine affine;
  affine.input = node.inputs[constant_first ? 1 : 0];
  const Shape& shape = graph.value(affine.input).shape;
  // The constant must not enlarge the activation.
  if (shape.size() < 2 || graph.value(node.outputs[0]).shape != shape) return std::nullopt;
  std::optional<std::vector<double>> values = NumberPerChannel(*constant, shape);
  if (!values.has_value()) return std::nullopt;
  const size_t channels = values->size();
  if (node.op == OpKind::kAdd) {
    affine.scale.assign(channels, 1);
    affine.shift = std::move(*values);
  } else if (node.op == OpKind::kSub) {
    affine.scale.assign(channels, constant_first ? -1 : 1);
    affine.shift = std::move(*values);
    if (!constant_first) {
      for (double& v : affine.shift) v = -v;
    }
  } else {
    affine.scale = std::move(*values);
    affine.shift.assign(channels, 0);
    if (node.op == OpKind::kDiv) {
      for (double& v : affine.scale) v = 1 / v;
    }
  }
  return affine;
}

std::optional<Affine> AffineOf(const Graph& graph, const Sweep& sweep, const Node& node) {
  if (node.inputs.size() < 2 || node.outputs.empty() || node.outputs[0] == kNoValue ||
      graph.value(node.outputs[0]).shape.size() < 2) {
    return std::nullopt;
  }
  if (node.op == OpKind::kBatchNormalization) return BatchNormAffine(graph, sweep, node);
  if (node.op == OpKind::kAdd || node.op == OpKind::kSub || node.op == OpKind::kMul ||
      node.op == OpKind::kDiv) {
    return ArithmeticAffine(graph, node);
  }
  return std::nullopt;
}

// A Conv, a Deconvolution or a normalized Gemm, whose weights and bias can be rewritten.
bool HasConstantWeights(const Graph& graph, const Node* node) {
  if (node == nullptr) return false;
  if (ConstantFloats(graph, *node, 1) == nullptr) return false;
  const bool has_bias = node->inputs.size() > 2 && node->inputs[2] != kNoValue;
  if (has_bias && ConstantFloats(graph, *node, 2) == nullptr) return false;
  const size_t rank = graph.ConstantInput(*node, 1)->shape.size();
  if (node->op == OpKind::kConv || node->op == OpKind::kDeconvolution) return rank == 4;
  return node->op == OpKind::kGemm && rank == 2 && node->Int("transB", 0) == 1 &&
         node->Int("transA", 0) == 0 && node->Float("alpha", 1) == 1 && node->Float("beta", 1) == 1;
}

std::vector<double> BiasOf(const Graph& graph, const Node& node, size_t channels) {
  const std::vector<float>* bias = ConstantFloats(graph, node, 2);
  if (bias == nullptr) return std::vector<double>(channels, 0.0);
  return {bias->begin(), bias->end()};
}

void SetWeights(Graph& graph, Node& node, std::vector<float> weights,
                const std::vector<double>& bias) {
  const std::string name = graph.value(node.inputs[1]).name;
  const Shape shape = graph.ConstantInput(node, 1)->shape;
  node.inputs.resize(3, kNoValue);
  node.inputs[1] = AddFloats(graph, name, shape, std::move(weights));
  node.inputs[2] =
      AddFloats(graph, name + ".bias", {shape[0]}, std::vector<float>(bias.begin(), bias.end()));
}

// layer, then affine  ->  layer
void FoldIntoOutputs(Graph& graph, const Affine& affine, Node& layer) {
  std::vector<float> weights = *ConstantFloats(graph, layer, 1);
  const size_t channels = affine.scale.size();
  const size_t row = weights.size() / channels;
  std::vector<double> bias = BiasOf(graph, layer, channels);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t i = c * row; i < (c + 1) * row; ++i) {
      weights[i] = static_cast<float>(weights[i] * affine.scale[c]);
    }
    bias[c] = bias[c] * affine.scale[c] + affine.shift[c];
  }
  SetWeights(graph, layer, std::move(weights), bias);
}

// affine, then Gemm  ->  Gemm
void FoldIntoInputs(Graph& graph, const Affine& affine, Node& gemm) {
  std::vector<float> weights = *ConstantFloats(graph, gemm, 1);
  const size_t inputs = affine.scale.size();
  const size_t outputs = weights.size() / inputs;
  std::vector<double> bias = BiasOf(graph, gemm, outputs);
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t i = 0; i < inputs; ++i) {
      float& weight = weights[o * inputs + i];
      bias[o] += weight * affine.shift[i];
      weight = static_cast<float>(weight * affine.scale[i]);
    }
  }
  SetWeights(graph, gemm, std::move(weights), bias);
}

void BecomeDepthwiseConv(Graph& graph, const Affine& affine, Node& node) {
  const auto channels = static_cast<int64_t>(affine.scale.size());
  const std::string name = graph.value(node.outputs[0]).name;
  node.op = OpKind::kConv;
  node.outputs.resize(1);
  node.inputs = {
      affine.input,
      AddFloats(graph, name + ".scale", {channels, 1, 1, 1},
                std::vector<float>(affine.scale.begin(), affine.scale.end())),
      AddFloats(graph, name + ".shift", {channels},
                std::vector<float>(affine.shift.begin(), affine.shift.end())),
  };
  node.attributes = {{"kernel_shape", std::vector<int64_t>{1, 1}},
                     {"strides", std::vector<int64_t>{1, 1}},
                     {"pads", std::vector<int64_t>{0, 0, 0, 0}},
                     {"dilations", std::vector<int64_t>{1, 1}},
                     {"group", channels}};
}

// One number where all are the same.
std::vector<float> AsFew(const std::vector<double>& numbers) {
  const bool equal = std::all_of(numbers.begin(), numbers.end(),
                                 [&](double number) { return number == numbers[0]; });
  return {numbers.begin(), equal ? numbers.begin() + 1 : numbers.end()};
}

// Of a vector; nothing where a flattened map's numbers differ, which may be from position to
// position.
void BecomeScale(Graph& graph, const Affine& affine, const Shape& map, Node& node) {
  std::vector<float> scale = AsFew(affine.scale);
  std::vector<float> shift = AsFew(affine.shift);
  for (const std::vector<float>* numbers : {&scale, &shift}) {
    const bool fits = !map.empty() && map[0] == static_cast<int64_t>(numbers->size());
    if (numbers->size() != 1 && !fits) return;
  }
  const std::string name = graph.value(node.outputs[0]).name;
  const auto constant = [&](const char* suffix, std::vector<float> numbers) {
    const Shape shape = {static_cast<int64_t>(numbers.size())};
    return AddFloats(graph, name + suffix, shape, std::move(numbers));
  };
  node.op = OpKind::kScale;
  node.outputs.resize(1);
  node.attributes.clear();
  node.inputs = {affine.input, constant(".scale", std::move(scale))};
  if (shift != std::vector<float>{0}) node.inputs.push_back(constant(".shift", std::move(shift)));
}

}  // namespace

Status FoldAffine(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    if (node.op == OpKind::kGemm && HasConstantWeights(graph, &node)) {
      while (sweep.OnlyReader(node.inputs[0])) {
        Node* before = sweep.Producer(node.inputs[0]);
        if (before == nullptr) break;
        const std::optional<Affine> affine = AffineOf(graph, sweep, *before);
        if (!affine.has_value()) break;
        FoldIntoInputs(graph, *affine, node);
        sweep.Replace(*before, affine->input);
        sweep.Visit(i);
      }
      continue;
    }
    const std::optional<Affine> affine = AffineOf(graph, sweep, node);
    if (!affine.has_value()) continue;
    Node* layer = sweep.Producer(affine->input);
    if (HasConstantWeights(graph, layer) && sweep.OnlyReader(affine->input)) {
      FoldIntoOutputs(graph, *affine, *layer);
      sweep.Replace(node, affine->input);
    } else if (graph.value(node.outputs[0]).shape.size() == 4) {
      BecomeDepthwiseConv(graph, *affine, node);
    }
  }
  // Vectors that no Gemm has taken.
  Maps maps(graph);
  for (Node& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0] == kNoValue) continue;
    if (graph.value(node.outputs[0]).shape.size() == 2) {
      const std::optional<Affine> affine = AffineOf(graph, sweep, node);
      if (affine.has_value()) BecomeScale(graph, *affine, maps.Of(affine->input), node);
    }
    maps.Grow();
    maps.Add(node);
  }
  sweep.Finish();
  return Status::Ok();
}

}  // namespace cssrun::converter
