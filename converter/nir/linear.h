// The linear operations of NIR, which flows go through: Affine, Linear, Conv1d, Conv2d, SumPool2d,
// AvgPool2d, Flatten, Scale.
#ifndef CSSRUN_CONVERTER_NIR_LINEAR_H_
#define CSSRUN_CONVERTER_NIR_LINEAR_H_

#include <optional>
#include <string>

#include "converter/nir/flow.h"
#include "converter/nir/neurons.h"
#include "converter/nir/nir_graph.h"

namespace cssrun::converter {

// Whether a flow that has had its operations can have one of this type as well. Otherwise it begins
// anew.
bool CanFollow(const std::string& type, const Flow& flow);

// Adds the node's operation to the flow. Returns what is wrong.
std::optional<NirProblem> Follow(const NirNode& node, Flow& flow);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_LINEAR_H_
