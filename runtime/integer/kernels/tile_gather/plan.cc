// Lays out a TileGather at load time.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/tile_gather/tile_gather.h"

namespace cssrun::internal {
namespace {

// A table with rows for both signs halves the loops, as long as it stays near the core.
constexpr uint64_t kLargestSignedTable = 160 << 10;

// Table rows are 16-bit numbers, and the row of zeros is one of them.
constexpr uint32_t kTableRowsEnd = 65535;

struct TableShape {
  uint32_t columns = 0;      // taps; with several positions a tile, all view columns that it reads
  uint32_t column_rows = 0;  // table rows of one of them
};

TableShape TableFor(const TileGatherShape& shape, const TileGather& kernel) {
  const WindowAxis x = ColumnsOf(shape.window);
  TableShape table;
  const int64_t positions = shape.target_lanes.positions();
  const int64_t span = (positions - 1) * x.stride + x.reach();
  table.columns = static_cast<uint32_t>(positions == 1 ? x.kernel : span);
  uint32_t most_words = 0;
  for (const TileGather::Words& words : kernel.words) {
    most_words = std::max(most_words, words.last - words.first);
  }
  table.column_rows = most_words * kernel.word_rows;
  return table;
}

// By set of blocks; groups may begin and end within a word.
std::vector<TileGather::Words> WordsOfSets(const TileGatherShape& shape, uint32_t set_blocks) {
  std::vector<TileGather::Words> words;
  CSSRUN_ASSERT(shape.source.channels() % shape.groups == 0);
  CSSRUN_ASSERT(shape.target_channels % shape.groups == 0);
  const uint32_t source_group = shape.source.channels() / shape.groups;
  const uint32_t target_group = shape.target_channels / shape.groups;
  for (uint32_t block = 0; block < shape.target_lanes.blocks; block += set_blocks) {
    const uint32_t first = block * kLineLanes;
    const uint32_t last = std::min(first + set_blocks * kLineLanes, shape.target_channels) - 1;
    words.push_back(
        {first / target_group * source_group / shape.source_lanes.lanes,
         ((last / target_group + 1) * source_group - 1) / shape.source_lanes.lanes + 1});
  }
  return words;
}

void PlanRows(const TileGatherShape& shape, const TableShape& table, TileGather& kernel) {
  const WindowAxis window = RowsOf(shape.window);
  kernel.row_bounds.push_back(0);
  for (const int64_t y : shape.rows) {
    for (int64_t ky = 0; y >= 0 && ky < window.kernel; ++ky) {
      const int64_t seen = window.SourceOf(y, ky);
      if (seen < 0 || seen >= shape.view.y.size) continue;
      for (const uint32_t row : shape.view.y.sources[static_cast<size_t>(seen)]) {
        kernel.rows.push_back({row, static_cast<uint16_t>(ky * table.columns * table.column_rows)});
      }
    }
    kernel.row_bounds.push_back(static_cast<uint32_t>(kernel.rows.size()));
  }
}

void PlanColumns(const TileGatherShape& shape, const TableShape& table, TileGather& kernel) {
  const WindowAxis window = ColumnsOf(shape.window);
  const uint32_t positions = shape.target_lanes.positions();
  const uint32_t position_rows = kernel.column_words * kernel.word_rows;
  // Neighbours are one range where their table rows are neighbours, too.
  const bool merge = shape.groups == 1;
  kernel.column_bounds.push_back(0);
  for (int64_t tile = 0; tile < kernel.tiles; ++tile) {
    const size_t begin = kernel.columns.size();
    const int64_t x = shape.columns[static_cast<size_t>(tile * positions)];
    uint32_t last_place = 0;
    for (uint32_t place = 0; x >= 0 && place < table.columns; ++place) {
      const int64_t seen =
          positions == 1 ? window.SourceOf(x, place) : window.SourceOf(x, 0) + place;
      if (seen < 0 || seen >= shape.view.x.size) continue;
      for (const uint32_t column : shape.view.x.sources[static_cast<size_t>(seen)]) {
        if (merge && kernel.columns.size() > begin && kernel.columns.back().last + 1 == column &&
            last_place + 1 == place) {
          kernel.columns.back().last = column;
        } else {
          kernel.columns.push_back(
              {column, column,
               static_cast<uint16_t>(place * table.column_rows - column * position_rows)});
        }
        last_place = place;
      }
    }
    kernel.column_bounds.push_back(static_cast<uint32_t>(kernel.columns.size()));
  }
}

// Writes each weight that exists; returns the largest.
template <class Weight>
double FillTables(const TileGatherShape& shape, const ScaledWeights& weights,
                  const TileGather& kernel, Weight* tables) {
  const WindowAxis x = ColumnsOf(shape.window);
  const TableShape table = TableFor(shape, kernel);
  const size_t source_group = shape.source.channels() / shape.groups;
  const size_t target_group = shape.target_channels / shape.groups;
  const auto kernel_x = static_cast<size_t>(x.kernel);
  const size_t taps = static_cast<size_t>(shape.window.kernel_y()) * kernel_x;
  const uint32_t positions = shape.target_lanes.positions();
  double largest = 1;
  // The tap of a table column for one position of the tile, or kernel_x where there is none.
  const auto tap_of = [&](uint32_t place, uint32_t position) {
    if (positions == 1) return size_t{place};
    const int64_t reach = int64_t{place} - int64_t{position} * x.stride;
    const bool hit = reach >= 0 && reach % x.dilation == 0 && reach / x.dilation < x.kernel;
    return hit ? static_cast<size_t>(reach / x.dilation) : kernel_x;
  };
  for (size_t target = 0; target < shape.target_channels; ++target) {
    const size_t group = target / target_group;
    const size_t block = target / shape.target_lanes.lanes;
    const size_t set = block / kernel.set_blocks;
    for (uint32_t position = 0; position < positions; ++position) {
      const size_t lane = set * kernel.table_size() + block % kernel.set_blocks * kLineLanes +
                          position * shape.target_lanes.lanes + target % shape.target_lanes.lanes;
      for (uint32_t place = 0; place < table.columns; ++place) {
        const size_t kx = tap_of(place, position);
        if (kx == kernel_x) continue;
        for (size_t c = 0; c < source_group; ++c) {
          const size_t channel = group * source_group + c;
          const size_t word = channel / shape.source_lanes.lanes - kernel.words[set].first;
          const size_t word_row = word * kernel.word_rows + channel % shape.source_lanes.lanes;
          for (size_t ky = 0; ky < taps / kernel_x; ++ky) {
            const double weight =
                weights.Units(target, (target * source_group + c) * taps + ky * kernel_x + kx);
            largest = std::max(largest, std::abs(weight));
            const size_t row = (ky * table.columns + place) * table.column_rows + word_row;
            tables[lane + row * kernel.row_lanes()] = static_cast<Weight>(weight);
            if (kernel.has_negated_rows) {
              tables[lane + (row + shape.source_lanes.lanes) * kernel.row_lanes()] =
                  static_cast<Weight>(-weight);
            }
          }
        }
      }
    }
  }
  return largest;
}

}  // namespace

bool TableRowsFit(const TileGatherShape& shape) {
  const format::Window& w = shape.window;
  const double positions = shape.target_lanes.positions();
  const double span =
      (positions - 1) * w.stride_x() + static_cast<double>(w.kernel_x() - 1) * w.dilation_x() + 1;
  const double columns = positions == 1 ? w.kernel_x() : span;
  return columns * w.kernel_y() * shape.source_lanes.stride() < kTableRowsEnd;
}

TileGather PlanTileGather(const TileGatherShape& shape) {
  TileGather kernel;
  const uint32_t blocks = shape.target_lanes.blocks;
  const uint32_t positions = shape.target_lanes.positions();
  if (shape.groups == 1) kernel.set_blocks = blocks % 4 == 0 ? 4 : blocks % 2 == 0 ? 2 : 1;
  kernel.tiles = static_cast<uint32_t>((shape.columns.size() + positions - 1) / positions);
  kernel.source_rows = shape.source.height();
  kernel.source_columns = shape.source.width();
  kernel.source_lanes = shape.source_lanes.lanes;
  kernel.source_stride = shape.source_lanes.stride();
  kernel.column_words = shape.source_lanes.blocks;
  kernel.words = WordsOfSets(shape, kernel.set_blocks);
  kernel.word_rows = shape.source_lanes.lanes;
  TableShape table = TableFor(shape, kernel);
  const uint64_t rows =
      uint64_t{table.columns} * table.column_rows * static_cast<uint64_t>(shape.window.kernel_y());
  kernel.has_negated_rows = 2 * rows < kTableRowsEnd &&
                            2 * rows * kernel.row_lanes() * sizeof(int16_t) <= kLargestSignedTable;
  if (kernel.has_negated_rows) {
    kernel.word_rows *= 2;
    table = TableFor(shape, kernel);
  }
  kernel.table_rows = static_cast<uint32_t>(rows * (kernel.has_negated_rows ? 2 : 1)) + 1;
  CSSRUN_ASSERT(kernel.table_rows <= kTableRowsEnd + 1);
  PlanRows(shape, table, kernel);
  PlanColumns(shape, table, kernel);
  return kernel;
}

void FillTileGather(const TileGatherShape& shape, const ScaledWeights& weights, WeightWidth width,
                    TileGather& kernel) {
  CSSRUN_ASSERT(weights.scales.size() == shape.target_channels);
  kernel.tables = MakeWeights(width, kernel.tables_size());
  const double largest =
      std::visit([&](auto& tables) { return FillTables(shape, weights, kernel, tables.get()); },
                 kernel.tables);
  constexpr double kLargestSum = 32767;
  kernel.most_spikes = static_cast<uint32_t>(kLargestSum / largest) / 4 * 4;
  // Identities have weights up to 8191, of which four still fit.
  CSSRUN_ASSERT(kernel.most_spikes >= 4);
}

void Reserve(const TileGather& kernel, SpikeLists& lists) {
  const auto reserve = [](auto& list, size_t size) { list.resize(std::max(list.size(), size)); };
  const size_t positions = size_t{kernel.source_rows} * kernel.source_columns;
  for (auto* list : {&lists.up, &lists.down}) {
    reserve(*list, positions * kernel.source_stride + SpikeLists::kSlack);
  }
  // Every neuron that reaches the row may fire.
  size_t most_rows = 0;
  for (size_t y = 0; y + 1 < kernel.row_bounds.size(); ++y) {
    most_rows = std::max<size_t>(most_rows, kernel.row_bounds[y + 1] - kernel.row_bounds[y]);
  }
  size_t all_columns = 0;
  for (const TileGather::SourceColumns& c : kernel.columns) all_columns += c.last - c.first + 1;
  for (TileLists* tiles : {&lists.tile_up, &lists.tile_down}) {
    reserve(tiles->table_rows, most_rows * all_columns * kernel.source_stride +
                                   size_t{4} * kernel.tiles + SpikeLists::kSlack);
    reserve(tiles->ranges, kernel.tiles);
  }
  for (auto* bounds : {&lists.up_bounds, &lists.down_bounds}) {
    reserve(*bounds, positions * kernel.column_words + 1);
  }
}

}  // namespace cssrun::internal
