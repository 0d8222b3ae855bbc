// Builds a DensePlan operator by operator: the slot of each activation in a buffer, and the list of
// oneDNN calls. The operators' dense functions (operators/) work with this class; dense_plan.cc
// decides which nodes run together.
#ifndef CSSRUN_CONVERTER_DENSE_BUILDER_H_
#define CSSRUN_CONVERTER_DENSE_BUILDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "converter/dense_plan.h"
#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

constexpr auto kDenseInference = dnnl::prop_kind::forward_inference;
constexpr auto kDenseFloat = dnnl::memory::data_type::f32;

// The constant arguments of a oneDNN call; its other arguments lie in slots.
using DenseConstants = std::unordered_map<int, dnnl::memory>;
using DenseArguments = std::vector<std::pair<int, size_t>>;

// Nodes that run as one primitive, at the place of the last node.
struct DenseGroup {
  const Node* leader = nullptr;     // a layer, a sum or anything that runs alone; null: no group
  const Node* sum = nullptr;        // the leader's output plus another value
  const Node* rectifier = nullptr;  // applied to the sum, or to the leader's output without one

  const Node& last() const;
};

// Decides which nodes of the graph run as one primitive. Element i is the group whose last node is
// node i; it has no leader where node i is not the last node of a group.
std::vector<DenseGroup> FormDenseGroups(const Graph& graph);

// One step that a rectifier applies to an element: scale * kind(x, alpha, beta).
struct Elementwise {
  dnnl::algorithm kind;
  float alpha;
  float beta;
  float scale = 1;
};

// Returns a description that lets oneDNN choose the order of the elements.
dnnl::memory::desc AnyDesc(const dnnl::memory::dims& dims);
// The dimensions of a layer's weights, whose first is that of the outputs, with one for the groups.
dnnl::memory::dims GroupedWeights(dnnl::memory::dims weights, int64_t groups);
// Returns a contiguous description with the axes in the order of `like`, whose elements lie at
// plain strides.
dnnl::memory::desc DescLike(const dnnl::memory::desc& like, const dnnl::memory::dims& dims);
dnnl::memory::dims Pair(const std::array<int64_t, 2>& rows_and_columns);

class DenseBuilder {
 public:
  // Adds the image as the first activation. `graph` must outlive the builder.
  DenseBuilder(const Graph& graph, int64_t batch);

  const Graph& graph() const { return graph_; }
  const dnnl::engine& engine() const { return plan_->engine; }
  // Returns the value's shape, with the batch as its first dimension.
  dnnl::memory::dims Dims(ValueId id) const;

  // --- Slots: where an activation lies ---

  const dnnl::memory::desc& SlotDesc(size_t slot) const { return plan_->slots[slot].desc; }
  dnnl::memory::dims SlotDims(size_t slot) const { return SlotDesc(slot).dims(); }
  // Returns the slot that the value was computed in.
  size_t FirstSlot(ValueId id) { return ActivationOf(id).slots.front(); }
  // Returns a slot that holds the value as `desc` says; adds a reorder if there is none yet.
  size_t SlotAs(ValueId id, const dnnl::memory::desc& desc);
  // Returns any slot of the value, with its own dimensions (a flattened map is stored with the
  // map's).
  size_t AnySlot(ValueId id);
  // Returns a slot of the value at plain strides, without oneDNN's blocks.
  size_t StridedSlot(ValueId id);
  // Returns a slot that holds the value as `desc` says and that may be overwritten.
  size_t OwnedSlot(ValueId id, const dnnl::memory::desc& desc);
  // Makes a new slot, in a buffer of its own or in another slot's.
  size_t NewSlot(const dnnl::memory::desc& desc);
  size_t NewSlotIn(size_t slot_of_buffer, const dnnl::memory::desc& desc);

  // --- Operations, in the order in which they run ---

