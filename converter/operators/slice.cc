// Slice: a window of addresses.
#include <optional>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/strides.h"
#include "converter/views.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kSliceVersions[] = {
    {1, "starts, ends and axes are attributes"},
    {10, "they are inputs, and steps too"},
    {11, "negative axes"},
    {13, "bfloat16"},
};

Inferred InferSlice(const Graph& graph, const Node& node, const Shape&) {
  Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, node);
  if (!ranges.ok()) return ranges.status();
  if (!ranges.value().has_value()) return Unknown();
  Shape output;
  for (const AxisRange& range : *ranges.value()) output.push_back(range.count);
  return Known(std::move(output));
}

Evaluated EvaluateSlice(const Graph& graph, const Node& node, const Shape& shape) {
  Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, node);
  if (!ranges.ok()) return ranges.status();
  const Tensor& input = *graph.ConstantInput(node, 0);
  return Done(Rearranged(input, shape, SlicedStrides(input.shape, *ranges.value())));
}

// Whether no spikes' addresses do what the slice does, so that the next layer's weights have to: it
// turns an axis around, as from RGB to BGR, or skips channels.
bool MovesChannels(const std::vector<AxisRange>& ranges) {
  return ranges.size() == 4 && (ranges[1].step != 1 || ranges[2].step < 1 || ranges[3].step < 1);
}

bool FollowSlice(Views& views, const Node& node) {
  const Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(views.graph(), node);
  if (!ranges.ok() || !ranges.value().has_value()) return false;
  const bool is_view = views.ViewOf(node.inputs[0]) != nullptr;
  if (!is_view && !MovesChannels(*ranges.value())) return false;
  const std::optional<View> found = views.Look(node.inputs[0]);
  if (!found.has_value()) return false;
  for (const AxisRange& range : *ranges.value()) {
    if (range.count == 0) return false;
  }
  const Strided from = SlicedStrides(views.ShapeOf(node.inputs[0]), *ranges.value());
  return views.Set(
      node, View{found->base, ReadBox(found->elements, views.ShapeOf(node.outputs[0]), from)});
}

std::optional<Problem> CheckSlice(const Graph& graph, const Node& node, const Maps&) {
  if (std::optional<Problem> found = NotAMap(graph, node)) return found;
  if (!InputShape(graph, node, 0).has_value()) return std::nullopt;
  const Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph, node);
  if (!ranges.ok() || !ranges.value().has_value() || node.inputs.size() != 5) {
    return Problem{"what it keeps is not constant", "export with a fixed image size"};
  }
  for (const AxisRange& range : *ranges.value()) {
    if (range.step < 1) return Problem{"it runs backwards", "train without flipping"};
  }
  if ((*ranges.value())[1].step != 1) {
    return Problem{"it skips channels", "keep neighbouring channels, or use a 1x1 Conv"};
  }
  return std::nullopt;
}

// Part of what a Slice keeps along an axis, and where the output has it.
struct SlicePart {
  AxisRange range;
  int64_t to = 0;
};

// oneDNN refuses strides that would leave the tensor after the last element, as those of every
// second of 7 elements do, so that this element is a part of its own.
std::vector<SlicePart> PartsOf(const AxisRange& range, int64_t size) {
  if (range.count < 2 || range.count * range.step <= size) return {{range, 0}};
  const int64_t last = range.count - 1;
  return {{{range.start, range.step, last}, 0}, {{range.start + last * range.step, 1, 1}, last}};
}

// Describes the elements of `of` that lie in this box.
dnnl::memory::desc BoxOf(const dnnl::memory::desc& of, const dnnl::memory::dims& dims,
                         const std::vector<AxisRange>& ranges) {
  const dnnl_memory_desc_t& source = of.data;
  dnnl::memory::dims strides(dims.size());
  dnnl::memory::dim offset = source.offset0;
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    strides[axis] = source.format_desc.blocking.strides[axis];
    if (axis == 0) continue;  // the batch, of which nothing is cut
    offset += ranges[axis].start * strides[axis];
    if (ranges[axis].count > 1) strides[axis] *= ranges[axis].step;
  }
  dnnl::memory::desc box(dims, kDenseFloat, strides);
  box.data.offset0 = offset;
  return box;
}

