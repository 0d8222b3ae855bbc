#include "runtime/integer/bands.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <variant>

namespace cssrun::internal {
namespace {

// Rows of a band, unless some threads would get none. Several bands per thread, since spikes are
// not spread evenly; not more, since spikes at the border of two bands are work for both.
constexpr uint32_t kBandRows = 16;
// Bands per thread if levels or pixels are summed, which takes the same time in every row. Several,
// because a thread that slept is late for its first band; others then take the rest.
constexpr uint32_t kLevelBands = 4;

}  // namespace

uint32_t BandsOf(const IntegerLayer& layer, uint32_t pools, uint32_t threads) {
  size_t weights = layer.settled() != nullptr ? 0 : std::numeric_limits<size_t>::max();
  for (const IntegerSynapses& s : layer.synapses) {
    const auto* conv = std::get_if<LevelConv>(&s.kernel);
    const size_t size = conv != nullptr                     ? conv->size()
                        : TraitsOf(s.kernel).reads_levels() ? 0
                                                            : std::numeric_limits<size_t>::max();
    weights = std::max(weights, size);
  }
  const uint32_t wanted =
      weights <= kNearWeights ? kLevelBands * threads : layer.membranes.rows / kBandRows;
  return std::min(pools, std::max(threads, wanted));
}

uint32_t PartsOfTiles(uint32_t tiles, uint32_t threads) {
  return std::min(tiles, kLevelBands * threads);
}

uint64_t WorkOf(const Layer& described, const IntegerLayer& layer) {
  uint64_t work = layer.work;
  for (const DirectSynapses& direct : described.direct) work += direct.macs;
  return work;
}

}  // namespace cssrun::internal
