#include "converter/dense_builder.h"

#include <algorithm>
#include <numeric>

#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"

namespace cssrun::converter {
namespace {

using dnnl::algorithm;
using dnnl::memory;

size_t Index(ValueId id) { return static_cast<size_t>(id); }

size_t FloatsOf(const memory::dims& dims) { return static_cast<size_t>(ElementCount(dims)); }

// Returns whether every element lies at the sum of its positions times the strides, without blocks.
bool IsStrided(const memory::desc& desc) {
  return desc.data.format_kind == dnnl_blocked && desc.data.format_desc.blocking.inner_nblks == 0;
}

}  // namespace

memory::dims GroupedWeights(memory::dims weights, int64_t groups) {
  if (groups > 1) {
    weights[0] /= groups;
    weights.insert(weights.begin(), groups);
  }
  return weights;
}

memory::desc AnyDesc(const memory::dims& dims) {
  return {dims, kDenseFloat, memory::format_tag::any};
}

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
  return {dims, like.data_type(), strides};
}

memory::dims Pair(const std::array<int64_t, 2>& values) { return {values[0], values[1]}; }

DenseBuilder::DenseBuilder(const Graph& graph, int64_t batch)
    : graph_(graph),
      batch_(batch),
      uses_(graph.CountUses()),
      activation_of_(graph.values.size(), kNone),
      operation_of_(graph.values.size(), kNone),
      plan_(std::make_unique<DensePlan>()) {
  plan_->observable.resize(graph_.values.size());
  for (const Value& value : graph_.values) plan_->names.push_back(value.name);
  // The first slot's buffer stands for the caller's images.
  plan_->input_size = FloatsOf(Dims(graph_.input));
  Make(graph_.input, NewSlot(PlainDesc(Dims(graph_.input))));
}

memory::dims DenseBuilder::Dims(ValueId id) const {
  memory::dims dims = graph_.value(id).shape;
  dims[0] = batch_;
  return dims;
}

