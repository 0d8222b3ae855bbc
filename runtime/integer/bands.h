// How threads share a layer.
#ifndef CSSRUN_RUNTIME_INTEGER_BANDS_H_
#define CSSRUN_RUNTIME_INTEGER_BANDS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/engine/thread_team.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/network.h"
#include "runtime/integer/neurons/level_rule.h"
#include "runtime/network/loaded_network.h"

namespace cssrun::internal {

// Synapses, those of pixels included, times the positions that have them.
uint64_t WorkOf(const Layer& described, const IntegerLayer& layer);

// Bands of whole pools that the threads share. `pools`: all of the map, in rows.
uint32_t BandsOf(const IntegerLayer& layer, uint32_t pools, uint32_t threads);

// CountLevelSpikes() of all rows, by a team's threads where there are many; `team` may be null.
void CountLevelSpikesInBands(const LevelFrame& levels, const LevelRule& rule, size_t neurons,
                             ThreadTeam* team, std::span<uint32_t> row_spikes);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_BANDS_H_
