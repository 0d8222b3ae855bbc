// What a part of a layer does at one input index. There are two kinds of step:
//
// - An event step adds the spikes of one index, lets neurons fire if the silent period is over, and
//   lets membranes grow to the next index. A settled layer that collects events does the same
//   without ever firing.
// - A settling step is the last input index of a settled layer: the remaining input is added, and
//   all T spikes leave, as levels alone if nothing reads single spikes.
//
// Rows are computed one by one, so that a row fires while its membranes are in the first-level
// cache. Steps count the spikes that leave only for levels alone (LevelsTarget::row_spikes).
#ifndef CSSRUN_RUNTIME_INTEGER_STEP_H_
#define CSSRUN_RUNTIME_INTEGER_STEP_H_

#include <cstdint>
#include <span>
#include <variant>

#include "runtime/integer/network.h"
#include "runtime/integer/neurons/dead_zone.h"

namespace cssrun::internal {

// A layer with at most this many sets of synapses adds all of them row by row, a layer with more
// one set after another. This decides the order of saturating additions, and so the bits.
constexpr size_t kMostInterleavedSynapses = 16;

// Rows that share each tile of targets before the next, in a layer with many weights.
constexpr size_t kMostRowsTogether = 16;

// The input of one set of synapses.
struct SynapseInput {
  const SpikeFrame* spikes = nullptr;  // of this index; null where levels are all there is
  const LevelFrame* levels = nullptr;  // of all indices; read by settling steps alone
  CountedLevels counted;               // where spikes are null
  SpikeLists* lists = nullptr;         // room of this thread
};

struct EventStep {
  const IntegerLayer* layer = nullptr;
  std::span<const SynapseInput> inputs;  // by synapses; empty when no input arrives any more
  PixelPotentials pixels;                // null where none arrive
  NeuronStep neurons;                    // the part and the membranes included
  bool counts_synops = true;             // else 0 is returned
};

struct SettlingStep {
  const IntegerLayer* layer = nullptr;
  std::span<const SynapseInput> inputs;  // by synapses
  LayerPart part;
  TileRange tiles = {};  // of part's targets; all, except with TileKernelOf()
  int16_t* membranes = nullptr;
  // What pixels add, in settled units, [block][row][map lanes], plus shortcuts of
  // ShortcutAccess::kAdded. Null if there is neither.
  float* floats = nullptr;
  // The image, if the layer sums its bytes; else null.
  const LevelFrame* pixels = nullptr;
  std::span<int32_t> level_sums;  // room of this thread: a number per column, see LevelTarget
  // Scratch of this thread for a shortcut that is copied: kMostRowsTogether rows of CopiedRow()
  // levels.
  std::span<uint8_t> copied;
  // Scratch of this thread, JoinedFloats() of them, for what joins the sums of the last kernel
  // (SettledSums::kJoinedLevels); used if `floats` is null.
  std::span<float> joined;
  // Scratch of this thread for LevelConv's Winograd products: WinogradRoomOf() the layer.
  std::span<uint8_t> winograd;
  // The columns of membranes that the part computes, and those of pools that RunPoolStep() sends;
  // null: all. A row without columns is skipped.
  const RowRanges* columns = nullptr;
  const RowRanges* sent_columns = nullptr;
  const DeadZone* dead_zone = nullptr;  // null: none
  bool counts_synops = true;            // else 0 is returned
  // All spikes and the levels, or the levels alone.
  std::variant<DigitsTarget, LevelsTarget> sends;
};

// The bytes of a row of levels to which a shortcut of the layer is copied; 0: none is copied.
size_t CopiedRow(const IntegerLayer& layer);

// The floats that a layer's step needs of SettlingStep::joined; 0: none.
size_t JoinedFloats(const IntegerLayer& layer);

// The bytes that a layer's step needs of SettlingStep::winograd.
size_t WinogradRoomOf(const IntegerLayer& layer);

// Whether the step prefetches LevelsTarget::far_levels.
bool PrefetchesLevels(const SettlingStep& step);

// Both return the synaptic operations that the part counts. Only parts with the first block count,
// so over all parts they add up to the layer's.
uint64_t RunEventStep(const EventStep& step);
uint64_t RunSettlingStep(const SettlingStep& step);

// The only kernel of a step, if threads may share its tiles of targets, each thread for all rows:
// nothing joins its sums in memory, and they leave as levels or as potentials of pools. Else null.
// Parts of some tiles do not count the spikes that leave; CountSentLevels() does, after all parts.
const LevelConv* TileKernelOf(const SettlingStep& step);
void CountSentLevels(const SettlingStep& step);

// Writes what pools [first_pool, last_pool) of rows send, once all parts of the layer have settled.
// `room`: scratch of this thread, PooledRowLayout() of the layer.
void RunPoolStep(const SettlingStep& step, size_t first_pool, size_t last_pool,
                 std::span<int16_t> room);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_STEP_H_
