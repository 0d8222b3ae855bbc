#include "bench/opponents/int8_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"

namespace cssrun::bench {
namespace {

using converter::ConstantFloats;
using converter::DenseConstants;
using converter::DenseGroup;
using converter::DescLike;
using converter::Graph;
using converter::kDenseFloat;
using converter::kDenseInference;
using converter::Node;
using converter::NodeError;
using converter::OpKind;
using converter::Pair;
using converter::PlainDesc;
using converter::ValueId;
using converter::Window;
using converter::WindowOf;
using dnnl::memory;

constexpr float kSignedLevels = 127;
constexpr float kUnsignedLevels = 255;

size_t Index(ValueId id) { return static_cast<size_t>(id); }

memory::desc AnyDesc(const memory::dims& dims, memory::data_type type) {
  return {dims, type, memory::format_tag::any};
}

// The same layout, of elements of another type.
memory::desc WithType(memory::desc desc, memory::data_type type) {
  desc.data.data_type = static_cast<dnnl_data_type_t>(type);
  return desc;
}

// Values that leave the network: outputs, and maps that are only flattened before they do.
std::vector<bool> FindAnswers(const Graph& graph) {
  std::vector<bool> is_answer(graph.values.size(), false);
  for (const converter::GraphOutput& output : graph.outputs) is_answer[Index(output.value)] = true;
  const std::vector<int> uses = graph.CountUses();
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (node.op == OpKind::kFlatten && is_answer[Index(node.outputs[0])] &&
        uses[Index(node.inputs[0])] == 1) {
      is_answer[Index(node.inputs[0])] = true;
    }
  }
  return is_answer;
}

}  // namespace

Int8Builder::Int8Builder(const Graph& graph, std::vector<float> magnitudes)
    : graph_(graph),
      magnitudes_(std::move(magnitudes)),
      is_answer_(FindAnswers(graph)),
      codes_(graph.values.size()),
      builder_(graph, 1) {
  ChooseCode(graph.input, false);
}

Status Int8Builder::Add(const DenseGroup& group) {
  const Node& node = *group.leader;
  const ValueId out = node.outputs[0];
  if (group.last().op == OpKind::kQuantize) {
    return NodeError(group.last(),
                     "the 8-bit network is made of a model in float; this one is quantized");
  }
  const bool computes =
      node.op == OpKind::kConv || node.op == OpKind::kGemm || node.op == OpKind::kFlatten;
  if (is_answer_[Index(group.last().outputs[0])] && (!computes || group.sum != nullptr)) {
    return NodeError(node, "the 8-bit network ends with a Conv, Gemm or GlobalAveragePool only");
  }
  switch (node.op.kind()) {
    case OpKind::kConv:
      return AddConv(group);
    case OpKind::kGemm:
      return AddGemm(group);
    case OpKind::kAdd:
      return AddSum(group);
    case OpKind::kRelu:
    case OpKind::kClip:
      return AddRectifier(node);
    case OpKind::kMaxPool:
      return AddPool(node, dnnl::algorithm::pooling_max);
    case OpKind::kAveragePool:
      return AddPool(node, node.Int("count_include_pad", 1) != 0
                               ? dnnl::algorithm::pooling_avg_include_padding
                               : dnnl::algorithm::pooling_avg_exclude_padding);
    case OpKind::kGlobalAveragePool:
      return AddGlobalMean(group);
    case OpKind::kSlice:
      return AddSlice(node);
    case OpKind::kPad:
      return AddPad(node);
    case OpKind::kFlatten:
      CodeOf(out) = CodeOf(node.inputs[0]);
      builder_.MakeAlias(out, node.inputs[0]);
      return Status::Ok();
    default:
      return NodeError(node, "the 8-bit network does not run " + node.op.full_name());
  }
}

void Int8Builder::ChooseCode(ValueId id, bool rectified) {
  if (is_answer_[Index(id)]) {
    CodeOf(id) = {kDenseFloat, 1};
    return;
  }
  const float largest = magnitudes_[Index(id)] > 0 ? magnitudes_[Index(id)] : 1;
  CodeOf(id) = rectified ? Code{Type::u8, largest / kUnsignedLevels}
                         : Code{Type::s8, largest / kSignedLevels};
}

Int8Builder::Weights Int8Builder::Quantize(const Node& node, memory::dims dims) const {
  const std::vector<float>& floats = *ConstantFloats(graph_, node, 1);
  const auto outputs = static_cast<size_t>(graph_.ConstantInput(node, 1)->shape[0]);
  const size_t each = floats.size() / outputs;
  Weights weights = {std::move(dims), std::vector<int8_t>(floats.size()), {}};
  for (size_t o = 0; o < outputs; ++o) {
    const auto first = floats.begin() + static_cast<std::ptrdiff_t>(o * each);
    float largest = 0;
    for (size_t i = 0; i < each; ++i) largest = std::max(largest, std::abs(first[i]));
    const float scale = largest > 0 ? largest / kSignedLevels : 1;
    for (size_t i = 0; i < each; ++i) {
      weights.values[o * each + i] = static_cast<int8_t>(std::lround(first[i] / scale));
    }
    weights.scales.push_back(scale);
  }
  return weights;
}

