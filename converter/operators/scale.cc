// Scale, which SplitLeakyRelus() and FoldAffine() make: an activation times one number, or one for
// each channel; plus one number for each channel where there is a third input.
#include <optional>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

std::optional<Problem> CheckScale(const Graph&, const Node&, const Maps&) { return std::nullopt; }

// Adds one number, or one for each channel, to a slot in place.
void AddShifts(DenseBuilder& builder, const std::vector<float>& shifts, size_t slot) {
  const dnnl::memory::desc desc = builder.SlotDesc(slot);
  dnnl::memory::dims dims(desc.dims().size(), 1);
  dims[1] = static_cast<int64_t>(shifts.size());
  const dnnl::memory::desc summands = PlainDesc(dims);
  const dnnl::binary::primitive_desc primitive(
      dnnl::binary::desc(dnnl::algorithm::binary_add, desc, summands, desc), builder.engine());
  DenseConstants constants;
  constants[DNNL_ARG_SRC_1] = builder.Weights(shifts, dims, summands);
  builder.AddOperation(dnnl::binary(primitive), {{DNNL_ARG_SRC_0, slot}, {DNNL_ARG_DST, slot}},
                       std::move(constants));
}

Status AddScale(DenseBuilder& builder, const Node& node) {
  const std::vector<float>& numbers = builder.graph().ConstantInput(node, 1)->floats();
  const size_t from = builder.AnySlot(node.inputs[0]);
  const dnnl::memory::desc desc = builder.SlotDesc(from);
  dnnl::memory::dims dims(desc.dims().size(), 1);
  dims[1] = static_cast<int64_t>(numbers.size());
  const dnnl::memory::desc factors = PlainDesc(dims);
  const dnnl::binary::primitive_desc primitive(
      dnnl::binary::desc(dnnl::algorithm::binary_mul, desc, factors, desc), builder.engine());
  const size_t to = builder.NewSlot(desc);
  DenseConstants constants;
  constants[DNNL_ARG_SRC_1] = builder.Weights(numbers, dims, factors);
  builder.AddOperation(dnnl::binary(primitive), {{DNNL_ARG_SRC_0, from}, {DNNL_ARG_DST, to}},
                       std::move(constants));
  if (const std::vector<float>* shifts = ConstantFloats(builder.graph(), node, 2)) {
    AddShifts(builder, *shifts, to);
  }
  builder.Make(node.outputs[0], to);
  builder.FinishRead(node.inputs[0]);
  return Status::Ok();
}

Status LowerScale(Lowering& lowering, const Node& node) {
  const std::vector<float>& numbers = lowering.graph().ConstantInput(node, 1)->floats();
  Form form = lowering.FormOf(node.inputs[0]);
  form.name = node.name;
  lowering.ScaleForm({numbers.begin(), numbers.end()}, form);
  if (const std::vector<float>* shifts = ConstantFloats(lowering.graph(), node, 2)) {
    for (size_t c = 0; c < form.bias.size(); ++c) {
      form.bias[c] += (*shifts)[shifts->size() == 1 ? 0 : c];
    }
  }
  lowering.SetForm(node, std::move(form));
  return Status::Ok();
}

}  // namespace

constinit const Operator kScaleOperator = {
    .versions = NotInOnnx{"SplitLeakyRelus() and FoldAffine()"},
    .elements = ElementRule::kComputed,
    .map = MapRule::kInput,
    .infer_shape = InferSameShape,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckScale,
    .dense = DenseAlone{AddScale},
    .lower = LowerScale,
};

}  // namespace cssrun::converter
