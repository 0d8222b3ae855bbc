// A network in integers, laid out for the kernels.
//
// Every target channel has a scale s: an amplitude theta is s units before the silent period and
// u = s beta^L units, a whole number, when the neuron fires. Weights are w s rounded, in 8 bits, or
// in 11 where they are kept in 16 anyway; membranes are 16-bit and saturate at kHeadroom amplitudes
// or more. Nothing is multiplied: beta 1.5 and 2 are shifts and additions.
#ifndef CSSRUN_RUNTIME_INTEGER_INTEGER_NETWORK_H_
#define CSSRUN_RUNTIME_INTEGER_INTEGER_NETWORK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/network_file.h"
#include "hwy/aligned_allocator.h"
#include "runtime/integer/axes.h"
#include "runtime/integer/gather.h"
#include "runtime/integer/lane_layout.h"
#include "runtime/integer/level_frame.h"
#include "runtime/integer/levels.h"
#include "runtime/integer/roll.h"

namespace cssrun::internal {

// So large that the sum of 32 and of 256 such weights fits 16 bits.
constexpr int kLargestWideWeight = 1023;
constexpr int kLargestNarrowWeight = 127;

// How many amplitudes u a membrane can hold at least.
constexpr int kHeadroom = 16;

// With beta = 2, L >= T - 1 and at most so many steps, all input is there when the first spike
// leaves: see settle-inl.h. More steps would need sums of more than 16 bits.
constexpr uint32_t kMostSettledSteps = 6;
// What a membrane must hold is then twice what a train can carry.
constexpr int kSettledHeadroom = 2;
// An amplitude is 2^SettledFraction(T) settled units: as many as 16 bits hold of twice what a train
// can carry.
constexpr int SettledFraction(uint32_t timesteps) { return 14 - static_cast<int>(timesteps); }
// Shortcuts of one layer that are added as whole words; more are added spike by spike.
constexpr size_t kMostAlignedShortcuts = 4;

// Where the spikes of one source row go: target rows [first, first + count).
struct RowPlan {
  uint32_t due = 0;  // to be added before this target row fires; never decreases from row to row
  uint32_t first = 0;
  uint32_t count = 0;
  uint32_t readers = 0;        // of them, those that have a synapse: not all where taps are dilated
  uint32_t weight_offset = 0;  // of the first of them, within a number's weights
};

// How spikes reach the membranes. The kind follows from the shape alone.
enum class AccumulateKind : uint8_t {
  kRoll,       // stride 1: a row's spikes, the sums that they reach roll along in registers
  kGather,     // all others: a tile of membranes held in registers, all spikes that reach it
  kDepthwise,  // every channel to itself: words of spikes as masks
  kLevels,     // of settled layers: all steps at once, as whole numbers
  kIdentity,   // one target a spike
};

// A window without what only the far border needs.
struct WindowShape {
  int64_t kernel_y = 1, kernel_x = 1;
  int64_t stride_y = 1, stride_x = 1;
  int64_t pad_top = 0, pad_left = 0;
  int64_t dilation_y = 1, dilation_x = 1;
};

// Neighbouring neurons of one word that go to neighbouring lanes of one block.
struct ShortcutPiece {
  uint32_t word = 0;
  uint32_t first = 0;  // of the neurons
  uint32_t mask = 0;   // which of `first` and its followers exist
  uint32_t lane = 0;   // of `first`, from the target row's start in block 0
};

// Target row r gets source rows [(r stride - pad) divisor, (r stride - pad + 1) divisor), as far as
// they are seen.
struct ShortcutRows {
  int64_t stride = 1;
  int64_t pad = 0;
  int64_t divisor = 1;
  int64_t seen = 0;  // source rows, from the first; those after them belong to no mean
};

struct IntegerSynapses {
  uint32_t source = 0;  // layer index
  AccumulateKind kind = AccumulateKind::kGather;
  uint32_t target_channels = 0;
  uint32_t source_stride = 0;  // numbers of neurons at one source position
  uint32_t source_lanes = 0;   // of them in one word
  uint32_t source_columns = 0;
  // Of one of the two widths, see KeptWide; laid out as roll.h, gather.h and levels.h say;
  // of kDepthwise, [block][ky][kx][lane].
  hwy::AlignedFreeUniquePtr<int8_t[]> narrow;
  hwy::AlignedFreeUniquePtr<int16_t[]> wide;
  std::vector<RowPlan> rows;  // by source row
  RollPlan roll;
  GatherPlan gather;
  LevelsPlan levels;
  WindowShape window;  // of kDepthwise and kLevels
  // kIdentity: a row's shortcuts by target block, those of block b in [piece_bounds[b],
  // piece_bounds[b + 1]), and weights by source neuron of a row, with a chunk to spare.
  std::vector<ShortcutPiece> pieces;
  std::vector<uint32_t> piece_bounds;
  hwy::AlignedFreeUniquePtr<int16_t[]> identity;
  // kIdentity of a settled layer: its weight in settled units, and where its rows come from.
  float shortcut_weight = 0;
  ShortcutRows shortcut_rows;
  bool aligned = false;  // a row's words are those of the target's row, one by one
  // SyOPs: a spike reaches `usual_fan_out` target columns, except for those of these masks.
  struct FanOutException {
    uint32_t word = 0;
    int32_t difference = 0;
    uint64_t mask = 0;
  };
  uint32_t usual_fan_out = 0;
  std::vector<FanOutException> exceptions;
};

struct IntegerLayer {
  bool rectify = false;
  uint32_t rows = 0;  // of the membranes
  uint32_t columns = 0;
  uint32_t map_rows = 0;  // of the map that they belong to
  uint32_t map_columns = 0;
  uint32_t spike_rows = 0;  // after the pool
  uint32_t spike_columns = 0;
  PoolAxis pool_y, pool_x;
  LaneLayout layout;
  std::vector<double> scales;  // units per amplitude, by target channel: see plan.h
  // Membranes: [block][row][guard, columns, guard][lane]. What a spike adds beyond the map's left
  // and right border goes to the guards and is never read.
  uint32_t guard_lanes = 0;
  uint32_t row_lanes = 0;
  // Per channel, [block][max(lanes, 32)]: shorter ones are repeated to fill a chunk.
  hwy::AlignedFreeUniquePtr<int16_t[]> unit;        // u
  hwy::AlignedFreeUniquePtr<int16_t[]> thresholds;  // [spike index][...]; to be exceeded
  hwy::AlignedFreeUniquePtr<int16_t[]> biases;      // [input index][...]; their rounding cancels
  hwy::AlignedFreeUniquePtr<int16_t[]> start;       // membranes when input index 0 arrives
  std::vector<IntegerSynapses> synapses;
  // What direct synapses bring is computed in amplitudes; units, or settled units of all steps, per
  // amplitude, as the parameters above. Null without direct synapses.
  hwy::AlignedFreeUniquePtr<float[]> direct_scale;
  // Of a settled layer, per channel like the parameters above: settled units per unit, and the bias
  // of all steps in settled units; by spike index: threshold in settled units, to be exceeded.
  bool settled = false;
  hwy::AlignedFreeUniquePtr<float[]> inverse_scale;
  hwy::AlignedFreeUniquePtr<float[]> settled_bias;
  std::vector<int16_t> settled_thresholds;
  // All that comes through spikes comes with the last step, first through these synapses.
  bool at_once = false;
  uint32_t first_levels = 0;
  bool has_sums = true;      // not where it comes through pixels and shortcuts alone
  bool rounds_sums = false;  // nothing joins the sums of first_levels: they are rounded right away
  bool has_real = false;     // part of its input is added in float: pixels, shortcuts not aligned
  // Blocks that a step takes together: 1 where each may do all of its steps before the next one
  // begins, so that its weights stay near the core.
  uint32_t blocks_together = 1;
  uint64_t work = 0;  // synapses of all membranes

