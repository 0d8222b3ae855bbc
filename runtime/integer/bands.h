// How threads share a layer.
#ifndef CSSRUN_RUNTIME_INTEGER_BANDS_H_
#define CSSRUN_RUNTIME_INTEGER_BANDS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/integer/network.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// The synapses of all positions, those of pixels included.
uint64_t WorkOf(const Layer& described, const IntegerLayer& layer);

// Bytes of weights that stay in the second-level cache from one row, or band of rows, to the next.
constexpr size_t kNearWeights = size_t{256} << 10;

// Bytes of a layer's levels that are near when they are written. Larger ones are prefetched while
// they are summed (LevelsTarget::far_levels): MobileNetV2 takes 0.95 to 0.98 of the time, ResNet-50
// 0.98.
constexpr size_t kNearLevels = size_t{64} << 10;

// The number of bands of whole pools that the threads share. `pools`: rows of pools on the map.
// Each thread then reads all weights; for many of them see IntegerEngine::StepTiles().
uint32_t BandsOf(const IntegerLayer& layer, uint32_t pools, uint32_t threads);

// The number of parts of a layer's tiles that the threads share.
uint32_t PartsOfTiles(uint32_t tiles, uint32_t threads);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_BANDS_H_
