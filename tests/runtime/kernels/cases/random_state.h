// What kernels work on, drawn from seeds: spikes, levels, membranes.
#ifndef CSSRUN_TESTS_RUNTIME_KERNELS_CASES_RANDOM_STATE_H_
#define CSSRUN_TESTS_RUNTIME_KERNELS_CASES_RANDOM_STATE_H_

#include <cstdint>
#include <random>
#include <vector>

#include "network_generated.h"
#include "runtime/integer/layout/lane_layout.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/layout/spike_frame.h"

namespace cssrun::internal {

enum class Signs : uint8_t { kBoth, kPositive, kNegative };

// Spikes of the neurons that exist, `permille` of them on average, counted.
SpikeFrame RandomSpikes(const format::Extent& extent, const LaneLayout& lanes, uint32_t permille,
                        Signs signs, std::mt19937& generator);

// Levels from `lowest` to `highest` of the neurons that exist; `permille` of them are not zero.
LevelFrame RandomLevels(const format::Extent& extent, const LaneLayout& lanes,
                        const LevelLayout& layout, uint32_t permille, int lowest, int highest,
                        std::mt19937& generator);

// All lanes of the membranes, guards included, and the line after them that engines allocate, too.
std::vector<int16_t> RandomMembranes(const MembraneLayout& layout, int lowest, int highest,
                                     std::mt19937& generator);

std::vector<float> RandomFloats(size_t size, float lowest, float highest, std::mt19937& generator);

}  // namespace cssrun::internal

#endif  // CSSRUN_TESTS_RUNTIME_KERNELS_CASES_RANDOM_STATE_H_