  bool pooled() const {
    return pool_y.members * pool_x.members > 1 || pool_y.stride > 1 || pool_x.stride > 1;
  }
  uint32_t parameter_lanes() const { return layout.blocks * kChunkLanes; }
  size_t block_lanes() const { return size_t{rows} * row_lanes; }
  // Of a row of one block without guards, in whole chunks.
  size_t map_lanes() const {
    return (size_t{columns} * layout.lanes + kChunkLanes - 1) / kChunkLanes * kChunkLanes;
  }
};

// The encoder's spike train of every pixel value: bit i is spike index i.
struct EncoderTable {
  std::vector<uint64_t> positive;  // [channel][256]
  std::vector<uint64_t> negative;
};

// The readout stays in float: it is small and its sums are the answer. Spikes that share a row of
// weights, as all positions under a mean do, are counted first.
struct ReadoutSynapses {
  uint32_t source = 0;
  std::vector<uint8_t> row_read;  // by source row: whether anything reads it
  std::vector<uint32_t> rows;     // by source row: the first row of weights
  std::vector<uint32_t> neurons;  // by source neuron of a row: which one from there
  std::vector<uint32_t> fan_out;  // by source neuron: 0 for what nobody reads
  size_t weight_rows = 0;         // of logit_stride each
  hwy::AlignedFreeUniquePtr<float[]> weights;
};

struct IntegerNetwork {
  std::vector<IntegerLayer> layers;        // by layer index; the first and last are empty
  std::vector<LaneLayout> layouts;         // by layer index, of the spikes that leave it
  std::vector<LevelLayout> level_layouts;  // by layer index, of the same as levels
  EncoderTable encoder;                    // empty with direct input
  std::vector<ReadoutSynapses> readout;
  uint32_t logit_stride = 0;
};

// Nothing, with the reason, when the network needs what 16-bit membranes or this layout cannot do;
// the float engine runs such networks.
std::optional<IntegerNetwork> LayOutIntegers(const NetworkFile& file, std::string& reason);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_INTEGER_NETWORK_H_
