#include "converter/passes/replace_quantized_operators.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// A quantized tensor among a node's inputs: three in a row.
struct Quantized {
  ValueId integers = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero = kNoValue;
};

class Replacing {
 public:
  explicit Replacing(Graph& graph) : graph_(graph) {}

  void Run() {
    std::vector<Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : old) {
      if (!Replace(node)) graph_.nodes.push_back(std::move(node));
    }
  }

 private:
  bool Replace(const Node& node) {
    if (node.op.kind() != OpKind::kUnknown || node.outputs.size() != 1) return false;
    const std::string name = node.op.full_name();
    if (name == "QLinearConv") return ReplaceConv(node);
    if (name == "QLinearMatMul") return ReplaceMatMul(node);
    if (name == "com.microsoft.QGemm") return ReplaceGemm(node);
    if (name == "com.microsoft.QLinearAdd") return ReplaceAdd(node);
    if (name == "com.microsoft.QLinearConcat") return ReplaceConcat(node);
    if (name == "com.microsoft.QLinearGlobalAveragePool") {
      return ReplacePool(node, OpKind::kGlobalAveragePool);
    }
    if (name == "com.microsoft.QLinearAveragePool") return ReplacePool(node, OpKind::kAveragePool);
    return false;
  }

  static Quantized At(const Node& node, size_t first) {
    const auto input = [&](size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNoValue; };
    return {input(first), input(first + 1), input(first + 2)};
  }

  // A new value named after the node.
  ValueId Named(const Node& node, const std::string& what) {
    return graph_.AddValue(graph_.value(node.outputs[0]).name + "." + what, {});
  }

  // The floats that integers mean; `axis` where there is a scale for each element along it.
  ValueId Dequantize(const Node& node, const Quantized& q, const std::string& what,
                     int64_t axis = 1) {
    Node dequantize{OpKind::kDequantizeLinear, node.name, {q.integers, q.scale}, {}, {}};
    if (q.zero != kNoValue) dequantize.inputs.push_back(Spread(node, q));
    dequantize.attributes = {{"axis", axis}};
    dequantize.outputs = {Named(node, what)};
    graph_.nodes.push_back(dequantize);
    return dequantize.outputs[0];
  }

  // A zero point for each scale, where there is one for all.
  ValueId Spread(const Node& node, const Quantized& q) {
    const Tensor* scale = graph_.value(q.scale).constant.get();
    const Tensor* zero = graph_.value(q.zero).constant.get();
    if (scale == nullptr || zero == nullptr || !scale->is_float() || zero->is_float() ||
        zero->ints().size() != 1 || scale->floats().size() == 1) {
      return q.zero;
    }
    Tensor spread{scale->shape, std::vector<int64_t>(scale->floats().size(), zero->ints().front())};
    spread.is_signed = zero->is_signed;
    const Shape shape = scale->shape;
    return graph_.AddValue(graph_.value(node.outputs[0]).name + ".zeros", shape,
                           std::make_shared<const Tensor>(std::move(spread)));
  }

  // Quantizes `floats` to the node's output.
  void Quantize(const Node& node, ValueId floats, ValueId scale, ValueId zero) {
    Node quantize{OpKind::kQuantizeLinear, node.name, {floats, scale}, node.outputs, {}};
    if (zero != kNoValue) quantize.inputs.push_back(zero);
    graph_.nodes.push_back(std::move(quantize));
  }

  // The floats that a bias of 32-bit integers means, whose scale is the product of the others';
  // kNoValue if anything of it is not constant.
  ValueId Bias(ValueId bias, ValueId input_scale, ValueId weight_scale, float factor) {
    const Tensor* integers = graph_.value(bias).constant.get();
    const Tensor* of_input = graph_.value(input_scale).constant.get();
    const Tensor* of_weights = graph_.value(weight_scale).constant.get();
    for (const Tensor* scale : {of_input, of_weights}) {
      if (scale == nullptr || !scale->is_float() || scale->floats().empty()) return kNoValue;
    }
    if (integers == nullptr || integers->is_float()) return kNoValue;
    const std::vector<float>& scales = of_weights->floats();
    std::vector<float> floats;
    for (size_t i = 0; i < integers->ints().size(); ++i) {
      const double scale = static_cast<double>(of_input->floats()[0]) *
                           static_cast<double>(scales[scales.size() == 1 ? 0 : i % scales.size()]) *
                           static_cast<double>(factor);
      floats.push_back(static_cast<float>(static_cast<double>(integers->ints()[i]) * scale));
    }
    const Shape shape = integers->shape;
    return AddFloats(graph_, graph_.value(bias).name, shape, std::move(floats));
  }

  bool ReplaceConv(const Node& node) {
    if (node.inputs.size() < 8) return false;
    const Quantized x = At(node, 0);
    const Quantized w = At(node, 3);
    Node conv{OpKind::kConv, node.name, {}, {}, node.attributes};
    ValueId bias = kNoValue;
    if (node.inputs.size() > 8 && node.inputs[8] != kNoValue) {
      bias = Bias(node.inputs[8], x.scale, w.scale, 1);
      if (bias == kNoValue) return false;
    }
    conv.inputs = {Dequantize(node, x, "x"), Dequantize(node, w, "w", 0)};
    if (bias != kNoValue) conv.inputs.push_back(bias);
    return Finish(node, std::move(conv), node.inputs[6], node.inputs[7]);
  }

  bool ReplaceMatMul(const Node& node) {
    if (node.inputs.size() < 8) return false;
    Node product{OpKind::kMatMul, node.name, {}, {}, {}};
    product.inputs = {Dequantize(node, At(node, 0), "a"), Dequantize(node, At(node, 3), "b", 1)};
    return Finish(node, std::move(product), node.inputs[6], node.inputs[7]);
  }

  // Without a scale of its output, what it computes stays in floats.
  bool ReplaceGemm(const Node& node) {
    if (node.inputs.size() < 6) return false;
    const Quantized a = At(node, 0);
    const Quantized b = At(node, 3);
    const bool transposed = node.Int("transB", 0) != 0;
    Node gemm{OpKind::kGemm, node.name, {}, {}, node.attributes};
    ValueId bias = kNoValue;
    if (node.inputs.size() > 6 && node.inputs[6] != kNoValue) {
      bias = Bias(node.inputs[6], a.scale, b.scale, node.Float("alpha", 1));
      if (bias == kNoValue) return false;
    }
    gemm.inputs = {Dequantize(node, a, "a"), Dequantize(node, b, "b", transposed ? 0 : 1)};
    if (bias != kNoValue) gemm.inputs.push_back(bias);
    const bool quantizes = node.inputs.size() > 7 && node.inputs[7] != kNoValue;
    if (quantizes) {
      const ValueId zero = node.inputs.size() > 8 ? node.inputs[8] : kNoValue;
      return Finish(node, std::move(gemm), node.inputs[7], zero);
    }
    gemm.outputs = node.outputs;
    graph_.nodes.push_back(std::move(gemm));
    return true;
  }

  bool ReplaceAdd(const Node& node) {
    if (node.inputs.size() < 7) return false;
    Node sum{OpKind::kAdd, node.name, {}, {}, {}};
    sum.inputs = {Dequantize(node, At(node, 0), "a"), Dequantize(node, At(node, 3), "b")};
    return Finish(node, std::move(sum), node.inputs[6],
                  node.inputs.size() > 7 ? node.inputs[7] : kNoValue);
  }

  // The output's scale and zero point come first.
  bool ReplaceConcat(const Node& node) {
    if (node.inputs.size() < 5 || (node.inputs.size() - 2) % 3 != 0) return false;
    Node concat{OpKind::kConcat, node.name, {}, {}, node.attributes};
    for (size_t i = 2; i < node.inputs.size(); i += 3) {
      concat.inputs.push_back(Dequantize(node, At(node, i), "input" + std::to_string(i / 3)));
    }
    return Finish(node, std::move(concat), node.inputs[0], node.inputs[1]);
  }

  bool ReplacePool(const Node& node, OpKind kind) {
    if (node.inputs.size() < 4 || node.Int("channels_last", 0) != 0) return false;
    Node pool{kind, node.name, {}, {}, node.attributes};
    std::erase_if(pool.attributes, [](const Attribute& a) { return a.name == "channels_last"; });
    pool.inputs = {Dequantize(node, At(node, 0), "x")};
    return Finish(node, std::move(pool), node.inputs[3],
                  node.inputs.size() > 4 ? node.inputs[4] : kNoValue);
  }

  bool Finish(const Node& node, Node computed, ValueId scale, ValueId zero) {
    const ValueId floats = Named(node, "floats");
    computed.outputs = {floats};
    graph_.nodes.push_back(std::move(computed));
    Quantize(node, floats, scale, zero);
    return true;
  }

  Graph& graph_;
};

}  // namespace

Status ReplaceQuantizedOperators(Graph& graph) {
  Replacing(graph).Run();
  return Status::Ok();
}

}  // namespace cssrun::converter
