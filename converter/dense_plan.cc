#include "converter/dense_plan.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <string>
#include <utility>

#include "converter/operator_attributes.h"
#include "converter/out_of_memory.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using Constants = std::unordered_map<int, memory>;
using SlotArguments = std::vector<std::pair<int, size_t>>;

constexpr auto kInference = dnnl::prop_kind::forward_inference;
constexpr auto kFloat = memory::data_type::f32;
constexpr size_t kNone = static_cast<size_t>(-1);

size_t Index(ValueId id) { return static_cast<size_t>(id); }

memory::desc AnyDesc(const memory::dims& dims) { return {dims, kFloat, memory::format_tag::any}; }

memory::dims Pair(const std::array<int64_t, 2>& values) { return {values[0], values[1]}; }

// Every element lies at the sum of its positions times the strides: no blocks within.
bool IsStrided(const memory::desc& desc) {
  return desc.data.format_kind == dnnl_blocked && desc.data.format_desc.blocking.inner_nblks == 0;
}

// Contiguous, with the axes in the order of `like`, which is strided.
memory::desc DescLike(const memory::desc& like, const memory::dims& dims) {
  const auto& order_of = like.data.format_desc.blocking.strides;
  std::vector<size_t> order(dims.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return order_of[a] > order_of[b]; });
  memory::dims strides(dims.size(), 1);
  memory::dim stride = 1;
  for (size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride *= dims[order[i]];
  }
  return {dims, kFloat, strides};
}

// Nodes that run as one primitive, at the place of the last of them.
struct Group {
  size_t leader = kNone;
  size_t add = kNone;   // the leader's output plus another value
  size_t relu = kNone;  // Relu or Clip of that
};

// Values that share memory: a value and what Flatten makes of it.
struct Activation {
  std::vector<size_t> slots;  // the first is the one it was computed in
  int reads = 0;              // still to come
};

class Builder {
 public:
  Builder(const Graph& graph, int64_t batch)
      : graph_(graph),
        batch_(batch),
        uses_(graph.CountUses()),
        activation_of_(graph.values.size(), kNone),
        operation_of_(graph.values.size(), kNone),
        plan_(std::make_unique<DensePlan>()) {}