Status AddSlice(DenseBuilder& builder, const Node& node) {
  Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(builder.graph(), node);
  if (!ranges.ok()) return ranges.status();
  std::vector<AxisRange> from = *ranges.value();
  const Shape& size = builder.graph().value(node.inputs[0]).shape;
  const size_t whole = builder.StridedSlot(node.inputs[0]);
  dnnl::memory::dims dims = builder.Dims(node.outputs[0]);
  const size_t output = builder.NewSlot(DescLike(builder.SlotDesc(whole), dims));
  std::vector<AxisRange> to(from.size());
  for (size_t axis = 1; axis < to.size(); ++axis) to[axis].count = from[axis].count;
  const std::vector<SlicePart> rows = PartsOf(from[2], size[2]);
  const std::vector<SlicePart> columns = PartsOf(from[3], size[3]);
  for (const SlicePart& y : rows) {
    for (const SlicePart& x : columns) {
      from[2] = y.range;
      from[3] = x.range;
      to[2] = {y.to, 1, y.range.count};
      to[3] = {x.to, 1, x.range.count};
      dims[2] = y.range.count;
      dims[3] = x.range.count;
      builder.AddReorder(builder.NewSlotIn(whole, BoxOf(builder.SlotDesc(whole), dims, from)),
                         builder.NewSlotIn(output, BoxOf(builder.SlotDesc(output), dims, to)));
    }
  }
  builder.Make(node.outputs[0], output);
  builder.FinishRead(node.inputs[0]);
  return Status::Ok();
}

Status LowerSlice(Lowering& lowering, const Node& node) {
  Result<std::optional<std::vector<AxisRange>>> found = SliceRanges(lowering.graph(), node);
  if (!found.ok()) return found.status();
  const std::vector<AxisRange>& ranges = *found.value();  // of batch, channels, rows, columns
  const Form& input = lowering.Fitting(node.inputs[0], [&](const Form& form) {
    return ranges[1].step == 1 && form.AllTerms([](const SpikingSynapses& term) {
      return IsIdentityTerm(term) && IsUnit(term.window) && !IsRepeated(term);
    });
  });
  const Shape& to = lowering.graph().value(node.outputs[0]).shape;
  Form output;
  output.name = node.name;
  output.extent = ExtentOf(to);
  const auto bias = input.bias.begin() + ranges[1].start;
  output.bias.assign(bias, bias + to[1]);
  for (SpikingSynapses term : input.terms) {
    format::Window window(
        1, 1, static_cast<int32_t>(ranges[2].step), static_cast<int32_t>(ranges[3].step),
        static_cast<int32_t>(-ranges[2].start), static_cast<int32_t>(-ranges[3].start), 0, 0, 1, 1);
    window.mutate_pad_bottom(PadAfter(RowsOf(window), input.extent.height(), to[2]));
    window.mutate_pad_right(PadAfter(ColumnsOf(window), input.extent.width(), to[3]));
    term.window = window;
    term.channel_offset -= static_cast<int32_t>(ranges[1].start);
    const int64_t sources = lowering.NodeAt(term.source).extent.channels();
    const bool reaches = term.channel_offset > -sources && term.channel_offset < to[1];
    if (reaches) output.terms.push_back(std::move(term));
  }
  lowering.SetForm(node, std::move(output));
  return Status::Ok();
}

}  // namespace

constinit const Operator kSliceOperator = {
    .versions = kSliceVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferSlice,
    .evaluate = EvaluateSlice,
    .follow = FollowSlice,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckSlice,
    .dense = DenseAlone{AddSlice},
    .lower = LowerSlice,
};

}  // namespace cssrun::converter
