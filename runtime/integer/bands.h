// How threads share a layer.
#ifndef CSSRUN_RUNTIME_INTEGER_BANDS_H_
#define CSSRUN_RUNTIME_INTEGER_BANDS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/integer/network.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Synapses, those of pixels included, times the positions that have them.
uint64_t WorkOf(const Layer& described, const IntegerLayer& layer);

// Bytes of weights that stay in the second-level cache from one band of rows to the next.
constexpr size_t kNearWeights = size_t{256} << 10;

// Bands of whole pools that the threads share. `pools`: all of the map, in rows.
// Where there are more, each thread would read all of them: see IntegerEngine::StepTiles().
uint32_t BandsOf(const IntegerLayer& layer, uint32_t pools, uint32_t threads);

// Parts of a layer's tiles that the threads share.
uint32_t PartsOfTiles(uint32_t tiles, uint32_t threads);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_BANDS_H_