  Result<std::unique_ptr<DensePlan>> Build() {
    plan_->observable.resize(graph_.values.size());
    for (const Value& value : graph_.values) plan_->names.push_back(value.name);
    AddInput();
    FormGroups();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (groups_[i].leader == kNone) continue;
      current_ = &NodeAt(groups_[i].leader);
      if (Status status = Add(groups_[i]); !status.ok()) return status;
    }
    if (activation_of_[Index(graph_.output)] == kNone) {
      return Status::BadModel("the output is computed by no node");
    }
    plan_->output_slot = FirstSlot(graph_.output);
    plan_->output_size = FloatsOf(SlotDims(plan_->output_slot));
    Allocate();
    return std::move(plan_);
  }

  // The node that was being added when oneDNN threw.
  const Node* current() const { return current_; }

 private:
  const Node& NodeAt(size_t index) const { return graph_.nodes[index]; }

  memory::dims Dims(ValueId id) const {
    memory::dims dims = graph_.value(id).shape;
    dims[0] = batch_;
    return dims;
  }

  static size_t FloatsOf(const memory::dims& dims) {
    return static_cast<size_t>(ElementCount(dims));
  }

  // --- Which nodes run together ---

  // groups_[i] is the group whose last node is i.
  void FormGroups() {
    const size_t count = graph_.nodes.size();
    std::vector<size_t> only_reader(graph_.values.size(), kNone);
    for (size_t i = 0; i < count; ++i) {
      for (const ValueId id : NodeAt(i).inputs) {
        if (id != kNoValue && uses_[Index(id)] == 1) only_reader[Index(id)] = i;
      }
    }
    // The node that alone reads node i's output, if it is one of `kinds`.
    const auto reader = [&](size_t i, std::initializer_list<OpKind> kinds) {
      const size_t found = only_reader[Index(NodeAt(i).outputs[0])];
      if (found == kNone) return kNone;
      return IsOneOf(NodeAt(found).op, kinds) ? found : kNone;
    };
    const auto is_layer = [&](size_t i) {
      return NodeAt(i).op == OpKind::kConv || NodeAt(i).op == OpKind::kGemm;
    };
    std::vector<size_t> sum_of(count, kNone);
    std::vector<bool> fused(count, false);
    // Backwards: where both sides of a sum are convolutions, the later one takes it.
    for (size_t i = count; i-- > 0;) {
      if (!is_layer(i)) continue;
      const size_t add = reader(i, {OpKind::kAdd});
      if (add == kNone || fused[add]) continue;
      sum_of[i] = add;
      fused[add] = true;
    }
    groups_.assign(count, Group());
    for (size_t i = 0; i < count; ++i) {
      if (fused[i]) continue;
      Group group;
      group.leader = i;
      group.add = sum_of[i];
      size_t last = group.add == kNone ? i : group.add;
      if (is_layer(i) || NodeAt(i).op == OpKind::kAdd) {
        group.relu = reader(last, {OpKind::kRelu, OpKind::kClip, OpKind::kQuantize});
        if (group.relu != kNone) {
          last = group.relu;
          fused[last] = true;
        }
      }
      groups_[last] = group;
    }
  }

  ValueId OutputOf(const Group& group) const {
    const size_t last = group.relu != kNone  ? group.relu
                        : group.add != kNone ? group.add
                                             : group.leader;
    return NodeAt(last).outputs[0];
  }

  // --- Memory ---

  size_t AcquireBuffer(size_t bytes) {
    // The smallest that is large enough, or else the largest, which then grows.
    size_t best = kNone;
    for (size_t i = 0; i < free_.size(); ++i) {
      if (best == kNone) best = i;
      const size_t size = buffer_bytes_[free_[i]];
      const size_t best_size = buffer_bytes_[free_[best]];
      const bool better = best_size < bytes ? size > best_size : size >= bytes && size < best_size;
      if (better) best = i;
    }
    if (best == kNone) {
      buffer_bytes_.push_back(bytes);
      return buffer_bytes_.size() - 1;
    }
    const size_t buffer = free_[best];
    free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(best));
    buffer_bytes_[buffer] = std::max(buffer_bytes_[buffer], bytes);
    return buffer;
  }

  void ReleaseBuffer(size_t buffer) {
    const bool free = std::find(free_.begin(), free_.end(), buffer) != free_.end();
    if (buffer != DensePlan::kInputBuffer && !free) free_.push_back(buffer);
  }

  size_t AddSlot(const memory::desc& desc, size_t buffer) {
    plan_->slots.push_back({desc, buffer});
    return plan_->slots.size() - 1;
  }

  size_t NewSlot(const memory::desc& desc) { return AddSlot(desc, AcquireBuffer(desc.get_size())); }

  const memory::desc& SlotDesc(size_t slot) const { return plan_->slots[slot].desc; }
  memory::dims SlotDims(size_t slot) const { return SlotDesc(slot).dims(); }

  Activation& ActivationOf(ValueId id) { return activations_[activation_of_[Index(id)]]; }
  size_t FirstSlot(ValueId id) { return ActivationOf(id).slots.front(); }

  // A slot that holds the value as `desc` says, through a reorder if there is none yet.
  size_t SlotAs(ValueId id, const memory::desc& desc) {
    for (const size_t slot : ActivationOf(id).slots) {
      if (SlotDesc(slot) == desc) return slot;
    }
    const size_t slot = NewSlot(desc);
    AddReorder(FirstSlot(id), slot);
    ActivationOf(id).slots.push_back(slot);
    return slot;
  }

  // In plain order and with the value's own dimensions (those of a flattened map differ).
  size_t PlainSlot(ValueId id) {
    const memory::desc wanted = PlainDesc(Dims(id));
    const memory::dims stored = SlotDims(FirstSlot(id));
    if (stored == Dims(id)) return SlotAs(id, wanted);
    const size_t plain = SlotAs(id, PlainDesc(stored));
    const size_t slot = AddSlot(wanted, plan_->slots[plain].buffer);
    ActivationOf(id).slots.push_back(slot);
    return slot;
  }

  // Where the value lies, with its own dimensions.
  size_t AnySlot(ValueId id) {
    const size_t slot = FirstSlot(id);
    return SlotDims(slot) == Dims(id) ? slot : PlainSlot(id);
  }

  // A slot that holds the value as `desc` says and that may be overwritten.
  size_t OwnedSlot(ValueId id, const memory::desc& desc) {
    Activation& activation = ActivationOf(id);
    for (const size_t slot : activation.slots) {
      const size_t buffer = plan_->slots[slot].buffer;
      if (activation.reads != 1 || buffer == DensePlan::kInputBuffer || SlotDesc(slot) != desc) {
        continue;
      }
      // This is the last read: the buffer changes hands.
      std::erase_if(activation.slots,
                    [&](size_t other) { return plan_->slots[other].buffer == buffer; });
      return slot;
    }
    const size_t from = AnySlot(id);
    const size_t slot = NewSlot(desc);
    AddReorder(from, slot);
    return slot;
  }

  void FinishRead(ValueId id) {
    Activation& activation = ActivationOf(id);
    if (--activation.reads > 0) return;
    for (const size_t slot : activation.slots) ReleaseBuffer(plan_->slots[slot].buffer);
  }

  void Allocate() {
    for (size_t i = 0; i < buffer_bytes_.size(); ++i) {
      const auto floats = static_cast<int64_t>(buffer_bytes_[i] / sizeof(float));
      const memory::desc desc = PlainDesc({floats});
      // The caller's images take the place of the input's.
      plan_->buffers.push_back(i == DensePlan::kInputBuffer
                                   ? memory(desc, plan_->engine, DNNL_MEMORY_NONE)
                                   : memory(desc, plan_->engine));
    }
    for (DenseOperation& operation : plan_->operations) {
      for (const auto& [argument, slot] : operation.slots) {
        const memory& buffer = plan_->buffers[plan_->slots[slot].buffer];
        operation.arguments[argument] =
            memory(SlotDesc(slot), plan_->engine, buffer.get_data_handle());
      }
    }
  }

  // --- Operations ---

  void AddOperation(dnnl::primitive primitive, SlotArguments slots, Constants constants = {}) {
    plan_->operations.push_back({std::move(primitive), std::move(slots), std::move(constants), {}});
  }

  void AddReorder(size_t from, size_t to) {
    const dnnl::reorder::primitive_desc reorder(plan_->engine, SlotDesc(from), plan_->engine,
                                                SlotDesc(to));
    AddOperation(dnnl::reorder(reorder), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  }

  // Declares that the last operation computed `id` into `slot`.
  void Make(ValueId id, size_t slot) {
    activation_of_[Index(id)] = activations_.size();
    activations_.push_back({{slot}, uses_[Index(id)]});
    plan_->observable[Index(id)] = slot;
    if (plan_->operations.empty()) {
      plan_->inputs.push_back(id);
      return;
    }
    operation_of_[Index(id)] = plan_->operations.size() - 1;
    plan_->operations.back().makes.push_back(id);
  }

  void AddInput() {
    const memory::desc desc = PlainDesc(Dims(graph_.input));
    plan_->input_size = FloatsOf(Dims(graph_.input));
    Make(graph_.input, NewSlot(desc));
  }

  Status Add(const Group& group) {
    const Node& node = NodeAt(group.leader);
    if (node.op == OpKind::kConv) return AddConv(group);
    if (node.op == OpKind::kGemm) return AddGemm(group);
    if (node.op == OpKind::kAdd) return AddSum(group);
    if (node.op == OpKind::kRelu || node.op == OpKind::kClip || node.op == OpKind::kQuantize)
      return AddRectifier(node);
    if (node.op == OpKind::kMaxPool || node.op == OpKind::kAveragePool ||
        node.op == OpKind::kGlobalAveragePool) {
      return AddPool(node);
    }
    if (node.op == OpKind::kFlatten) return AddFlatten(node);
    if (node.op == OpKind::kSlice) return AddSlice(node);
    if (node.op == OpKind::kPad) return AddPad(node);
    if (node.op == OpKind::kConcat) return AddConcat(node);
    return NodeError(node, "the dense network cannot run this operator");
  }

  // The other value of a fused sum.
  ValueId OtherOperand(const Group& group) const {
    const Node& add = NodeAt(group.add);
    return add.inputs[0] == NodeAt(group.leader).outputs[0] ? add.inputs[1] : add.inputs[0];
  }

  struct Elementwise {
    algorithm kind;
    float alpha;
    float beta;
    float scale = 1;  // of the result
  };

  // What a Relu, Clip or Quantize does to an element, one after another.
  std::vector<Elementwise> RectifierOf(const Node& node) const {
    if (node.op == OpKind::kRelu) return {{algorithm::eltwise_relu, 0, 0}};
    if (node.op == OpKind::kQuantize) {
      const float step = node.Float("step", 1);
      const auto low = static_cast<float>(node.Int("low", 0));
      const auto high = static_cast<float>(node.Int("high", 0));
      // Two linear ones after another primitive share one factor in oneDNN 2.6, so the second is
      // the scale of the clip.
      return {{algorithm::eltwise_linear, 1 / step, 0},
              {algorithm::eltwise_round, 0, 0},
              {algorithm::eltwise_clip, low, high, step}};
    }
    return {{algorithm::eltwise_clip, 0, ClipBoundsOf(graph_, node).value_or(ClipBounds()).high}};
  }

  dnnl::primitive_attr PostOperations(const Group& group) const {
    dnnl::post_ops post;
    if (group.add != kNone) post.append_sum();
    if (group.relu != kNone) {
      for (const Elementwise& e : RectifierOf(NodeAt(group.relu))) {
        post.append_eltwise(e.scale, e.kind, e.alpha, e.beta);
      }
    }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(post);
    return attributes;
  }

  // A copy of constant floats as `desc` says.
  memory Weights(const std::vector<float>& values, const memory::dims& dims,
                 const memory::desc& desc) {
    // oneDNN has no read-only memory; a reorder does not write to its source.
    memory plain(PlainDesc(dims), plan_->engine, const_cast<float*>(values.data()));
    memory weights(desc, plan_->engine);
    dnnl::reorder(plain, weights).execute(plan_->stream, plain, weights);
    plan_->stream.wait();
    return weights;
  }

  // What Conv and Gemm share once their primitive is chosen.
  template <typename PrimitiveDesc>
  void AddLayer(const Group& group, const PrimitiveDesc& primitive,
                const memory::dims& weight_dims) {
    const Node& node = NodeAt(group.leader);
    Constants constants;
    constants[DNNL_ARG_WEIGHTS] =
        Weights(*ConstantFloats(graph_, node, 1), weight_dims, primitive.weights_desc());
    if (const std::vector<float>* bias = ConstantFloats(graph_, node, 2); bias != nullptr) {
      constants[DNNL_ARG_BIAS] =
          Weights(*bias, {static_cast<int64_t>(bias->size())}, primitive.bias_desc());
    }
    const size_t from = SlotAs(node.inputs[0], primitive.src_desc());
    const size_t to = group.add == kNone ? NewSlot(primitive.dst_desc())
                                         : OwnedSlot(OtherOperand(group), primitive.dst_desc());
    AddOperation(dnnl::primitive(primitive), {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}},
                 std::move(constants));
    Make(OutputOf(group), to);
    FinishRead(node.inputs[0]);
    if (group.add != kNone) FinishRead(OtherOperand(group));
  }

  Status AddConv(const Group& group) {
    const Node& node = NodeAt(group.leader);
    Result<Window> window = WindowOf(graph_, node, graph_.value(node.inputs[0]).shape);
    if (!window.ok()) return window.status();
    const Window& w = window.value();
    memory::dims weights = graph_.ConstantInput(node, 1)->shape;
    const int64_t groups = node.Int("group", 1);
    if (groups > 1) {
      weights[0] /= groups;
      weights.insert(weights.begin(), groups);
    }
    memory::desc bias;
    if (ConstantFloats(graph_, node, 2) != nullptr) {
      bias = AnyDesc({graph_.ConstantInput(node, 1)->shape[0]});
    }
    const dnnl::convolution_forward::desc desc(
        kInference, algorithm::convolution_direct, AnyDesc(Dims(node.inputs[0])), AnyDesc(weights),
        bias, AnyDesc(Dims(node.outputs[0])), Pair(w.stride),
        {w.dilation[0] - 1, w.dilation[1] - 1}, Pair(w.pad_before), Pair(w.pad_after));
    AddLayer(group,
             dnnl::convolution_forward::primitive_desc(desc, PostOperations(group), plan_->engine),
             weights);
    return Status::Ok();
  }

  // A flattened map is read as it lies; the weights are laid out to match.
  Status AddGemm(const Group& group) {
    const Node& node = NodeAt(group.leader);
    const memory::dims from = SlotDims(FirstSlot(node.inputs[0]));
    memory::dims weights = from;
    weights[0] = graph_.ConstantInput(node, 1)->shape[0];
    memory::desc bias;
    if (ConstantFloats(graph_, node, 2) != nullptr) bias = AnyDesc({weights[0]});
    const dnnl::inner_product_forward::desc desc(kInference, AnyDesc(from), AnyDesc(weights), bias,
                                                 AnyDesc(Dims(node.outputs[0])));
    AddLayer(
        group,
        dnnl::inner_product_forward::primitive_desc(desc, PostOperations(group), plan_->engine),
        weights);
    return Status::Ok();
  }

  Status AddSum(const Group& group) {
    const Node& node = NodeAt(group.leader);
    const size_t a = AnySlot(node.inputs[0]);
    const memory::desc desc = SlotDesc(a);
    const size_t b = SlotDims(FirstSlot(node.inputs[1])) == desc.dims()
                         ? SlotAs(node.inputs[1], desc)
                         : SlotAs(node.inputs[1], PlainDesc(desc.dims()));
    const dnnl::binary::desc binary(algorithm::binary_add, desc, SlotDesc(b), desc);
    const dnnl::binary::primitive_desc primitive(binary, PostOperations(group), plan_->engine);
    const size_t to = NewSlot(desc);
    AddOperation(dnnl::binary(primitive),
                 {{DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, to}});
    Make(OutputOf(group), to);
    FinishRead(node.inputs[0]);
    FinishRead(node.inputs[1]);
    return Status::Ok();
  }

  Status AddRectifier(const Node& node) {
    const size_t from = AnySlot(node.inputs[0]);
    const memory::desc desc = SlotDesc(from);
    const size_t to = NewSlot(desc);
    size_t source = from;
    const auto add = [&](algorithm kind, float alpha, float beta) {
      const dnnl::eltwise_forward::desc eltwise(kInference, kind, desc, alpha, beta);
      const dnnl::eltwise_forward::primitive_desc primitive(eltwise, plan_->engine);
      AddOperation(dnnl::eltwise_forward(primitive), {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, to}});
      source = to;
    };
    for (const Elementwise& e : RectifierOf(node)) {
      add(e.kind, e.alpha, e.beta);
      if (e.scale != 1) add(algorithm::eltwise_linear, e.scale, 0);
    }
    Make(node.outputs[0], to);
    FinishRead(node.inputs[0]);
    return Status::Ok();
  }

  Status AddPool(const Node& node) {
    const Shape& shape = graph_.value(node.inputs[0]).shape;
    Window w = WholeMap(shape);
    if (node.op != OpKind::kGlobalAveragePool) {
      Result<Window> window = WindowOf(graph_, node, shape);
      if (!window.ok()) return window.status();
      w = window.value();
    }
    const size_t from = AnySlot(node.inputs[0]);
    const bool counts_padding = node.Int("count_include_pad", 1) != 0;
    const dnnl::pooling_forward::desc desc(
        kInference,
        node.op == OpKind::kMaxPool ? algorithm::pooling_max
        : counts_padding            ? algorithm::pooling_avg_include_padding
                                    : algorithm::pooling_avg_exclude_padding,
        SlotDesc(from), AnyDesc(Dims(node.outputs[0])), Pair(w.stride), Pair(w.kernel),
        Pair(w.pad_before), Pair(w.pad_after));
    const dnnl::pooling_forward::primitive_desc primitive(desc, plan_->engine);
    const size_t to = NewSlot(primitive.dst_desc());
    AddOperation(dnnl::pooling_forward(primitive), {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
    Make(node.outputs[0], to);
    FinishRead(node.inputs[0]);
    return Status::Ok();
  }

  // The same memory under another name; whoever minds the dimensions calls PlainSlot().
  Status AddFlatten(const Node& node) {
    const ValueId from = node.inputs[0];
    const ValueId to = node.outputs[0];
    activation_of_[Index(to)] = activation_of_[Index(from)];
    ActivationOf(from).reads += uses_[Index(to)] - 1;
    plan_->observable[Index(to)] = plan_->observable[Index(from)];
    const size_t operation = operation_of_[Index(from)];
    operation_of_[Index(to)] = operation;
    (operation == kNone ? plan_->inputs : plan_->operations[operation].makes).push_back(to);
    return Status::Ok();
  }

  // Where the value lies, if its elements are at plain strides; otherwise in plain order.
  size_t StridedSlot(ValueId id) {
    const size_t slot = AnySlot(id);
    return IsStrided(SlotDesc(slot)) ? slot : PlainSlot(id);
  }

  Status AddSlice(const Node& node) {
    Result<std::optional<std::vector<AxisRange>>> ranges = SliceRanges(graph_, node);
    if (!ranges.ok()) return ranges.status();
    const size_t whole = StridedSlot(node.inputs[0]);
    const dnnl_memory_desc_t& source = SlotDesc(whole).data;
    const memory::dims to_dims = Dims(node.outputs[0]);
    memory::dims strides(to_dims.size());
    memory::dim offset = source.offset0;
    for (size_t axis = 0; axis < strides.size(); ++axis) {
      const AxisRange& range = (*ranges.value())[axis];
      strides[axis] = source.format_desc.blocking.strides[axis];
      if (axis == 0) continue;  // the batch, of which nothing is cut
      offset += range.start * strides[axis];
      if (range.count > 1) strides[axis] *= range.step;
    }
    memory::desc view(to_dims, kFloat, strides);
    view.data.offset0 = offset;
    const size_t to = NewSlot(DescLike(SlotDesc(whole), to_dims));
    AddReorder(AddSlot(view, plan_->slots[whole].buffer), to);
    Make(node.outputs[0], to);
    FinishRead(node.inputs[0]);
    return Status::Ok();
  }

  Status AddPad(const Node& node) {
    Result<std::optional<Padding>> padding = PaddingOf(graph_, node);
    if (!padding.ok()) return padding.status();
    const size_t from = StridedSlot(node.inputs[0]);
    const size_t to = NewSlot(DescLike(SlotDesc(from), Dims(node.outputs[0])));
    AddOperation(dnnl::primitive(), {{DNNL_ARG_DST, to}});
    const memory::desc inside =
        SlotDesc(to).submemory_desc(Dims(node.inputs[0]), padding.value()->before);
    AddReorder(from, AddSlot(inside, plan_->slots[to].buffer));
    Make(node.outputs[0], to);
    FinishRead(node.inputs[0]);
    return Status::Ok();
  }

  Status AddConcat(const Node& node) {
    std::vector<memory::desc> descs;
    SlotArguments slots;
    for (const ValueId id : node.inputs) {
      const size_t slot = AnySlot(id);
      slots.emplace_back(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(slots.size()), slot);
      descs.push_back(SlotDesc(slot));
    }
    const auto rank = static_cast<int64_t>(graph_.value(node.outputs[0]).shape.size());
    const int64_t axis = node.Int("axis", 1);
    const dnnl::concat::primitive_desc primitive(static_cast<int>(axis < 0 ? axis + rank : axis),
                                                 descs, plan_->engine);
    const size_t to = NewSlot(primitive.dst_desc());
    slots.emplace_back(DNNL_ARG_DST, to);
    AddOperation(dnnl::concat(primitive), std::move(slots));
    Make(node.outputs[0], to);
    for (const ValueId id : node.inputs) FinishRead(id);
    return Status::Ok();
  }

  const Graph& graph_;
  const int64_t batch_;
  const std::vector<int> uses_;
  const Node* current_ = nullptr;
  std::vector<Group> groups_;          // by the last node
  std::vector<size_t> activation_of_;  // by ValueId
  std::vector<size_t> operation_of_;   // by ValueId: what computes it
  std::vector<Activation> activations_;
  std::vector<size_t> buffer_bytes_;
  std::vector<size_t> free_;  // buffers
  std::unique_ptr<DensePlan> plan_;
};

}  // namespace

memory::desc PlainDesc(const memory::dims& dims) {
  memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return {dims, kFloat, strides};
}

Result<std::unique_ptr<DensePlan>> BuildDensePlan(const Graph& graph, int64_t batch) {
  if (batch < 1) return Status::InvalidArgument("the dense network needs a batch of 1 or more");
  const Node* current = nullptr;
  try {
    Builder builder(graph, batch);
    try {
      return builder.Build();
    } catch (const std::exception&) {
      current = builder.current();
      throw;
    }
  } catch (const std::exception& error) {
    if (MeansOutOfMemory(error)) return Status::OutOfMemory();
    const std::string what = std::string("the dense network cannot be built: ") + error.what();
    return current == nullptr ? Status::BadModel(what) : NodeError(*current, what);
  }
}

}  // namespace cssrun::converter
