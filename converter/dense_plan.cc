#include "converter/dense_plan.h"

#include <exception>
#include <string>
#include <utility>

#include "converter/dense_builder.h"
#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/out_of_memory.h"

namespace cssrun::converter {
namespace {

Status Add(const DenseGroup& group, DenseBuilder& builder) {
  const Node& node = *group.leader;
  const DenseRun& run = OperatorOf(node.op).dense;
  if (const auto* layer = std::get_if<DenseLayer>(&run)) return layer->add(builder, group);
  if (const auto* sum = std::get_if<DenseSum>(&run)) return sum->add(builder, group);
  if (const auto* alone = std::get_if<DenseAlone>(&run)) return alone->add(builder, node);
  if (const auto* rectifier = std::get_if<DenseRectifier>(&run)) {
    builder.AddRectifier(node, rectifier->steps(builder.graph(), node));
    return Status::Ok();
  }
  return NodeError(node, "the dense network cannot run this operator");
}

// Builds the plan. `current` is the node that is being added, for messages about exceptions of
// oneDNN.
Result<std::unique_ptr<DensePlan>> Build(const Graph& graph, int64_t batch, const Node*& current) {
  DenseBuilder builder(graph, batch);
  for (const DenseGroup& group : FormDenseGroups(graph)) {
    if (group.leader == nullptr) continue;
    current = group.leader;
    if (Status status = Add(group, builder); !status.ok()) return status;
  }
  return builder.Finish();
}

}  // namespace

dnnl::memory::desc PlainDesc(const dnnl::memory::dims& dims, dnnl::memory::data_type type) {
  dnnl::memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return {dims, type, strides};
}

Result<std::unique_ptr<DensePlan>> BuildDensePlan(const Graph& graph, int64_t batch) {
  if (batch < 1) return Status::InvalidArgument("the dense network needs a batch of 1 or more");
  const Node* current = nullptr;
  try {
    return Build(graph, batch, current);
  } catch (const std::exception& error) {
    if (MeansOutOfMemory(error)) return Status::OutOfMemory();
    const std::string what = std::string("the dense network cannot be built: ") + error.what();
    return current == nullptr ? Status::BadModel(what) : NodeError(*current, what);
  }
}

}  // namespace cssrun::converter
