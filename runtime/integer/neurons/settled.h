// Settled neurons: all of their input is there before their first spike leaves.
//
// With beta = 2 and a silent period of L >= T - 1 steps (see IsSettled), a spike train is simply
// one number, the potential
//
//     z = (sum of weights times levels) + (bias) + (pixels) + (shortcuts)
//
// to T signed binary digits. No membrane is written between steps and all T spikes leave at once.
// Sums are whole numbers, exact for the weights of a quantized model. z itself is a float, so
// biases, shortcuts and pixels are not rounded; it is then rounded down to whole settled units,
// 2^(14-T) of which are one amplitude. Thresholds are whole settled units, so this rounding moves
// no potential across one. (A potential that equals a negative threshold to the last bit does not
// reach it.)
//
// Networks of few steps need this exactness: in a 3-bit ResNet-20, if one of 16,384 neurons in the
// second layer rounds differently, a third of all neurons in the last layer differ.
#ifndef CSSRUN_RUNTIME_INTEGER_NEURONS_SETTLED_H_
#define CSSRUN_RUNTIME_INTEGER_NEURONS_SETTLED_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "runtime/integer/layout/level_frame.h"
#include "runtime/integer/layout/membrane_layout.h"
#include "runtime/integer/layout/spike_frame.h"
#include "runtime/integer/neurons/event_neurons.h"
#include "runtime/integer/neurons/level_rule.h"

namespace cssrun::internal {

// One amplitude is 2^SettledFraction(T) settled units: 16 bits then hold twice what a train
// carries.
constexpr int SettledFraction(uint32_t timesteps) { return 14 - static_cast<int>(timesteps); }

// At most so many aligned shortcuts of a layer join in registers; others are added in memory.
constexpr size_t kMostAlignedShortcuts = 4;

// Where the sums of a settled layer come from.
enum class SettledSums : uint8_t {
  kEvents,        // membranes collect spikes over all steps; levels join them in the last one
  kLevels,        // several level kernels, all in the last step
  kFusedLevels,   // one level kernel, whose sums become potentials while they are in registers
  kJoinedLevels,  // a level_conv is last, and its sums join in registers what the others have
                  // brought to floats in memory
  kNone,          // pixels and shortcuts, or sums that are all added to floats
};

struct SettledNeurons {
  SettledSums sums = SettledSums::kEvents;
  // Pixels, shortcuts of ShortcutAccess::kAdded and other sums are added in memory, in floats of
  // the layer. Of kJoinedLevels: pixels are.
  bool adds_floats = false;
  // By parameter lane, see MembraneLayout.
  hwy::AlignedFreeUniquePtr<float[]> scale;  // settled units per unit of the sums
  hwy::AlignedFreeUniquePtr<float[]> bias;   // of all steps, in settled units
  std::vector<int16_t> thresholds;           // by spike index, in settled units; to be exceeded
  // The potentials of the lowest and highest level that the neurons send; others are clamped.
  int16_t lowest = std::numeric_limits<int16_t>::min();
  int16_t highest = std::numeric_limits<int16_t>::max();
};

// A shortcut whose source row holds the same neurons in the same places as the target row.
struct AlignedShortcut {
  const uint8_t* levels = nullptr;  // the source row
  float weight = 0;                 // settled units per level
  int32_t zero = 0;                 // the byte of level 0
};

// What is added to the potentials of one row besides the sums and the bias.
struct PotentialInputs {
  const float* floats = nullptr;  // of block 0, in settled units; null: none
  size_t block_floats = 0;        // from one block to the next
  AlignedShortcut shortcuts[kMostAlignedShortcuts];
  size_t shortcut_count = 0;
};

// A settled layer's last step: its potentials become levels, or spikes and levels.
struct SettledRow {
  const SettledNeurons* neurons = nullptr;
  const MembraneLayout* layout = nullptr;
  bool rectify = false;
  int16_t* membranes = nullptr;  // of the layer: sums, then potentials
};

// Replaces the sums of row `row` by potentials, rounded down, of columns that fill whole lines.
void RoundPotentials(const SettledRow& settled, const PotentialInputs& inputs, size_t row,
                     const ColumnRange& columns = {});

// The memory layout of a row of pools: like one of membranes.
MembraneLayout PooledRowLayout(const MembraneLayout& layout, const LayerPools& pools);

// Writes the largest potential of each pool of row `pool_row` to `largest`, in PooledRowLayout().
// All rows that the pools see must hold potentials. For some columns of pools.
void PoolPotentials(const MembraneLayout& layout, const LayerPools& pools, const int16_t* membranes,
                    size_t pool_row, int16_t* largest, const ColumnRange& columns = {});

// Writes the spikes of all T steps, and the levels where `levels` is not null, of the potentials of
// row `row` to row `spike_row`: the greedy digits of 2^(T-1), ... 2, 1. `columns`: positions of the
// row of spikes, whole lines.
struct DigitsTarget {
  SpikeFrame* const* spikes = nullptr;  // by spike index
  LevelFrame* levels = nullptr;         // null: nothing reads them
  uint32_t timesteps = 0;
  bool negative_spikes = true;
  size_t columns = 0;  // positions of a row of spikes
};
void WriteDigits(const SettledRow& settled, const DigitsTarget& target, size_t row,
                 size_t spike_row, const ColumnRange& columns = {});

// Writes only the levels, of `columns` positions, by the rule of the layer: WriteDigits()'s levels.
struct LevelsTarget {
  const LevelRule* rule = nullptr;
  LevelFrame* levels = nullptr;
  size_t columns = 0;
  // By row of levels: settling steps add the spikes that they stand for. Empty: not counted.
  std::span<uint32_t> row_spikes = {};
  // Written only if levels leave the kernel that sums.
  LevelBounds bounds = {};
  // Levels of which a row is read or written after the same row is summed, by neurons as far apart
  // as in `levels`. The kernel that sums may bring them near meanwhile. Null: they are near.
  const LevelFrame* far_levels = nullptr;
};
void WriteLevels(const SettledRow& settled, const LevelsTarget& target, size_t row,
                 size_t level_row, const ColumnRange& columns = {});

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_NEURONS_SETTLED_H_
