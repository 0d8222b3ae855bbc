// What a settled layer is told once all its kernels are known.
#ifndef CSSRUN_RUNTIME_INTEGER_FINISH_SETTLED_H_
#define CSSRUN_RUNTIME_INTEGER_FINISH_SETTLED_H_

#include "runtime/integer/network.h"

namespace cssrun::internal {

// Sets where the sums come from (SettledNeurons::sums), what is added to floats, and how shortcuts
// are joined. `takes_pixels`: as floats.
void FinishSettled(bool takes_pixels, IntegerLayer& layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_FINISH_SETTLED_H_
