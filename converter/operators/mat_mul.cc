// MatMul, which NormalizeGemm() makes a Gemm where it multiplies one row, and FollowAddresses() a
// Conv where it multiplies the channels of a map.
#include <optional>
#include <string>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/operators/product.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kMatMulVersions[] = {
    {1, "floats"},
    {9, "integers"},
    {13, "bfloat16"},
};

Inferred InferMatMul(const Graph& graph, const Node& node, const Shape& a) {
  const std::optional<Shape> b = InputShape(graph, node, 1);
  if (!b.has_value() || a.size() < 2 || b->size() < 2) return Unknown();
  const Shape batch_a(a.begin(), a.end() - 2);
  const Shape batch_b(b->begin(), b->end() - 2);
  std::optional<Shape> output = Broadcast(batch_a, batch_b);
  if (!output.has_value() || a.back() != (*b)[b->size() - 2]) {
    return NodeError(node, "it cannot multiply " + ToString(a) + " and " + ToString(*b) +
                               "; check the image size that the model was exported with");
  }
  output->push_back(a[a.size() - 2]);
  output->push_back(b->back());
  return output;
}

Problem RefuseMatMul(const Graph& graph, const Node& node) {
  if (graph.ConstantInput(node, 0) == nullptr && graph.ConstantInput(node, 1) == nullptr) {
    return {"it multiplies activations by activations", "train without it"};
  }
  return {"its matrix multiplies neither one row nor the channels of a map, but positions",
          "use a Conv, or flatten the map before it"};
}

}  // namespace

constinit const Operator kMatMulOperator = {
    .versions = kMatMulVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferMatMul,
    .evaluate = Absent::kNotInModels,
    .follow = FollowProduct,
    .reorder_weights = Absent::kNoWeights,
    .check = RefuseMatMul,
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