size_t DenseBuilder::AcquireBuffer(size_t bytes) {
  // Takes the smallest buffer that is large enough, or else the largest one, which then grows.
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

void DenseBuilder::ReleaseBuffer(size_t buffer) {
  const bool free = std::find(free_.begin(), free_.end(), buffer) != free_.end();
  if (buffer != DensePlan::kInputBuffer && !free) free_.push_back(buffer);
}

size_t DenseBuilder::AddSlot(const memory::desc& desc, size_t buffer) {
  plan_->slots.push_back({desc, buffer});
  return plan_->slots.size() - 1;
}

size_t DenseBuilder::NewSlot(const memory::desc& desc) {
  return AddSlot(desc, AcquireBuffer(desc.get_size()));
}

size_t DenseBuilder::NewSlotIn(size_t slot_of_buffer, const memory::desc& desc) {
  return AddSlot(desc, plan_->slots[slot_of_buffer].buffer);
}

size_t DenseBuilder::SlotAs(ValueId id, const memory::desc& desc) {
  for (const size_t slot : ActivationOf(id).slots) {
    if (SlotDesc(slot) == desc) return slot;
  }
  const size_t slot = NewSlot(desc);
  AddReorder(FirstSlot(id), slot);
  ActivationOf(id).slots.push_back(slot);
  return slot;
}

// Returns the value in plain order and with its own dimensions (those of a flattened map differ).
size_t DenseBuilder::PlainSlot(ValueId id) {
  const memory::dims stored = SlotDims(FirstSlot(id));
  const memory::data_type type = SlotDesc(FirstSlot(id)).data_type();
  const memory::desc wanted = PlainDesc(Dims(id), type);
  if (stored == Dims(id)) return SlotAs(id, wanted);
  const size_t plain = SlotAs(id, PlainDesc(stored, type));
  const size_t slot = AddSlot(wanted, plan_->slots[plain].buffer);
  ActivationOf(id).slots.push_back(slot);
  return slot;
}

size_t DenseBuilder::AnySlot(ValueId id) {
  const size_t slot = FirstSlot(id);
  return SlotDims(slot) == Dims(id) ? slot : PlainSlot(id);
}

size_t DenseBuilder::OwnedSlot(ValueId id, const memory::desc& desc) {
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

void DenseBuilder::FinishRead(ValueId id) {
  Activation& activation = ActivationOf(id);
  if (--activation.reads > 0) return;
  for (const size_t slot : activation.slots) ReleaseBuffer(plan_->slots[slot].buffer);
}

void DenseBuilder::Allocate() {
  for (size_t i = 0; i < buffer_bytes_.size(); ++i) {
    const auto floats =
        static_cast<int64_t>((buffer_bytes_[i] + sizeof(float) - 1) / sizeof(float));
    const memory::desc desc = PlainDesc({floats});
    // The caller's images take the place of the input's buffer.
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
    for (const auto& [argument, where] : operation.arguments) {
      operation.handles.push_back({argument, where.get()});
    }
  }
}

size_t DenseBuilder::StridedSlot(ValueId id) {
  const size_t slot = AnySlot(id);
  return IsStrided(SlotDesc(slot)) ? slot : PlainSlot(id);
}

void DenseBuilder::AddOperation(dnnl::primitive primitive, DenseArguments slots,
                                DenseConstants constants) {
  plan_->operations.push_back(
      {std::move(primitive), std::move(slots), std::move(constants), {}, {}});
}

void DenseBuilder::AddReorder(size_t from, size_t to) {
  const dnnl::reorder::primitive_desc reorder(plan_->engine, SlotDesc(from), plan_->engine,
                                              SlotDesc(to));
  AddOperation(dnnl::reorder(reorder), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

void DenseBuilder::Make(ValueId id, size_t slot) {
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

// Returns a copy of constant floats in the layout `desc`.
memory DenseBuilder::Weights(const std::vector<float>& values, const memory::dims& dims,
                             const memory::desc& desc) {
  // oneDNN has no type for read-only memory; a reorder does not write to its source.
  memory plain(PlainDesc(dims), plan_->engine, const_cast<float*>(values.data()));
  memory weights(desc, plan_->engine);
  dnnl::reorder(plain, weights).execute(plan_->stream, plain, weights);
  plan_->stream.wait();
  return weights;
}

void DenseBuilder::AddProduct(const Node& node, const std::vector<float>& weights,
                              const memory::dims& weight_dims) {
  memory::dims from = weight_dims;
  from[0] = batch_;
  const memory::desc result = PlainDesc({batch_, weight_dims[0]});
  const dnnl::inner_product_forward::desc desc(kDenseInference, AnyDesc(from), AnyDesc(weight_dims),
                                               result);
  const dnnl::inner_product_forward::primitive_desc primitive(desc, engine());
  const size_t input = SlotAs(node.inputs[0], primitive.src_desc());
  const size_t to = NewSlot(result);
  DenseConstants constants;
  constants[DNNL_ARG_WEIGHTS] = Weights(weights, weight_dims, primitive.weights_desc());
  AddOperation(dnnl::inner_product_forward(primitive), {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, to}},
               std::move(constants));
  Make(node.outputs[0], NewSlotIn(to, PlainDesc(Dims(node.outputs[0]))));
  FinishRead(node.inputs[0]);
}

dnnl::primitive_attr DenseBuilder::PostOperations(const DenseGroup& group) const {
  dnnl::post_ops post;
  if (group.sum != nullptr) post.append_sum();
  if (group.rectifier != nullptr) {
    const Node& node = *group.rectifier;
    const auto& rectifier = std::get<DenseRectifier>(OperatorOf(node.op).dense);
    for (const Elementwise& e : rectifier.steps(graph_, node)) {
      post.append_eltwise(e.scale, e.kind, e.alpha, e.beta);
    }
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post);
  return attributes;
}

void DenseBuilder::AddRectifier(const Node& node, const std::vector<Elementwise>& steps) {
  const size_t from = AnySlot(node.inputs[0]);
  const memory::desc desc = SlotDesc(from);
  const size_t to = NewSlot(desc);
  size_t source = from;
  const auto add = [&](algorithm kind, float alpha, float beta) {
    const dnnl::eltwise_forward::desc eltwise(kDenseInference, kind, desc, alpha, beta);
    const dnnl::eltwise_forward::primitive_desc primitive(eltwise, plan_->engine);
    AddOperation(dnnl::eltwise_forward(primitive), {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, to}});
    source = to;
  };
  for (const Elementwise& e : steps) {
    add(e.kind, e.alpha, e.beta);
    if (e.scale != 1) add(algorithm::eltwise_linear, e.scale, 0);
  }
  Make(node.outputs[0], to);
  FinishRead(node.inputs[0]);
}

void DenseBuilder::MakeAlias(ValueId id, ValueId from) {
  activation_of_[Index(id)] = activation_of_[Index(from)];
  ActivationOf(from).reads += uses_[Index(id)] - 1;
  plan_->observable[Index(id)] = plan_->observable[Index(from)];
  const size_t operation = operation_of_[Index(from)];
  operation_of_[Index(id)] = operation;
  (operation == kNone ? plan_->inputs : plan_->operations[operation].makes).push_back(id);
}

const std::vector<float>* DenseBuilder::Constant(const Node& node, size_t input) const {
  return ConstantFloats(graph_, node, input);
}

Result<std::unique_ptr<DensePlan>> DenseBuilder::Finish() {
  for (const GraphOutput& output : graph_.outputs) {
    if (activation_of_[Index(output.value)] == kNone) {
      return Status::BadModel("output " + output.name + " is computed by no node");
    }
    plan_->output_slots.push_back(FirstSlot(output.value));
    plan_->output_size += FloatsOf(SlotDims(plan_->output_slots.back()));
  }
  Allocate();
  return std::move(plan_);
}

}  // namespace cssrun::converter
