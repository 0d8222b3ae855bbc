// What the operators share that become rectifying neurons: Relu, Clip and Quantize.
#ifndef CSSRUN_CONVERTER_OPERATORS_RECTIFIER_H_
#define CSSRUN_CONVERTER_OPERATORS_RECTIFIER_H_

#include <optional>

#include "converter/operators/operator.h"

namespace cssrun::converter {

// An operator that computes each element from that element alone moves to the view's base.
FollowFunction FollowElementwise;

// Neurons, or the neurons of a max pool before it: relu(max(x)) = max(relu(x)), so that a pool's
// signed neurons rectify themselves. No train exceeds the cap.
Status LowerRectifier(Lowering& lowering, const Node& node, std::optional<float> cap);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_OPERATORS_RECTIFIER_H_
