// Weights that are whole numbers of some unit, as those of a quantized model.
#ifndef CSSRUN_RUNTIME_INTEGER_WHOLE_SCALE_H_
#define CSSRUN_RUNTIME_INTEGER_WHOLE_SCALE_H_

#include <span>

namespace cssrun::internal {

// The smallest scale at which all weights are whole numbers up to `most`, so that those of a
// quantized model lose nothing. 0 if there is none, or if all are 0. `largest`: the largest
// magnitude of the weights.
double WholeScale(std::span<const float> weights, double largest, int most);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_WHOLE_SCALE_H_
