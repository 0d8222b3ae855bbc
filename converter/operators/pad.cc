// Pad with zeros: positions and channels that get no synapses.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/passes/sweep.h"
#include "converter/strides.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kPadVersions[] = {
    {2, "pads and value are attributes"},
    {11, "they are inputs"},
    {13, "bfloat16"},
    {18, "axes are input 3"},
    {19, "the mode wrap"},
    {21, "integers of 4 bits"},
    {23, "floats of 4 bits"},
};

Inferred InferPad(const Graph& graph, const Node& node, const Shape& input) {
  Result<std::optional<Padding>> padding = PaddingOf(graph, node);
  if (!padding.ok()) return padding.status();
  if (!padding.value().has_value()) return Unknown();
  Shape output = input;
  for (size_t i = 0; i < output.size(); ++i) {
    output[i] += padding.value()->before[i] + padding.value()->after[i];
    if (output[i] < 0) {
      return NodeError(node, "it cuts more off its input " + ToString(input) +
                                 " than there is; export the model again");
    }
  }
  return Known(std::move(output));
}

// [batch, rows, columns, channels] is padded as [batch, channels, rows, columns].
bool FollowPad(Views& views, const Node& node) {
  const View* found = views.ViewOf(node.inputs[0]);
  if (found == nullptr) return false;
  const View& view = *found;
  const std::vector<int64_t>* given = ConstantInts(views.graph(), node, 1);
  const Shape shape = views.ShapeOf(node.inputs[0]);
  if (given == nullptr || given->size() != 8 || !views.IsChannelsLast(view, shape)) return false;
  const std::vector<int64_t> p = *given;
  const Shape to = views.ShapeOf(node.outputs[0]);
  const ValueId pads = AddInts(views.graph(), views.graph().value(node.inputs[1]).name,
                               {p[0], p[3], p[1], p[2], p[4], p[7], p[5], p[6]});
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = view.base;
  inputs[1] = pads;
  const Shape turned = {1, to[3], to[1], to[2]};
  const ValueId padded = views.Emit(node, std::move(inputs), turned);
  View result{padded, {}};
  const std::vector<int64_t> strides = StridesOf(turned);
  result.elements = ReadBox(Iota(ElementCount(turned)), to,
                            {0, {strides[0], strides[2], strides[3], strides[1]}});
  return views.Set(node, std::move(result));
}

std::optional<Problem> CheckPad(const Graph& graph, const Node& node, const Maps&) {
  if (std::optional<Problem> found = NotAMap(graph, node)) return found;
  if (!InputShape(graph, node, 0).has_value()) return std::nullopt;
  const std::string mode = node.String("mode", "constant");
  if (mode != "constant") return Problem{"it pads in the mode " + mode, "pad with zeros"};
  const Result<std::optional<Padding>> padding = PaddingOf(graph, node);
  if (!padding.ok() || !padding.value().has_value()) {
    return Problem{"its padding is not constant", "export with a fixed image size"};
  }
  const Padding& p = *padding.value();
  if (p.value != 0) return Problem{"it pads with another number than 0", "pad with zeros"};
  if (p.before[0] != 0 || p.after[0] != 0) return Problem{"it pads the batch", kExportAgain};
  for (size_t i = 0; i < 4; ++i) {
    if (p.before[i] < 0 || p.after[i] < 0) {
      return Problem{"it cuts off instead of padding", "use a Slice"};
    }
  }
  return std::nullopt;
}

Status AddPad(DenseBuilder& builder, const Node& node) {
  Result<std::optional<Padding>> padding = PaddingOf(builder.graph(), node);
  if (!padding.ok()) return padding.status();
  const size_t from = builder.StridedSlot(node.inputs[0]);
  const size_t to =
      builder.NewSlot(DescLike(builder.SlotDesc(from), builder.Dims(node.outputs[0])));
  builder.AddOperation(dnnl::primitive(), {{DNNL_ARG_DST, to}});
  const dnnl::memory::desc inside =
      builder.SlotDesc(to).submemory_desc(builder.Dims(node.inputs[0]), padding.value()->before);
  builder.AddReorder(from, builder.NewSlotIn(to, inside));
  builder.Make(node.outputs[0], to);
  builder.FinishRead(node.inputs[0]);
  return Status::Ok();
}

Status LowerPad(Lowering& lowering, const Node& node) {
  Result<std::optional<Padding>> padding = PaddingOf(lowering.graph(), node);
  if (!padding.ok()) return padding.status();
  const std::vector<int64_t>& before = padding.value()->before;  // batch, channels, rows, columns
  const std::vector<int64_t>& after = padding.value()->after;
  const bool spatial = before[2] != 0 || before[3] != 0 || after[2] != 0 || after[3] != 0;
  const Form& input = lowering.Fitting(node.inputs[0], [&](const Form& form) {
    const int64_t channels = form.extent.channels();
    return !(spatial && form.HasBias()) && form.AllTerms([&](const SpikingSynapses& term) {
      return IsIdentityTerm(term) && (!spatial || (IsUnit(term.window) && !IsRepeated(term))) &&
             lowering.StaysWithin(term, before[1], channels, before[1] + channels + after[1]);
    });
  });
  Form output = input;
  output.name = node.name;
  const Shape& to = lowering.graph().value(node.outputs[0]).shape;
  output.extent = ExtentOf(to);
  output.bias.assign(static_cast<size_t>(to[1]), 0.0);
  std::copy(input.bias.begin(), input.bias.end(), output.bias.begin() + before[1]);
  for (SpikingSynapses& term : output.terms) {
    term.channel_offset += static_cast<int32_t>(before[1]);
    if (!spatial) continue;
    term.window =
        format::Window(1, 1, 1, 1, static_cast<int32_t>(before[2]), static_cast<int32_t>(before[3]),
                       static_cast<int32_t>(after[2]), static_cast<int32_t>(after[3]), 1, 1);
  }
  lowering.SetForm(node, std::move(output));
  return Status::Ok();
}

}  // namespace

constinit const Operator kPadOperator = {
    .versions = kPadVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferPad,
    .evaluate = Absent::kNotInModels,
    .follow = FollowPad,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckPad,
    .dense = DenseAlone{AddPad},
    .lower = LowerPad,
};

}  // namespace cssrun::converter
