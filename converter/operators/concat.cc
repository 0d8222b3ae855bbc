// Concat along the channels: the terms of all forms side by side.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/maps.h"
#include "converter/operator_attributes.h"
#include "converter/operators/common.h"
#include "converter/operators/operator.h"
#include "converter/views.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kConcatVersions[] = {
    {4, "the axis must be given"},
    {11, "a negative axis"},
    {13, "bfloat16"},
};

// The number of elements along all axes before `axis`.
int64_t ElementsBefore(const Shape& shape, size_t axis) {
  return ElementCount(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis)));
}

Inferred InferConcat(const Graph& graph, const Node& node, const Shape& first) {
  Result<size_t> axis = AxisOf(node, 1, first.size());
  if (!axis.ok()) return axis.status();
  const size_t along = axis.value();
  Shape output = first;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const std::optional<Shape> next = InputShape(graph, node, i);
    if (!next.has_value()) return Unknown();
    Shape expected = output;
    if (next->size() == output.size()) expected[along] = (*next)[along];
    if (*next != expected) {
      return NodeError(node, "the shapes " + ToString(output) + " and " + ToString(*next) +
                                 " cannot be joined along axis " + std::to_string(along) +
                                 "; export the model again");
    }
    output[along] += (*next)[along];
  }
  return Known(std::move(output));
}

Evaluated EvaluateConcat(const Graph& graph, const Node& node, const Shape& shape) {
  Result<size_t> axis = AxisOf(node, 1, shape.size());
  if (!axis.ok()) return axis.status();
  const int64_t outer = ElementsBefore(shape, axis.value());
  Tensor output;
  output.shape = shape;
  output.data = graph.ConstantInput(node, 0)->data;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (graph.ConstantInput(node, i)->data.index() != output.data.index()) {
      return NodeError(node, "it joins numbers of different types; export the model again");
    }
  }
  std::visit(
      [&](auto& to) {
        using Values = std::decay_t<decltype(to)>;
        to.clear();
        for (int64_t o = 0; o < outer; ++o) {
          for (size_t i = 0; i < node.inputs.size(); ++i) {
            const auto& from = std::get<Values>(graph.ConstantInput(node, i)->data);
            const int64_t part = static_cast<int64_t>(from.size()) / std::max<int64_t>(outer, 1);
            to.insert(to.end(), from.begin() + o * part, from.begin() + (o + 1) * part);
          }
        }
      },
      output.data);
  return Done(std::move(output));
}

// Joins the bases along their channels. In the result, the elements of a view lie behind those of
// the bases before its own.
bool FollowConcat(Views& views, const Node& node) {
  // A value that is joined with itself has moved channels.
  const bool repeats = std::count(node.inputs.begin(), node.inputs.end(), node.inputs[0]) > 1;
  if (repeats && views.ViewOf(node.inputs[0]) == nullptr) {
    if (std::optional<View> same = views.Look(node.inputs[0]); same.has_value()) {
      views.Set(node.inputs[0], *std::move(same));
    }
  }
  const std::optional<std::vector<View>> found = views.LookAll(node);
  if (!found.has_value()) return false;
  const std::vector<View>& parts = *found;
  Shape joined = views.ShapeOf(parts[0].base);
  joined[1] = 0;
  std::vector<ValueId> bases;
  std::vector<int64_t> first_of;  // the base's first element in the result
  std::vector<int64_t> firsts;    // that of each part's base
  for (const View& view : parts) {
    const Shape& base = views.ShapeOf(view.base);
    if (Shape(base.begin() + 2, base.end()) != Shape(joined.begin() + 2, joined.end()))
      return false;
    // A base that comes again is joined once.
    const auto same = std::find(bases.begin(), bases.end(), view.base);
    if (same != bases.end()) {
      firsts.push_back(first_of[static_cast<size_t>(same - bases.begin())]);
      continue;
    }
    firsts.push_back(ElementCount(joined));
    first_of.push_back(firsts.back());
    bases.push_back(view.base);
    joined[1] += base[1];
  }
  const Shape& shape = views.ShapeOf(node.outputs[0]);
  const Result<size_t> axis = AxisOf(node, 1, shape.size());
  if (!axis.ok()) return false;
  const int64_t outer = ElementsBefore(shape, axis.value());
  View result;
  for (int64_t o = 0; o < outer; ++o) {
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto part = static_cast<int64_t>(parts[i].elements.size()) / outer;
      for (int64_t k = o * part; k < (o + 1) * part; ++k) {
        result.elements.push_back(firsts[i] + parts[i].elements[static_cast<size_t>(k)]);
      }
    }
  }
  if (bases.size() == 1) {
    result.base = bases[0];
    return views.Set(node, std::move(result));
  }
  Node concat = node;
  concat.attributes = {{"axis", int64_t{1}}};
  result.base = views.Emit(std::move(concat), std::move(bases), std::move(joined));
  return views.Set(node, std::move(result));
}