  // Adds an operation. Without a primitive, the destination is filled with zeros.
  void AddOperation(dnnl::primitive primitive, DenseArguments slots, DenseConstants constants = {});
  void AddReorder(size_t from, size_t to);
  // Adds a Conv or Gemm with its group, once its primitive is chosen. `weight_dims` are those of
  // constant input 1 as oneDNN sees it.
  template <typename PrimitiveDesc>
  void AddLayer(const DenseGroup& group, const PrimitiveDesc& primitive,
                const dnnl::memory::dims& weight_dims);
  // Adds a product of constant `weights`, [outputs, inputs, ...], of which oneDNN sees these
  // dimensions, with the node's input. Its result is the node's output, whatever the shape of that.
  void AddProduct(const Node& node, const std::vector<float>& weights,
                  const dnnl::memory::dims& weight_dims);
  // Returns constants as a primitive wants them; they are given in plain order.
  dnnl::memory Weights(const std::vector<float>& values, const dnnl::memory::dims& dims,
                       const dnnl::memory::desc& desc);
  // Returns what the sum and the rectifier of a group do to its leader's output.
  dnnl::primitive_attr PostOperations(const DenseGroup& group) const;
  // Declares that the last operation computed `id` into `slot`.
  void Make(ValueId id, size_t slot);
  // Declares that `id` is `from` under another name, in the same memory.
  void MakeAlias(ValueId id, ValueId from);
  // Ends one read of the value; after the last one its buffers are free.
  void FinishRead(ValueId id);

  // --- For BuildDensePlan() ---

  // Adds a rectifier that was not fused into a node before it.
  void AddRectifier(const Node& node, const std::vector<Elementwise>& steps);
  // Ends the plan once all nodes are added. Error: no node computes the output.
  Result<std::unique_ptr<DensePlan>> Finish();

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // Values that share memory: a value and the output of a Flatten that reads it.
  struct Activation {
    std::vector<size_t> slots;  // the value was computed in the first one
    int reads = 0;              // reads still to come
  };

  Activation& ActivationOf(ValueId id) {
    return activations_[activation_of_[static_cast<size_t>(id)]];
  }
  size_t AcquireBuffer(size_t bytes);
  void ReleaseBuffer(size_t buffer);
  size_t AddSlot(const dnnl::memory::desc& desc, size_t buffer);
  size_t PlainSlot(ValueId id);
  const std::vector<float>* Constant(const Node& node, size_t input) const;
  void Allocate();

  const Graph& graph_;
  const int64_t batch_;
  const std::vector<int> uses_;
  std::vector<size_t> activation_of_;  // by ValueId
  std::vector<size_t> operation_of_;   // by ValueId: the operation that computes it
  std::vector<Activation> activations_;
  std::vector<size_t> buffer_bytes_;
  std::vector<size_t> free_;  // buffers that hold nothing any more
  std::unique_ptr<DensePlan> plan_;
};

template <typename PrimitiveDesc>
void DenseBuilder::AddLayer(const DenseGroup& group, const PrimitiveDesc& primitive,
                            const dnnl::memory::dims& weight_dims) {
  const Node& node = *group.leader;
  DenseConstants constants;
  constants[DNNL_ARG_WEIGHTS] = Weights(*Constant(node, 1), weight_dims, primitive.weights_desc());
  if (const std::vector<float>* bias = Constant(node, 2); bias != nullptr) {
    constants[DNNL_ARG_BIAS] =
        Weights(*bias, {static_cast<int64_t>(bias->size())}, primitive.bias_desc());
  }
  const size_t from = SlotAs(node.inputs[0], primitive.src_desc());
  ValueId other = kNoValue;  // the other term of the sum that this layer computes in place
  if (group.sum != nullptr) {
    const std::vector<ValueId>& operands = group.sum->inputs;
    other = operands[0] == node.outputs[0] ? operands[1] : operands[0];
  }
  const size_t to =
      other == kNoValue ? NewSlot(primitive.dst_desc()) : OwnedSlot(other, primitive.dst_desc());
  AddOperation(dnnl::primitive(primitive), {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}},
               std::move(constants));
  Make(group.last().outputs[0], to);
  FinishRead(node.inputs[0]);
  if (other != kNoValue) FinishRead(other);
}

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_DENSE_BUILDER_H_