std::optional<ValueId> Int8Builder::OtherTerm(const DenseGroup& group) const {
  if (group.sum == nullptr) return std::nullopt;
  const std::vector<ValueId>& terms = group.sum->inputs;
  return terms[0] == group.leader->outputs[0] ? terms[1] : terms[0];
}

// What happens to the sums of a layer, whose result has its code already.
dnnl::primitive_attr Int8Builder::Attributes(const DenseGroup& group, const Weights& weights) {
  const Code& to = CodeOf(group.last().outputs[0]);
  std::vector<float> scales;
  for (const float scale : weights.scales) {
    scales.push_back(scale * CodeOf(group.leader->inputs[0]).scale / to.scale);
  }
  dnnl::primitive_attr attributes;
  attributes.set_output_scales(1 << 1, scales);
  dnnl::post_ops post;
  if (const auto other = OtherTerm(group); other.has_value()) {
    post.append_sum(CodeOf(*other).scale / to.scale, 0, CodeOf(*other).type);
  }
  attributes.set_post_ops(post);
  // A result in float, which ends the network: nothing saturates.
  if (to.type == kDenseFloat && group.rectifier != nullptr) {
    attributes.set_post_ops(builder_.PostOperations(group).get_post_ops());
  }
  return attributes;
}

// Returns the slot of an activation in this layout. The first layer's is the image, rounded.
size_t Int8Builder::SlotAs(ValueId id, const memory::desc& desc) {
  if (id != graph_.input) return builder_.SlotAs(id, desc);
  if (image_slot_.has_value() && builder_.SlotDesc(*image_slot_) == desc) return *image_slot_;
  const size_t from = builder_.FirstSlot(id);
  image_slot_ = builder_.NewSlot(desc);
  dnnl::primitive_attr attributes;
  attributes.set_output_scales(0, {1 / CodeOf(id).scale});
  const dnnl::reorder::primitive_desc round(builder_.engine(), builder_.SlotDesc(from),
                                            builder_.engine(), desc, attributes);
  builder_.AddOperation(dnnl::reorder(round), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, *image_slot_}});
  return *image_slot_;
}

// Declares what the last operation computed; an answer is put into plain order.
void Int8Builder::MakeResult(const DenseGroup& group, size_t slot) {
  const ValueId id = group.last().outputs[0];
  const memory::desc plain = PlainDesc(builder_.SlotDims(slot), kDenseFloat);
  if (is_answer_[Index(id)] && builder_.SlotDesc(slot) != plain) {
    const size_t from = slot;
    slot = builder_.NewSlot(plain);
    builder_.AddReorder(from, slot);
  }
  builder_.Make(id, slot);
}

template <typename PrimitiveDesc>
void Int8Builder::AddLayer(const DenseGroup& group, const PrimitiveDesc& primitive,
                           const Weights& weights) {
  const Node& node = *group.leader;
  const dnnl::engine& engine = builder_.engine();
  dnnl::stream stream(engine);
  DenseConstants constants;
  memory plain(PlainDesc(weights.dims, Type::s8), engine,
               const_cast<int8_t*>(weights.values.data()));
  memory reordered(primitive.weights_desc(), engine);
  dnnl::reorder(plain, reordered).execute(stream, plain, reordered);
  stream.wait();
  constants[DNNL_ARG_WEIGHTS] = reordered;
  if (const std::vector<float>* bias = ConstantFloats(graph_, node, 2); bias != nullptr) {
    // In units of the sums of products.
    memory scaled(primitive.bias_desc(), engine);
    auto* values = static_cast<float*>(scaled.get_data_handle());
    const float in = CodeOf(node.inputs[0]).scale;
    for (size_t o = 0; o < bias->size(); ++o) values[o] = (*bias)[o] / (in * weights.scales[o]);
    constants[DNNL_ARG_BIAS] = scaled;
  }
  const size_t from = SlotAs(node.inputs[0], primitive.src_desc());
  const std::optional<ValueId> other = OtherTerm(group);
  size_t to = 0;
  if (other.has_value()) {
    const memory::desc taken = WithType(primitive.dst_desc(), CodeOf(*other).type);
    to = builder_.NewSlotIn(builder_.OwnedSlot(*other, taken), primitive.dst_desc());
  } else {
    to = builder_.NewSlot(primitive.dst_desc());
  }
  builder_.AddOperation(dnnl::primitive(primitive), {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}},
                        std::move(constants));
  MakeResult(group, to);
  builder_.FinishRead(node.inputs[0]);
  if (other.has_value()) builder_.FinishRead(*other);
}

