// Gemm: a fully connected layer, synapses from a whole map.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/infer_shapes.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/layer.h"
#include "converter/operators/operator.h"
#include "converter/operators/product.h"
#include "converter/passes/sweep.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kGemmVersions[] = {
    {7, "the bias broadcasts as NumPy does"},
    {9, "integers"},
    {11, "the bias may be left out"},
    {13, "bfloat16"},
};

Inferred InferGemm(const Graph& graph, const Node& node, const Shape& input) {
  const std::optional<Shape> weights = InputShape(graph, node, 1);
  if (!weights.has_value()) return Unknown();
  if (input.size() != 2 || weights->size() != 2) {
    return NodeError(node, "it multiplies " + ToString(input) + " and " + ToString(*weights) +
                               ", which are not matrices; flatten the input first");
  }
  const bool transposed_a = node.Int("transA", 0) != 0;
  const bool transposed_b = node.Int("transB", 0) != 0;
  const int64_t inner_a = transposed_a ? input[0] : input[1];
  const int64_t inner_b = transposed_b ? (*weights)[1] : (*weights)[0];
  if (inner_a != inner_b) {
    return NodeError(node, "it cannot multiply " + ToString(input) + " and " + ToString(*weights) +
                               "; check the image size that the model was exported with");
  }
  Shape output = {transposed_a ? input[1] : input[0], transposed_b ? (*weights)[0] : (*weights)[1]};
  const std::optional<Shape> bias = InputShape(graph, node, 2);
  if (bias.has_value() && Broadcast(*bias, output) != output) {
    return NodeError(node, "bias " + ToString(*bias) + " does not fit its output " +
                               ToString(output) + "; export the model again");
  }
  return Known(std::move(output));
}

bool ReorderGemm(Views& views, Node& node) {
  const View* found = views.ViewOf(node.inputs[0]);
  const std::vector<float>* weights = ConstantFloats(views.graph(), node, 1);
  if (found == nullptr || weights == nullptr || node.Int("transB", 0) != 1 ||
      node.Int("transA", 0) != 0 || views.ShapeOf(node.inputs[0]).size() != 2) {
    return false;
  }
  const View view = *found;
  const Shape shape = views.graph().ConstantInput(node, 1)->shape;
  if (shape.size() != 2 || shape[1] != static_cast<int64_t>(view.elements.size())) return false;
  const int64_t features = ElementCount(views.ShapeOf(view.base));
  ValueId constant = node.inputs[1];
  if (!IsIdentity(view.elements) || features != shape[1]) {
    std::vector<float> moved(static_cast<size_t>(shape[0] * features), 0.0F);
    const float* weight = weights->data();
    for (int64_t o = 0; o < shape[0]; ++o) {
      for (const int64_t i : view.elements) {
        moved[static_cast<size_t>(o * features + i)] += *weight++;
      }
    }
    constant = AddFloats(views.graph(), views.graph().value(node.inputs[1]).name,
                         {shape[0], features}, std::move(moved));
  }
  node.inputs[1] = constant;
  node.inputs[0] = views.ShapeOf(view.base).size() == 4
                       ? views.EmitFlatten(views.graph().value(node.inputs[0]).name, view.base)
                       : view.base;
  return true;
}

std::optional<Problem> CheckGemm(const Graph& graph, const Node& node, const Maps&) {
  if (std::optional<Problem> found = VariableWeights(graph, node)) return found;
  if (node.Int("transB", 0) != 1 || node.Int("transA", 0) != 0 || node.Float("alpha", 1) != 1 ||
      node.Float("beta", 1) != 1) {
    const std::optional<Shape> input = InputShape(graph, node, 0);
    if (!input.has_value()) return std::nullopt;
    return Problem{"it does not multiply one row of activations by a matrix", kExportAgain};
  }
  return std::nullopt;
}

// A flattened map is read as it lies; the weights are laid out to match.
Status AddGemm(DenseBuilder& builder, const DenseGroup& group) {
  const Node& node = *group.leader;
  const dnnl::memory::dims from = builder.SlotDims(builder.FirstSlot(node.inputs[0]));
  dnnl::memory::dims weights = from;
  weights[0] = builder.graph().ConstantInput(node, 1)->shape[0];
  dnnl::memory::desc bias;
  if (ConstantFloats(builder.graph(), node, 2) != nullptr) bias = AnyDesc({weights[0]});
  const dnnl::inner_product_forward::desc desc(kDenseInference, AnyDesc(from), AnyDesc(weights),
                                               bias, AnyDesc(builder.Dims(node.outputs[0])));
  builder.AddLayer(group,
                   dnnl::inner_product_forward::primitive_desc(desc, builder.PostOperations(group),
                                                               builder.engine()),
                   weights);
  return Status::Ok();
}

Status LowerGemm(Lowering& lowering, const Node& node) {
  return LowerConvolution(lowering, node, WholeForm(lowering.FormOf(node.inputs[0]).extent), 1);
}

}  // namespace

constinit const Operator kGemmOperator = {
    .versions = kGemmVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferGemm,
    .evaluate = Absent::kNotInModels,
    .follow = FollowProduct,
    .reorder_weights = ReorderGemm,
    .check = CheckGemm,
    .dense = DenseLayer{AddGemm},
    .lower = LowerGemm,
};

}  // namespace cssrun::converter
