// Where the membranes of a layer lie, as 16-bit lanes:
//
//     block 0   row 0   guard | column 0, 1, ... | guard | spare line
//               row 1   guard | column 0, 1, ... | guard | spare line
//     block 1   ...
//
// A column holds the lanes of one position (LaneLayout). What a spike adds beyond the map's left
// and right border goes to the guards; nothing reads them. The spare line lets unaligned loads run
// past the last lane.
#ifndef CSSRUN_RUNTIME_INTEGER_LAYOUT_MEMBRANE_LAYOUT_H_
#define CSSRUN_RUNTIME_INTEGER_LAYOUT_MEMBRANE_LAYOUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "runtime/assert.h"
#include "runtime/integer/layout/lane_layout.h"

namespace cssrun::internal {

struct MembraneLayout {
  LaneLayout lanes;
  uint32_t rows = 0;
  uint32_t columns = 0;
  uint32_t guard_lanes = 0;  // before the first column
  uint32_t row_lanes = 0;    // from one row to the next

  size_t block_lanes() const { return size_t{rows} * row_lanes; }
  size_t size() const { return lanes.blocks * block_lanes(); }
  // The lanes of a row of one block without guards, in whole lines: what arrays beside the
  // membranes (pixels, float inputs) hold for each [block][row].
  size_t map_lanes() const { return RoundUpToLines(size_t{columns} * lanes.lanes); }
  // The first column of a row.
  size_t RowAt(size_t block, size_t row) const {
    CSSRUN_ASSERT(block < lanes.blocks && row < rows);
    return block * block_lanes() + row * row_lanes + guard_lanes;
  }
  // The first column of a row in an array of [block][row][map_lanes()].
  size_t MapRowAt(size_t block, size_t row) const {
    CSSRUN_ASSERT(block < lanes.blocks && row < rows);
    return (block * rows + row) * map_lanes();
  }
  // The size of such an array.
  size_t map_size() const { return size_t{lanes.blocks} * rows * map_lanes(); }
  // Lanes of one parameter of all channels, [block][line]: where lanes < 32 the channels are
  // repeated to fill the line.
  uint32_t parameter_lanes() const { return lanes.blocks * kLineLanes; }
};

// Columns [first, last) of a row.
struct ColumnRange {
  uint32_t first = 0;
  uint32_t last = std::numeric_limits<uint32_t>::max();  // or as many as there are

  ColumnRange Within(size_t columns) const {
    return {first, std::min(last, static_cast<uint32_t>(columns))};
  }
};

// The lines of one block that hold columns of a row, [first, last).
struct LineRange {
  size_t first = 0;
  size_t last = 0;
};
// Of a row of `row_columns`.
inline LineRange LinesOf(const ColumnRange& columns, size_t row_columns, const LaneLayout& lanes) {
  const size_t positions = lanes.positions();
  const ColumnRange within = columns.Within(row_columns);
  return {within.first / positions, (within.last + positions - 1) / positions};
}

// The columns of some rows that are to be computed; the others keep their values. Ranges of a row
// are in order, not empty, and cover whole lines if membranes of several columns share one.
struct RowRanges {
  std::span<const ColumnRange> Of(size_t row) const {
    CSSRUN_ASSERT(row + 1 < bounds.size());
    return std::span(ranges).subspan(bounds[row], bounds[row + 1] - bounds[row]);
  }
  std::vector<ColumnRange> ranges;
  std::vector<uint32_t> bounds;  // those of row r: [bounds[r], bounds[r + 1])
};

// Some rows of some blocks of a layer. Different parts write to different membranes, so threads can
// share a layer by parts.
struct LayerPart {
  uint32_t first_row = 0;  // of the membranes; parts hold whole pools
  uint32_t last_row = 0;   // one beyond
  uint32_t first_block = 0;
  uint32_t last_block = 0;  // one beyond
};

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_LAYOUT_MEMBRANE_LAYOUT_H_
