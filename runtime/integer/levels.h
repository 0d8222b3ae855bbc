// How all spikes of a settled neuron are added in one visit.
//
// A settled layer waits for all T steps of its input anyway, and the spikes of one rectifying
// source are then one whole number, its level: the sum of 2^(T-1-k) over them, 0 to 2^T - 1. Where
// spikes are nearly as many as neurons, levels times weights, four sources an instruction,
// cost less than finding the spikes: nobody can foresee where loops over a handful of spikes end,
// and there is nothing to foresee here. The sums are exact in 32 bits. Where nothing else comes
// through spikes they are rounded while they are in registers (round-inl.h), else they join the
// membranes, saturating.
#ifndef CSSRUN_RUNTIME_INTEGER_LEVELS_H_
#define CSSRUN_RUNTIME_INTEGER_LEVELS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "network_generated.h"

namespace cssrun::internal {

// Sources that share an instruction, and targets.
constexpr uint32_t kQuad = 4;
constexpr uint32_t kLevelTargets = 16;

// Weights lie as [group of targets][kernel row][kernel column][quad of sources][target][source of
// the quad], levels as level_frame.h says.
struct LevelsPlan {
  uint32_t source_rows = 0;
  uint32_t source_stride = 0;  // levels of a position
  uint32_t quads = 0;          // of them that have weights
  uint32_t targets = 0;        // of a group: one or two vectors' worth
  uint32_t groups = 0;
  // Of a row of levels: what windows see from its first neuron to the left and to the right.
  uint32_t left = 0;
  uint32_t right = 0;

  uint64_t group_size(const format::Window& window) const {
    return static_cast<uint64_t>(window.kernel_y()) * static_cast<uint64_t>(window.kernel_x()) *
           quads * targets * kQuad;
  }
};

struct LevelsShape {
  uint32_t source_channels = 0;
  uint32_t source_stride = 0;
  uint32_t source_rows = 0;
  uint32_t source_columns = 0;
  uint32_t target_channels = 0;
  uint32_t target_columns = 0;
  const format::Window* window = nullptr;
};

// Whether sums of levels up to `most` and weights up to `largest` fit 32 bits.
bool LevelSumsFit(const LevelsShape& shape, double most, double largest);

// Bytes of all levels, before a plan is made of them: sizes of a file may be anything.
double LevelsSize(const LevelsShape& shape);

LevelsPlan PlanLevels(const LevelsShape& shape);

// All weights in units, as the plan lays them out. Scales are units per amplitude, by target
// channel.
std::vector<int16_t> LevelWeights(const LevelsShape& shape, const LevelsPlan& plan,
                                  const float* weights, const std::vector<double>& scales);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LEVELS_H_
