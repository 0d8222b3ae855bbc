// Which layers of a network keep levels, how their rows lie in memory, and by which rule levels
// come from potentials.
#ifndef CSSRUN_RUNTIME_INTEGER_LAY_OUT_LEVELS_H_
#define CSSRUN_RUNTIME_INTEGER_LAY_OUT_LEVELS_H_

#include "network_generated.h"
#include "runtime/integer/network.h"

namespace cssrun::internal {

// Sets `level_layouts`, and the rules of settled layers that level kernels or readouts read. Called
// when all kernels and readouts exist.
void LayOutLevels(const format::Network& network, IntegerNetwork& integers);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAY_OUT_LEVELS_H_
