// Settings of a settled layer that depend on all of its kernels.
#ifndef CSSRUN_RUNTIME_INTEGER_FINISH_SETTLED_H_
#define CSSRUN_RUNTIME_INTEGER_FINISH_SETTLED_H_

#include "runtime/integer/network.h"

namespace cssrun::internal {

// Sets where the sums come from (SettledNeurons::sums), what is added to floats, and how shortcuts
// join them. `takes_pixels`: whether the layer takes pixels as floats.
void FinishSettled(bool takes_pixels, IntegerLayer& layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_FINISH_SETTLED_H_
