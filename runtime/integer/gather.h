// How a convolution's spikes are gathered by the membranes that they reach.
//
// A tile is the membranes of one chunk of positions in up to four blocks of channels. Its sums stay
// in registers while all spikes that reach it stream by, one list for all taps: one loop ends where
// there would be nine. Their weights are whole rows of a table of the tile's own.
#ifndef CSSRUN_RUNTIME_INTEGER_GATHER_H_
#define CSSRUN_RUNTIME_INTEGER_GATHER_H_

#include <cstdint>
#include <vector>

#include "network_generated.h"
#include "runtime/integer/axes.h"
#include "runtime/integer/lane_layout.h"

namespace cssrun::internal {

// Numbers of rows of weights are 16-bit and wrap on the way to their sum.
struct GatherPlan {
  // A source row whose spikes reach a target row.
  struct SourceRow {
    uint32_t row = 0;
    uint16_t base = 0;  // where its kernel row begins in a table
  };
  // Consecutive source columns, first to last, whose spikes reach a tile.
  struct SourceColumns {
    uint32_t first = 0;
    uint32_t last = 0;
    uint16_t base = 0;  // where they begin in a table, less their own numbers
  };
  // The source words of a position that a set of blocks sees: all but in grouped convolutions.
  struct Words {
    uint32_t first = 0;
    uint32_t last = 0;  // one beyond
  };

  uint32_t chunks = 1;        // blocks of one set, which share a table
  uint32_t tiles = 0;         // of a target row
  uint32_t table_rows = 0;    // the last one is zeros
  uint32_t word_numbers = 0;  // rows of one source word
  uint32_t column_words = 1;  // source words of a position
  uint32_t most_spikes = 0;   // whose sum is sure to fit 16 bits; a multiple of four
  bool signed_rows = false;   // negative spikes have rows of their own, weights negated
  std::vector<SourceRow> rows;
  std::vector<uint32_t> row_bounds;  // those of target row y: [row_bounds[y], row_bounds[y + 1])
  std::vector<SourceColumns> columns;
  std::vector<uint32_t> column_bounds;  // by tile, likewise
  std::vector<Words> words;             // by set of blocks

  uint32_t row_lanes() const { return chunks * kChunkLanes; }
  uint64_t table_size() const { return uint64_t{table_rows} * row_lanes(); }
};

// What a plan is made for.
struct GatherShape {
  uint32_t source_channels = 0;
  LaneLayout source;
  Seen seen;
  std::vector<int64_t> rows;  // by row of membranes its position on the map; -1: none
  std::vector<int64_t> columns;
  uint32_t target_channels = 0;
  LaneLayout target;
  uint32_t groups = 1;
  const format::Window* window = nullptr;
};

// All but `most_spikes`, which depends on the weights.
GatherPlan PlanGather(const GatherShape& shape);

// Whether the plan's numbers fit their types.
bool FitsNumbers(const GatherShape& shape);

// Writes all tables, one for each set of blocks, into `wide` or, if null, into `narrow`; weights
// are times the target's scale. Sets `most_spikes`.
void FillGather(const GatherShape& shape, const float* weights, const std::vector<double>& scales,
                GatherPlan& plan, int16_t* wide, int8_t* narrow);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_GATHER_H_
