#include "converter/passes/find_leaky_relus.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/passes/sweep.h"

namespace cssrun::converter {
namespace {

// The slopes where `scaled` is `x` times constants that do not enlarge it; kNoValue otherwise.
ValueId SlopesOf(const Graph& graph, Sweep& sweep, ValueId x, ValueId scaled) {
  if (x == kNoValue) return kNoValue;
  const Node* mul = sweep.Producer(scaled);
  if (mul == nullptr || mul->op != OpKind::kMul || mul->inputs.size() != 2) return kNoValue;
  const size_t constant = graph.ConstantInput(*mul, 0) != nullptr ? 0 : 1;
  if (ConstantFloats(graph, *mul, constant) == nullptr || mul->inputs[1 - constant] != x) {
    return kNoValue;
  }
  const ValueId slopes = mul->inputs[constant];
  const Shape& shape = graph.value(x).shape;
  const bool fits = !shape.empty() && graph.value(scaled).shape == shape &&
                    Broadcast(graph.ConstantInput(*mul, constant)->shape, shape) == shape;
  return fits ? slopes : kNoValue;
}

}  // namespace

Status FindLeakyRelus(Graph& graph) {
  Sweep sweep(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = sweep.Visit(i);
    const bool is_max = node.op == OpKind::kMax;
    if ((!is_max && node.op != OpKind::kMin) || node.inputs.size() != 2) continue;
    for (const size_t scaled : {0, 1}) {
      const ValueId x = node.inputs[1 - scaled];
      const ValueId slopes = SlopesOf(graph, sweep, x, node.inputs[scaled]);
      if (slopes == kNoValue) continue;
      const bool bends =
          std::ranges::all_of(graph.value(slopes).constant->floats(),
                              [&](float slope) { return is_max ? slope <= 1 : slope >= 1; });
      if (!bends) continue;
      node.op = OpKind::kPRelu;
      node.inputs = {x, slopes};
      node.attributes.clear();
      break;
    }
  }
  return Status::Ok();
}

}  // namespace cssrun::converter
