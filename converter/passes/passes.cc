#include "converter/passes/passes.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include "converter/infer_shapes.h"
#include "converter/operator_attributes.h"
#include "converter/operators/operator.h"
#include "converter/out_of_memory.h"
#include "converter/passes/add_maps.h"
#include "converter/passes/drop_ending.h"
#include "converter/passes/find_leaky_relus.h"
#include "converter/passes/fold_affine.h"
#include "converter/passes/fold_constants.h"
#include "converter/passes/fold_image.h"
#include "converter/passes/fold_pads.h"
#include "converter/passes/fold_quantization.h"
#include "converter/passes/follow_addresses.h"
#include "converter/passes/limits.h"
#include "converter/passes/merge_means.h"
#include "converter/passes/merge_reshapes.h"
#include "converter/passes/merge_slices.h"
#include "converter/passes/normalize.h"
#include "converter/passes/normalize_gemm.h"
#include "converter/passes/remove_identities.h"
#include "converter/passes/replace_functions.h"
#include "converter/passes/replace_quantized_operators.h"
#include "converter/passes/replace_splits.h"
#include "converter/passes/split_dilated_pools.h"
#include "converter/passes/split_leaky_relus.h"

namespace cssrun::converter {
namespace {

// Folded weights must be finite: a variance of -epsilon would divide by zero.
Status CheckWeights(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (!IsOneOf(node.op, {OpKind::kConv, OpKind::kDeconvolution, OpKind::kGemm})) continue;
    for (size_t i = 1; i < 3; ++i) {
      const std::vector<float>* values = ConstantFloats(graph, node, i);
      if (values == nullptr) continue;
      if (!std::all_of(values->begin(), values->end(), [](float v) { return std::isfinite(v); })) {
        return NodeError(node,
                         "its weights, with what follows folded in, are not finite; train or "
                         "export the model again");
      }
    }
  }
  return Status::Ok();
}

// Every operator that the passes know has an input.
Status CheckInputs(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (MayLackInputs(node.op)) continue;
    if (node.inputs.empty() || node.inputs[0] == kNoValue) {
      return NodeError(node, "it has no input; export the model again");
    }
  }
  return Status::Ok();
}

Status CheckShapes(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      const Shape& shape = graph.value(id).shape;
      if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
        return NodeError(node, "its output has the shape " + ToString(shape) +
                                   ", nothing; use a larger image size");
      }
    }
  }
  return Status::Ok();
}

Status CheckOutputs(const Graph& graph) {
  for (const GraphOutput& output : graph.outputs) {
    const bool computed = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) {
      return std::find(n.outputs.begin(), n.outputs.end(), output.value) != n.outputs.end();
    });
    if (computed) continue;
    if (output.value == graph.input && !output.shape.empty()) {
      return Status::BadModel(
          "output " + output.name +
          " is the image itself, in another order; there is nothing to convert");
    }
    return Status::BadModel("output " + output.name +
                            " does not depend on the image; export the model again");
  }
  return Status::Ok();
}

}  // namespace

Status RunPasses(Graph& graph) {
  using Pass = Status (*)(Graph&);
  constexpr Pass kPasses[] = {
      ReplaceQuantizedOperators,
      ReplaceSplits,
      FoldConstants,
      FoldQuantization,
      RemoveIdentities,
      MergeMeans,
      FindLeakyRelus,
      ReplaceFunctions,
      MergeLimits,
      Normalize,
      RemoveIdentities,
      MergeReshapes,
      DropEnding,
      NormalizeGemm,
      FoldImage,
      FollowAddresses,
      SplitLeakyRelus,
      FoldAffine,
      FoldPads,
      SplitDilatedPools,
      MergeSlices,
      AddMaps,
      InferShapes,
  };
  try {
    if (Status status = CheckInputs(graph); !status.ok()) return status;
    graph.RemoveDeadNodes();
    for (const Pass pass : kPasses) {
      if (Status status = pass(graph); !status.ok()) return status;
      graph.RemoveDeadNodes();
    }
    if (Status status = CheckShapes(graph); !status.ok()) return status;
    if (Status status = CheckOutputs(graph); !status.ok()) return status;
    return CheckWeights(graph);
  } catch (const std::exception& error) {
    if (MeansOutOfMemory(error)) return Status::OutOfMemory();
    return Status::BadModel(std::string("the model cannot be simplified: ") + error.what());
  }
}

}  // namespace cssrun::converter
