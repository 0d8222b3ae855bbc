#include "converter/operators/pool.h"

#include <optional>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/operators/common.h"
#include "converter/views.h"

namespace cssrun::converter {

Inferred InferPool(const Graph& graph, const Node& node, const Shape& input) {
  if (input.size() != 4) return Unknown();
  Result<Window> window = WindowOf(graph, node, input);
  if (!window.ok()) return window.status();
  return Known({input[0], input[1], window.value().positions[0], window.value().positions[1]});
}

Inferred InferGlobalPool(const Graph&, const Node&, const Shape& input) {
  if (input.size() != 4) return Unknown();
  return Known({input[0], input[1], 1, 1});
}

bool FollowPool(Views& views, const Node& node) {
  const View* found = views.ViewOf(node.inputs[0]);
  if (found == nullptr) return false;
  const View& view = *found;
  const auto channels = views.ChannelsOf(view, views.ShapeOf(node.inputs[0]));
  if (!channels.has_value()) return false;
  Shape shape = views.ShapeOf(node.outputs[0]);
  shape[1] = views.ShapeOf(view.base)[1];
  const ValueId pooled = views.Emit(node, {view.base}, std::move(shape));
  return views.Set(node, views.MoveChannels(pooled, *channels));
}

std::optional<Problem> CheckPool(const Graph& graph, const Node& node, const Maps&) {
  if (std::optional<Problem> found = NotAMap(graph, node)) return found;
  if (node.Ints("dilations", {1, 1}) != std::vector<int64_t>{1, 1}) {
    return Problem{"its window is dilated", "train with dilation 1"};
  }
  return std::nullopt;
}

std::optional<Problem> CheckGlobalPool(const Graph& graph, const Node& node, const Maps&) {
  return NotAMap(graph, node);
}

Status AddPool(DenseBuilder& builder, const Node& node, dnnl::algorithm kind, const Window& w) {
  const size_t from = builder.AnySlot(node.inputs[0]);
  const dnnl::pooling_forward::desc desc(kDenseInference, kind, builder.SlotDesc(from),
                                         AnyDesc(builder.Dims(node.outputs[0])), Pair(w.stride),
                                         Pair(w.kernel), Pair(w.pad_before), Pair(w.pad_after));
  const dnnl::pooling_forward::primitive_desc primitive(desc, builder.engine());
  const size_t to = builder.NewSlot(primitive.dst_desc());
  builder.AddOperation(dnnl::pooling_forward(primitive),
                       {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
  builder.Make(node.outputs[0], to);
  builder.FinishRead(node.inputs[0]);
  return Status::Ok();
}

}  // namespace cssrun::converter