std::optional<Problem> CheckConcat(const Graph& graph, const Node& node, const Maps& maps) {
  if (std::optional<Problem> found = ConstantActivation(graph, node)) return found;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const std::optional<Shape> input = InputShape(graph, node, i);
    if (!input.has_value()) continue;
    const Result<size_t> axis = AxisOf(node, 1, input->size());
    if (!axis.ok() || axis.value() != 1) {
      return Problem{"it does not join along the channels", "join along axis 1"};
    }
    const Shape& map = maps.Of(node.inputs[i]);
    if (input->size() == 2 && !map.empty() && (map[1] != 1 || map[2] != 1)) {
      return Problem{"it joins flattened maps", "join before flattening"};
    }
  }
  return std::nullopt;
}

Status AddConcat(DenseBuilder& builder, const Node& node) {
  std::vector<dnnl::memory::desc> descs;
  DenseArguments slots;
  for (const ValueId id : node.inputs) {
    const size_t slot = builder.AnySlot(id);
    slots.emplace_back(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(slots.size()), slot);
    descs.push_back(builder.SlotDesc(slot));
  }
  const Result<size_t> axis = AxisOf(node, 1, builder.graph().value(node.outputs[0]).shape.size());
  if (!axis.ok()) return axis.status();
  const dnnl::concat::primitive_desc primitive(static_cast<int>(axis.value()), descs,
                                               builder.engine());
  const size_t to = builder.NewSlot(primitive.dst_desc());
  slots.emplace_back(DNNL_ARG_DST, to);
  builder.AddOperation(dnnl::concat(primitive), std::move(slots));
  builder.Make(node.outputs[0], to);
  for (const ValueId id : node.inputs) builder.FinishRead(id);
  return Status::Ok();
}

// The terms of all forms, each behind the channels of those before it.
Status LowerConcat(Lowering& lowering, const Node& node) {
  Form output;
  output.name = node.name;
  int64_t total = 0;
  for (const ValueId input : node.inputs) total += lowering.FormOf(input).extent.channels();
  uint32_t channels = 0;
  for (const ValueId input : node.inputs) {
    const Form& form = lowering.Fitting(input, [&](const Form& f) {
      return f.AllTerms([&](const SpikingSynapses& term) {
        return IsIdentityTerm(term) &&
               lowering.StaysWithin(term, channels, f.extent.channels(), total);
      });
    });
    for (SpikingSynapses term : form.terms) {
      term.channel_offset += static_cast<int32_t>(channels);
      output.terms.push_back(std::move(term));
    }
    output.bias.insert(output.bias.end(), form.bias.begin(), form.bias.end());
    channels += form.extent.channels();
    output.extent = form.extent;
  }
  output.extent.mutate_channels(channels);
  lowering.SetForm(node, std::move(output));
  return Status::Ok();
}

}  // namespace

constinit const Operator kConcatOperator = {
    .versions = kConcatVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferConcat,
    .evaluate = EvaluateConcat,
    .follow = FollowConcat,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckConcat,
    .dense = DenseAlone{AddConcat},
    .lower = LowerConcat,
};

}  // namespace cssrun::converter
