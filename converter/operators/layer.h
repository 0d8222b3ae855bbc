// What Conv and Gemm share: constant weights, and the synapses that they become.
#ifndef CSSRUN_CONVERTER_OPERATORS_LAYER_H_
#define CSSRUN_CONVERTER_OPERATORS_LAYER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "converter/operators/operator.h"
#include "network_generated.h"

namespace cssrun::converter {

std::optional<Problem> VariableWeights(const Graph& graph, const Node& node);

// The form of a convolution whose weights are constant input 1 and whose bias is input 2. A fully
// connected layer is one whose kernel covers the whole map.
Status LowerConvolution(Lowering& lowering, const Node& node, const format::Window& window,
                        uint32_t groups);

// Positions of a map are so far apart, with none in between.
struct Spread {
  int32_t y = 1;
  int32_t x = 1;
};
// The same with other weights, over an input that is spread out.
Status LowerConvolution(Lowering& lowering, const Node& node,
                        const std::shared_ptr<const Tensor>& weights, const format::Window& window,
                        uint32_t groups, const Spread& spread);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_LAYER_H_