void Int8Builder::AddConvolution(const DenseGroup& group, const Weights& weights, const Window& w) {
  const Node& node = *group.leader;
  memory::desc bias;
  if (const std::vector<float>* floats = ConstantFloats(graph_, node, 2); floats != nullptr) {
    bias = PlainDesc({static_cast<int64_t>(floats->size())}, kDenseFloat);
  }
  const dnnl::convolution_forward::desc desc(
      kDenseInference, dnnl::algorithm::convolution_direct,
      AnyDesc(builder_.Dims(node.inputs[0]), CodeOf(node.inputs[0]).type),
      AnyDesc(weights.dims, Type::s8), bias,
      AnyDesc(builder_.Dims(node.outputs[0]), CodeOf(group.last().outputs[0]).type), Pair(w.stride),
      {w.dilation[0] - 1, w.dilation[1] - 1}, Pair(w.pad_before), Pair(w.pad_after));
  AddLayer(group,
           dnnl::convolution_forward::primitive_desc(desc, Attributes(group, weights),
                                                     builder_.engine()),
           weights);
}

Status Int8Builder::AddConv(const DenseGroup& group) {
  const Node& node = *group.leader;
  Result<Window> window = WindowOf(graph_, node, graph_.value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  ChooseCode(group.last().outputs[0], group.rectifier != nullptr);
  const memory::dims dims =
      converter::GroupedWeights(graph_.ConstantInput(node, 1)->shape, node.Int("group", 1));
  AddConvolution(group, Quantize(node, dims), window.value());
  return Status::Ok();
}

// A depthwise convolution with ones. oneDNN's pools of bytes keep the scale of their input, but
// means are much smaller than the largest activation: few levels would be left.
Status Int8Builder::AddGlobalMean(const DenseGroup& group) {
  const Node& node = *group.leader;
  const converter::Shape& map = graph_.value(node.inputs[0]).shape;
  ChooseCode(node.outputs[0], CodeOf(node.inputs[0]).type == Type::u8);
  const int64_t area = map[2] * map[3];
  const Weights ones = {
      {map[1], 1, 1, map[2], map[3]},
      std::vector<int8_t>(static_cast<size_t>(map[1] * area), 1),
      std::vector<float>(static_cast<size_t>(map[1]), 1.0F / static_cast<float>(area))};
  AddConvolution(group, ones, converter::WholeMap(map));
  return Status::Ok();
}

Status Int8Builder::AddGemm(const DenseGroup& group) {
  const Node& node = *group.leader;
  ChooseCode(group.last().outputs[0], group.rectifier != nullptr);
  const memory::dims from = builder_.SlotDims(builder_.FirstSlot(node.inputs[0]));
  memory::dims dims = from;
  dims[0] = graph_.ConstantInput(node, 1)->shape[0];
  memory::desc bias;
  if (ConstantFloats(graph_, node, 2) != nullptr) bias = PlainDesc({dims[0]}, kDenseFloat);
  const Weights weights = Quantize(node, std::move(dims));
  const dnnl::inner_product_forward::desc desc(
      kDenseInference, AnyDesc(from, CodeOf(node.inputs[0]).type), AnyDesc(weights.dims, Type::s8),
      bias, AnyDesc(builder_.Dims(node.outputs[0]), CodeOf(group.last().outputs[0]).type));
  AddLayer(group,
           dnnl::inner_product_forward::primitive_desc(desc, Attributes(group, weights),
                                                       builder_.engine()),
           weights);
  return Status::Ok();
}

// A sum that no layer before it takes in.
Status Int8Builder::AddSum(const DenseGroup& group) {
  const Node& node = *group.leader;
  const ValueId result = group.last().outputs[0];
  ChooseCode(result, group.rectifier != nullptr);
  const Code& to_code = CodeOf(result);
  const size_t a = builder_.AnySlot(node.inputs[0]);
  const memory::desc desc = builder_.SlotDesc(a);
  const size_t b = builder_.SlotAs(node.inputs[1], WithType(desc, CodeOf(node.inputs[1]).type));
  const memory::desc to_desc = WithType(desc, to_code.type);
  dnnl::primitive_attr attributes;
  attributes.set_scales(DNNL_ARG_SRC_0, 0, {CodeOf(node.inputs[0]).scale / to_code.scale});
  attributes.set_scales(DNNL_ARG_SRC_1, 0, {CodeOf(node.inputs[1]).scale / to_code.scale});
  const dnnl::binary::desc binary(dnnl::algorithm::binary_add, desc, builder_.SlotDesc(b), to_desc);
  const dnnl::binary::primitive_desc primitive(binary, attributes, builder_.engine());
  const size_t to = builder_.NewSlot(to_desc);
  builder_.AddOperation(dnnl::binary(primitive),
                        {{DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, to}});
  builder_.Make(result, to);
  builder_.FinishRead(node.inputs[0]);
  builder_.FinishRead(node.inputs[1]);
  return Status::Ok();
}

}  // namespace cssrun::bench
