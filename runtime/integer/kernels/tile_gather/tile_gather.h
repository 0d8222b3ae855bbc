// Event kernel of most convolutions: a tile of membranes gathers all spikes that reach it.
//
// A tile is the membranes of one line of positions in up to four blocks of channels. Its sums stay
// in registers while the spikes that reach it stream by, as one list over all taps of the window:
// one loop ends where there would be nine, and the ends of such short loops are what the branch
// predictor cannot foresee. An entry of the list is a row of the tile's table of weights:
//
//     table row = ((kernel row * columns + column of the tile's window) * words + source word)
//                 * word_rows + lane of the word           (+ lanes for a negative spike)
//     row       = [block of the set][line of lanes], the weights of that source neuron
//
// Each source row is listed once a step; a tile copies the ranges of columns that it sees, each
// with the table row added at which its tap begins. Strides, dilation, groups, means and
// overlapping pools change only which ranges a tile sees, so all of them are laid out at load time.
//
// A sum wraps, so it takes no more spikes than are sure not to overflow it, and joins the membranes
// saturating.
#ifndef CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_TILE_GATHER_H_
#define CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_TILE_GATHER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network_generated.h"
#include "runtime/geometry/source_view.h"
#include "runtime/integer/kernels/event_kernel.h"
#include "runtime/integer/kernels/kernel_traits.h"
#include "runtime/integer/kernels/weights.h"
#include "runtime/integer/layout/lane_layout.h"

namespace cssrun::internal {

struct TileGather {
  static constexpr KernelTraits kTraits = {
      .name = "tile_gather", .nanoseconds = 0.031, .takes_lines = true};
  static bool Takes(const Connection& connection, const TargetLayer& target);
  static std::optional<TileGather> Build(const KernelRequest& request, std::string& reason);
  StoredWeights Stored(const LaneLayout& target) const;

  // A source row whose spikes reach a target row.
  struct SourceRow {
    uint32_t row = 0;
    uint16_t base = 0;  // the table row at which its kernel row begins
  };
  // Consecutive source columns, first to last, whose spikes reach a tile.
  struct SourceColumns {
    uint32_t first = 0;
    uint32_t last = 0;
    // The table row at which they begin, less their own neuron indices. Wraps, as the 16-bit sums
    // of table rows do.
    uint16_t base = 0;
  };
  // The source words of a position that a set of blocks reads: all but in grouped convolutions.
  struct Words {
    uint32_t first = 0;
    uint32_t last = 0;  // one beyond

    bool operator==(const Words&) const = default;
  };

  uint32_t set_blocks = 1;        // blocks of one set, which share a table
  uint32_t tiles = 0;             // of a target row
  uint32_t table_rows = 0;        // the last one is zeros
  uint32_t word_rows = 0;         // table rows of one source word
  uint32_t source_rows = 0;       // of the source's map
  uint32_t source_columns = 0;    // of the source's map
  uint32_t source_lanes = 0;      // neurons of one position in one word
  uint32_t source_stride = 0;     // neuron indices of one position
  uint32_t column_words = 1;      // source words of one position
  uint32_t most_spikes = 0;       // whose sum is sure to fit 16 bits; a multiple of 4
  bool has_negated_rows = false;  // negative spikes have table rows of their own
  std::vector<SourceRow> rows;
  std::vector<uint32_t> row_bounds;  // those of target row y: [row_bounds[y], row_bounds[y + 1])
  std::vector<SourceColumns> columns;
  std::vector<uint32_t> column_bounds;  // by tile, likewise
  std::vector<Words> words;             // by set of blocks
  Weights tables;                       // [set of blocks][table row][block of the set][lane]

  uint32_t row_lanes() const { return set_blocks * kLineLanes; }
  uint64_t table_size() const { return uint64_t{table_rows} * row_lanes(); }
  uint64_t tables_size() const { return words.size() * table_size(); }
};

// What a kernel is made for.
struct TileGatherShape {
  format::Extent source;
  LaneLayout source_lanes;
  SourceView view;
  std::vector<int64_t> rows;     // by row of membranes its position on the map; -1: none
  std::vector<int64_t> columns;  // likewise
  uint32_t target_channels = 0;
  LaneLayout target_lanes;
  uint32_t groups = 1;
  format::Window window;
};

// Whether table rows fit their 16 bits.
bool TableRowsFit(const TileGatherShape& shape);

// All but the weights.
TileGather PlanTileGather(const TileGatherShape& shape);

// Writes all tables and sets `most_spikes`. Throws std::bad_alloc.
void FillTileGather(const TileGatherShape& shape, const ScaledWeights& weights, WeightWidth width,
                    TileGather& kernel);

// Makes room for all spikes that the kernel can see; never shrinks.
void Reserve(const TileGather& kernel, SpikeLists& lists);

EventFunctions<TileGather> Resolve(const TileGather& kernel);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_TILE_GATHER_TILE_GATHER_H_
