// Add: the sum of two activations joins the terms of their forms; with a constant it is folded.
#include <optional>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/maps.h"
#include "converter/operator_attributes.h"
#include "converter/operators/arithmetic.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kAddVersions[] = {
    {7, "broadcasts as NumPy does"},
    {13, "bfloat16"},
    {14, "integers of 8 and 16 bits"},
};

// Of two activations that are moved alike; with a constant, as all arithmetic.
bool FollowAdd(Views& views, const Node& node) {
  std::optional<std::vector<View>> found = views.LookAll(node);
  if (!found.has_value()) return FollowPerChannel(views, node);
  if (found->size() != 2) return false;
  View& a = (*found)[0];
  const View& b = (*found)[1];
  if (a.elements != b.elements || views.ShapeOf(a.base) != views.ShapeOf(b.base) ||
      views.ShapeOf(node.inputs[0]) != views.ShapeOf(node.inputs[1])) {
    return false;
  }
  const ValueId sum = views.Emit(node, {a.base, b.base}, views.ShapeOf(a.base));
  return views.Set(node, View{sum, std::move(a.elements)});
}

std::optional<Problem> CheckAdd(const Graph& graph, const Node& node, const Maps& maps) {
  if (std::optional<Problem> found = ConstantActivation(graph, node)) return found;
  const std::optional<Shape> a = InputShape(graph, node, 0);
  const std::optional<Shape> b = InputShape(graph, node, 1);
  if (!a.has_value() || !b.has_value()) return std::nullopt;
  if (*a != *b) {
    return Problem{"it adds " + ToString(*a) + " and " + ToString(*b) + ", which differ",
                   "train with equal shapes"};
  }
  if (maps.Of(node.inputs[0]) != maps.Of(node.inputs[1])) {
    return Problem{"it adds a flattened map and something else", "add before flattening"};
  }
  return std::nullopt;
}

Status AddSum(DenseBuilder& builder, const DenseGroup& group) {
  const Node& node = *group.leader;
  const size_t a = builder.AnySlot(node.inputs[0]);
  const dnnl::memory::desc desc = builder.SlotDesc(a);
  const size_t b = builder.SlotDims(builder.FirstSlot(node.inputs[1])) == desc.dims()
                       ? builder.SlotAs(node.inputs[1], desc)
                       : builder.SlotAs(node.inputs[1], PlainDesc(desc.dims()));
  const dnnl::binary::desc binary(dnnl::algorithm::binary_add, desc, builder.SlotDesc(b), desc);
  const dnnl::binary::primitive_desc primitive(binary, builder.PostOperations(group),
                                               builder.engine());
  const size_t to = builder.NewSlot(desc);
  builder.AddOperation(dnnl::binary(primitive),
                       {{DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, to}});
  builder.Make(group.last().outputs[0], to);
  builder.FinishRead(node.inputs[0]);
  builder.FinishRead(node.inputs[1]);
  return Status::Ok();
}

// The terms of both forms.
Status LowerAdd(Lowering& lowering, const Node& node) {
  Form sum = lowering.FormOf(node.inputs[0]);
  const Form& other = lowering.FormOf(node.inputs[1]);
  sum.name = node.name;
  sum.terms.insert(sum.terms.end(), other.terms.begin(), other.terms.end());
  for (size_t c = 0; c < sum.bias.size(); ++c) sum.bias[c] += other.bias[c];
  lowering.SetForm(node, std::move(sum));
  return Status::Ok();
}

}  // namespace

constinit const Operator kAddOperator = {
    .versions = kAddVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kInput,
    .infer_shape = InferArithmetic,
    .evaluate = EvaluateArithmetic,
    .follow = FollowAdd,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckAdd,
    .dense = DenseSum{AddSum},
    .lower = LowerAdd,
};

}  // namespace cssrun::converter
