// What Conv and Gemm share: constant weights, and the synapses that they become.
#ifndef CSSRUN_CONVERTER_OPERATORS_LAYER_H_
#define CSSRUN_CONVERTER_OPERATORS_LAYER_H_

#include <cstdint>
#include <optional>

#include "converter/operators/operator.h"
#include "network_generated.h"

namespace cssrun::converter {

std::optional<Problem> VariableWeights(const Graph& graph, const Node& node);

// The form of a convolution whose weights are constant input 1 and whose bias is input 2. A fully
// connected layer is one whose kernel covers the whole map.
Status LowerConvolution(Lowering& lowering, const Node& node, const format::Window& window,
                        uint32_t groups);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_LAYER_H_
