// How threads share a layer.
#ifndef CSSRUN_RUNTIME_INTEGER_BANDS_H_
#define CSSRUN_RUNTIME_INTEGER_BANDS_H_

#include <cstdint>

#include "runtime/integer/network.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Synapses, those of pixels included, times the positions that have them.
uint64_t WorkOf(const Layer& described, const IntegerLayer& layer);

// Bands of whole pools that the threads share. `pools`: all of the map, in rows.
uint32_t BandsOf(const IntegerLayer& layer, uint32_t pools, uint32_t threads);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_BANDS_H_
