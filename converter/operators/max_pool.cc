// MaxPool and GlobalMaxPool: neurons that share a membrane in each window.
#include <optional>
#include <utility>

#include "converter/dense_builder.h"
#include "converter/lowering.h"
#include "converter/operators/operator.h"
#include "converter/operators/pool.h"
#include "converter/window.h"

namespace cssrun::converter {
namespace {

constexpr OperatorVersion kMaxPoolVersions[] = {
    {1, "one output"},
    {8, "indices as a second output, and storage_order, which is their order"},
    {10, "ceil_mode and dilations"},
    {11, "strides default to 1"},
    {12, "integers of 8 bits"},
    {22, "bfloat16"},
};

constexpr OperatorVersion kGlobalVersions[] = {
    {1, "the oldest that any opset read here means"},
    {22, "bfloat16"},
};

Status AddMaxPool(DenseBuilder& builder, const Node& node) {
  const Graph& graph = builder.graph();
  Result<Window> window = WindowOf(graph, node, graph.value(node.inputs[0]).shape);
  if (!window.ok()) return window.status();
  return AddPool(builder, node, dnnl::algorithm::pooling_max, window.value());
}

// Neurons that share a membrane in each window. Neurons before it that nothing else reads are
// pooled themselves.
Status LowerMaxPool(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0];
  Result<Window> parsed = WindowOf(lowering.graph(), node, lowering.graph().value(input).shape);
  if (!parsed.ok()) return parsed.status();
  const format::Window window = StoredWindow(parsed.value());
  SpikingNode* source = lowering.OwnNeurons(input);
  if (source == nullptr || source->pool.has_value()) {
    const Form& form = lowering.FormOf(input);
    const bool never_negative = !form.HasBias() && form.AllTerms([&](const SpikingSynapses& term) {
      return IsIdentityTerm(term) && term.scale > 0 && term.channel_scales == nullptr &&
             lowering.NodeAt(term.source).rectify;
    });
    Form potentials = form;
    potentials.name = node.name;
    lowering.MakeNeurons(std::move(potentials), node.outputs[0], never_negative);
    source = &lowering.LastNode();
  }
  source->pool = window;
  source->extent = Through(window, source->potential, source->potential.channels());
  source->value = node.outputs[0];
  lowering.SetForm(node, lowering.IdentityOf(lowering.IndexOf(*source)));
  return Status::Ok();
}

}  // namespace

constinit const Operator kMaxPoolOperator = {
    .versions = kMaxPoolVersions,
    .elements = ElementRule::kSelected,
    .map = MapRule::kOwn,
    .infer_shape = InferPool,
    .evaluate = Absent::kNotInModels,
    .follow = FollowPool,
    .reorder_weights = Absent::kNoWeights,
    .check = CheckPool,
    .dense = DenseAlone{AddMaxPool},
    .lower = LowerMaxPool,
};

// Normalize() makes it a MaxPool as large as the map; what it leaves has an unknown shape.
constinit const Operator kGlobalMaxPoolOperator = {
    .versions = kGlobalVersions,
    .elements = ElementRule::kComputed,
    .map = MapRule::kOwn,
    .infer_shape = InferGlobalPool,
    .evaluate = Absent::kNotInModels,
    .follow = Absent::kRewritten,
    .reorder_weights = Absent::kNoWeights,
    .check = Refused{},
    .dense = Absent::kRefused,
    .lower = Absent::kRefused,
};

}  // namespace cssrun::converter
