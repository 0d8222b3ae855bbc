// Of Int8Builder: operators that choose or average elements, and keep the code of their input.
#include <utility>

#include "bench/opponents/int8_builder.h"
#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/window.h"

namespace cssrun::bench {
namespace {

using converter::DescLike;
using converter::kDenseInference;
using converter::Node;
using converter::Pair;
using converter::Window;
using dnnl::memory;

}  // namespace

Status Int8Builder::AddPool(const Node& node, dnnl::algorithm kind) {
  Result<Window> window = converter::WindowOf(graph_, node, graph_.value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  const Window& w = window.value();
  const size_t from = builder_.AnySlot(node.inputs[0]);
  CodeOf(node.outputs[0]) = CodeOf(node.inputs[0]);
  const dnnl::pooling_forward::desc desc(
      kDenseInference, kind, builder_.SlotDesc(from),
      memory::desc(builder_.Dims(node.outputs[0]), CodeOf(node.inputs[0]).type,
                   memory::format_tag::any),
      Pair(w.stride), Pair(w.kernel), Pair(w.pad_before), Pair(w.pad_after));
  const dnnl::pooling_forward::primitive_desc primitive(desc, builder_.engine());
  const size_t to = builder_.NewSlot(primitive.dst_desc());
  builder_.AddOperation(dnnl::pooling_forward(primitive),
                        {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
  builder_.Make(node.outputs[0], to);
  builder_.FinishRead(node.inputs[0]);
  return Status::Ok();
}

// A rectifier whose input is read by others, too.
Status Int8Builder::AddRectifier(const Node& node) {
  const Code& code = CodeOf(node.outputs[0]) = CodeOf(node.inputs[0]);
  const size_t from = builder_.AnySlot(node.inputs[0]);
  const memory::desc desc = builder_.SlotDesc(from);
  dnnl::algorithm kind = dnnl::algorithm::eltwise_relu;
  float high = 0;
  if (node.op == converter::OpKind::kClip) {
    kind = dnnl::algorithm::eltwise_clip;
    high = converter::ClipBoundsOf(graph_, node)->high / code.scale;
  }
  const dnnl::eltwise_forward::desc eltwise(kDenseInference, kind, desc, 0, high);
  const dnnl::eltwise_forward::primitive_desc primitive(eltwise, builder_.engine());
  const size_t to = builder_.NewSlot(desc);
  builder_.AddOperation(dnnl::eltwise_forward(primitive),
                        {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
  builder_.Make(node.outputs[0], to);
  builder_.FinishRead(node.inputs[0]);
  return Status::Ok();
}

Status Int8Builder::AddSlice(const Node& node) {
  auto ranges = converter::SliceRanges(graph_, node);
  if (!ranges.ok()) return ranges.status();
  CodeOf(node.outputs[0]) = CodeOf(node.inputs[0]);
  const size_t whole = builder_.StridedSlot(node.inputs[0]);
  const dnnl_memory_desc_t& source = builder_.SlotDesc(whole).data;
  const memory::dims to_dims = builder_.Dims(node.outputs[0]);
  memory::dims strides(to_dims.size());
  memory::dim offset = source.offset0;
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    const converter::AxisRange& range = (*ranges.value())[axis];
    strides[axis] = source.format_desc.blocking.strides[axis];
    if (axis == 0) continue;  // the batch
    offset += range.start * strides[axis];
    if (range.count > 1) strides[axis] *= range.step;
  }
  memory::desc view(to_dims, CodeOf(node.inputs[0]).type, strides);
  view.data.offset0 = offset;
  const size_t to = builder_.NewSlot(DescLike(builder_.SlotDesc(whole), to_dims));
  builder_.AddReorder(builder_.NewSlotIn(whole, view), to);
  builder_.Make(node.outputs[0], to);
  builder_.FinishRead(node.inputs[0]);
  return Status::Ok();
}

Status Int8Builder::AddPad(const Node& node) {
  auto padding = converter::PaddingOf(graph_, node);
  if (!padding.ok()) return padding.status();
  CodeOf(node.outputs[0]) = CodeOf(node.inputs[0]);
  const size_t from = builder_.StridedSlot(node.inputs[0]);
  const size_t to =
      builder_.NewSlot(DescLike(builder_.SlotDesc(from), builder_.Dims(node.outputs[0])));
  builder_.AddOperation(dnnl::primitive(), {{DNNL_ARG_DST, to}});
  const memory::desc inside =
      builder_.SlotDesc(to).submemory_desc(builder_.Dims(node.inputs[0]), padding.value()->before);
  builder_.AddReorder(from, builder_.NewSlotIn(to, inside));
  builder_.Make(node.outputs[0], to);
  builder_.FinishRead(node.inputs[0]);
  return Status::Ok();
}

}  // namespace cssrun::bench
