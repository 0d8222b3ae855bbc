// A network in integers, laid out for the kernels.
//
// Every target channel has a scale s: an amplitude theta is s units before the silent period and
// u = s beta^L units, a whole number, when the neuron fires. Weights are 8-bit, w s rounded, with
// the scale chosen so that the largest is at most 127; membranes are 16-bit and saturate at
// kHeadroom amplitudes or more. Nothing is multiplied: beta 1.5 and 2 are shifts and additions.
#ifndef CSSRUN_RUNTIME_INTEGER_INTEGER_NETWORK_H_
#define CSSRUN_RUNTIME_INTEGER_INTEGER_NETWORK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/network_file.h"
#include "hwy/aligned_allocator.h"

namespace cssrun::internal {

// Membranes are handled in chunks of 32 16-bit lanes, one cache line: the widest vector, and the
// same on every machine, so that the layout does not depend on it.
constexpr uint32_t kChunkLanes = 32;

// How many amplitudes u a membrane can hold at least.
constexpr int kHeadroom = 16;

// How the channels of a layer lie in memory: up to 8 or 16 channels a position, several positions a
// chunk; more channels in blocks of one chunk.
struct LaneLayout {
  uint32_t lanes = kChunkLanes;  // of one position in one block: 8, 16 or 32
  uint32_t blocks = 1;

  static LaneLayout For(uint32_t channels);
  uint32_t stride() const { return lanes * blocks; }  // numbers of neurons at one position
};

// Where the spikes of one source row go: target rows [first, first + count).
struct RowPlan {
  uint32_t first = 0;          // never decreases from row to row
  uint32_t count = 0;
  uint32_t readers = 0;        // of them, those that have a synapse: not all where taps are dilated
  uint32_t weight_offset = 0;  // of the first of them, within a block's weights
};

// Where a spike goes within a target row, and where its weights begin.
struct Destination {
  uint32_t lane = 0;
  uint32_t weight = 0;
};

enum class AccumulateKind : uint8_t {
  kScatter,   // spike by spike, membranes in memory: short lists
  kPatch,     // position by position, the membranes it reaches held in registers: long lists
  kIdentity,  // one target a spike
};

struct IntegerSynapses {
  uint32_t source = 0;  // layer index
  AccumulateKind kind = AccumulateKind::kScatter;
  uint32_t tap_rows = 1;        // target rows that a source row reaches at most
  uint32_t run_chunks = 1;      // chunks that a spike reaches in each of them
  uint32_t target_channels = 0;
  size_t block_size = 0;        // weights of one target block
  // [block][row phase][column version][source channel][tap row][run], of one of the two widths:
  // 16-bit where that fits the first-level cache, since widening costs half of the speed there.
  hwy::AlignedFreeUniquePtr<int8_t[]> narrow;
  hwy::AlignedFreeUniquePtr<int16_t[]> wide;  // Identity: one weight for each source channel
  std::vector<RowPlan> rows;                  // by source row
  std::vector<Destination> columns;           // by source column (kPatch)
  std::vector<Destination> destinations;      // by spike number (kScatter, kIdentity)
  std::vector<uint8_t> column_fan_out;        // by spike number: target columns that it reaches
  // Spike numbers at which column_fan_out changes; empty where it changes too often to be of use.
  std::vector<uint32_t> fan_out_edges;
};

struct IntegerLayer {
  bool rectify = false;
  uint32_t rows = 0;  // of the membranes
  uint32_t columns = 0;
  uint32_t spike_rows = 0;  // after the pool
  uint32_t spike_columns = 0;
  uint32_t pool_rows = 1;  // members of one pool; pools do not overlap
  uint32_t pool_columns = 1;
  uint32_t pool_row_stride = 1;
  uint32_t pool_column_stride = 1;
  LaneLayout layout;
  // Membranes: [block][row][guard, columns, guard][lane]. What a spike adds beyond the map's left
  // and right border goes to the guards and is never read.
  uint32_t guard_lanes = 0;
  uint32_t row_lanes = 0;
  bool writes_bounds = false;
  // Per channel, [block][max(lanes, 32)]: shorter ones are repeated to fill a chunk.
  hwy::AlignedFreeUniquePtr<int16_t[]> unit;           // u
  hwy::AlignedFreeUniquePtr<int16_t[]> thresholds;     // [spike index][...]; to be exceeded
  hwy::AlignedFreeUniquePtr<int16_t[]> biases;         // [input index][...]; their rounding cancels
  hwy::AlignedFreeUniquePtr<int16_t[]> start;          // membranes when input index 0 arrives
  std::vector<IntegerSynapses> synapses;

  uint32_t parameter_lanes() const { return layout.blocks * kChunkLanes; }
  size_t block_lanes() const { return size_t{rows} * row_lanes; }
};

// The encoder's spike train of every pixel value: bit i is spike index i.
struct EncoderTable {
  std::vector<uint64_t> positive;  // [channel][256]
  std::vector<uint64_t> negative;
};

// The readout stays in float: it is small and its sums are the answer.
struct ReadoutSynapses {
  uint32_t source = 0;
  std::vector<uint8_t> row_read;               // by source row: whether anything reads it
  std::vector<uint32_t> rows;                  // by source row: offset into weights
  std::vector<uint32_t> neurons;               // by spike number: offset from there
  std::vector<uint32_t> fan_out;               // by spike number: 0 for what nobody reads
  hwy::AlignedFreeUniquePtr<float[]> weights;  // rows of logit_stride
};

struct IntegerNetwork {
  std::vector<IntegerLayer> layers;  // by layer index; the first and last are empty
  EncoderTable encoder;
  std::vector<ReadoutSynapses> readout;
  uint32_t logit_stride = 0;
};

// Nothing, with the reason, when the network needs what 16-bit membranes or this layout cannot do;
// the float engine runs such networks.
std::optional<IntegerNetwork> LayOutIntegers(const NetworkFile& file, std::string& reason);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_INTEGER_NETWORK_H_
