#include "runtime/integer/gather.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace cssrun::internal {
namespace {

// A table with rows for both signs halves the loops, as long as it stays near the core.
constexpr uint64_t kLargestSignedTable = 160 << 10;

// The numbers of a table: [kernel row][table column][word][sign][lane], a row of weights each.
struct TableShape {
  uint32_t columns = 0;         // taps; with several positions a tile, all columns that it sees
  uint32_t column_numbers = 0;  // rows of a table for one of them
};

uint32_t MostWords(const GatherPlan& plan) {
  uint32_t most = 0;
  for (const GatherPlan::Words& words : plan.words) most = std::max(most, words.last - words.first);
  return most;
}

TableShape TableFor(const GatherShape& shape, const GatherPlan& plan) {
  const format::Window& w = *shape.window;
  TableShape table;
  const int64_t positions = shape.target.positions();
  const int64_t span =
      (positions - 1) * w.stride_x() + int64_t{w.kernel_x() - 1} * w.dilation_x() + 1;
  table.columns = static_cast<uint32_t>(positions == 1 ? w.kernel_x() : span);
  table.column_numbers = MostWords(plan) * plan.word_numbers;
  return table;
}

// By set of blocks; groups may begin and end within a word.
std::vector<GatherPlan::Words> WordsOfSets(const GatherShape& shape, uint32_t chunks) {
  std::vector<GatherPlan::Words> words;
  const uint32_t source_group = shape.source_channels / shape.groups;
  const uint32_t target_group = shape.target_channels / shape.groups;
  for (uint32_t block = 0; block < shape.target.blocks; block += chunks) {
    const uint32_t first = block * kChunkLanes;
    const uint32_t last = std::min(first + chunks * kChunkLanes, shape.target_channels) - 1;
    words.push_back({first / target_group * source_group / shape.source.lanes,
                     ((last / target_group + 1) * source_group - 1) / shape.source.lanes + 1});
  }
  return words;
}

void PlanRows(const GatherShape& shape, const TableShape& table, GatherPlan& plan) {
  const format::Window& w = *shape.window;
  plan.row_bounds.push_back(0);
  for (const int64_t y : shape.rows) {
    for (int64_t ky = 0; y >= 0 && ky < w.kernel_y(); ++ky) {
      const int64_t seen = y * w.stride_y() - w.pad_top() + ky * w.dilation_y();
      if (seen < 0 || seen >= shape.seen.y.size) continue;
      for (const uint32_t row : shape.seen.y.sources[static_cast<size_t>(seen)]) {
        plan.rows.push_back(
            {row, static_cast<uint16_t>(ky * table.columns * table.column_numbers)});
      }
    }
    plan.row_bounds.push_back(static_cast<uint32_t>(plan.rows.size()));
  }
}

void PlanColumns(const GatherShape& shape, const TableShape& table, GatherPlan& plan) {
  const format::Window& w = *shape.window;
  const uint32_t positions = shape.target.positions();
  const uint32_t source_numbers = plan.column_words * plan.word_numbers;
  // Neighbours are one range where their rows of weights are neighbours too.
  const bool merge = shape.groups == 1;
  plan.column_bounds.push_back(0);
  for (int64_t tile = 0; tile < plan.tiles; ++tile) {
    const size_t begin = plan.columns.size();
    const int64_t x = shape.columns[static_cast<size_t>(tile * positions)];
    const int64_t origin = x * w.stride_x() - w.pad_left();
    uint32_t last_place = 0;
    for (uint32_t place = 0; x >= 0 && place < table.columns; ++place) {
      const int64_t seen = origin + (positions == 1 ? int64_t{place} * w.dilation_x() : place);
      if (seen < 0 || seen >= shape.seen.x.size) continue;
      for (const uint32_t column : shape.seen.x.sources[static_cast<size_t>(seen)]) {
        if (merge && plan.columns.size() > begin && plan.columns.back().last + 1 == column &&
            last_place + 1 == place) {
          plan.columns.back().last = column;
        } else {
          plan.columns.push_back(
              {column, column,
               static_cast<uint16_t>(place * table.column_numbers - column * source_numbers)});
        }
        last_place = place;
      }
    }
    plan.column_bounds.push_back(static_cast<uint32_t>(plan.columns.size()));
  }
}

}  // namespace

bool FitsNumbers(const GatherShape& shape) {
  const format::Window& w = *shape.window;
  const double span = static_cast<double>(shape.target.positions() - 1) * w.stride_x() +
                      static_cast<double>(w.kernel_x() - 1) * w.dilation_x() + 1;
  const double columns = shape.target.positions() == 1 ? w.kernel_x() : span;
  return columns * w.kernel_y() * shape.source.stride() < 65535;
}

GatherPlan PlanGather(const GatherShape& shape) {
  GatherPlan plan;
  const uint32_t blocks = shape.target.blocks;
  if (shape.groups == 1) plan.chunks = blocks % 4 == 0 ? 4 : blocks % 2 == 0 ? 2 : 1;
  plan.tiles = static_cast<uint32_t>((shape.columns.size() + shape.target.positions() - 1) /
                                     shape.target.positions());
  plan.column_words = shape.source.blocks;
  plan.words = WordsOfSets(shape, plan.chunks);
  plan.word_numbers = shape.source.lanes;
  TableShape table = TableFor(shape, plan);
  const uint64_t numbers = uint64_t{table.columns} * table.column_numbers *
                           static_cast<uint64_t>(shape.window->kernel_y());
  plan.signed_rows = 2 * numbers < 65535 &&
                     2 * numbers * plan.row_lanes() * sizeof(int16_t) <= kLargestSignedTable;
  if (plan.signed_rows) {
    plan.word_numbers *= 2;
    table = TableFor(shape, plan);
  }
  plan.table_rows = static_cast<uint32_t>(numbers * (plan.signed_rows ? 2 : 1)) + 1;
  PlanRows(shape, table, plan);
  PlanColumns(shape, table, plan);
  return plan;
}

void FillGather(const GatherShape& shape, const float* weights, const std::vector<double>& scales,
                GatherPlan& plan, int16_t* wide, int8_t* narrow) {
  const format::Window& w = *shape.window;
  const TableShape table = TableFor(shape, plan);
  const size_t source_group = shape.source_channels / shape.groups;
  const size_t target_group = shape.target_channels / shape.groups;
  const auto kernel_x = static_cast<size_t>(w.kernel_x());
  const size_t taps = static_cast<size_t>(w.kernel_y()) * kernel_x;
  const uint32_t positions = shape.target.positions();
  const size_t size = plan.words.size() * plan.table_size();
  if (wide != nullptr) std::fill_n(wide, size, int16_t{0});
  if (narrow != nullptr) std::fill_n(narrow, size, int8_t{0});
  double largest = 1;
  const auto set = [&](size_t index, double weight) {
    if (wide != nullptr) {
      wide[index] = static_cast<int16_t>(weight);
    } else {
      narrow[index] = static_cast<int8_t>(weight);
    }
  };
  // The tap of a table column for one position of the tile, or kernel_x where there is none.
  const auto tap_of = [&](uint32_t place, uint32_t position) {
    if (positions == 1) return size_t{place};
    const int64_t reach = int64_t{place} - int64_t{position} * w.stride_x();
    const bool hit =
        reach >= 0 && reach % w.dilation_x() == 0 && reach / w.dilation_x() < w.kernel_x();
    return hit ? static_cast<size_t>(reach / w.dilation_x()) : kernel_x;
  };
  for (size_t target = 0; target < shape.target_channels; ++target) {
    const size_t group = target / target_group;
    const size_t block = target / shape.target.lanes;
    const size_t of_set = block / plan.chunks;
    for (uint32_t position = 0; position < positions; ++position) {
      const size_t lane = of_set * plan.table_size() + block % plan.chunks * kChunkLanes +
                          position * shape.target.lanes + target % shape.target.lanes;
      for (uint32_t place = 0; place < table.columns; ++place) {
        const size_t kx = tap_of(place, position);
        if (kx == kernel_x) continue;
        for (size_t c = 0; c < source_group; ++c) {
          const size_t channel = group * source_group + c;
          const size_t word = channel / shape.source.lanes - plan.words[of_set].first;
          const size_t number = word * plan.word_numbers + channel % shape.source.lanes;
          const float* from = weights + (target * source_group + c) * taps + kx;
          for (size_t ky = 0; ky < taps / kernel_x; ++ky, from += kernel_x) {
            const double weight = std::nearbyint(static_cast<double>(*from) * scales[target]);
            largest = std::max(largest, std::abs(weight));
            const size_t row = (ky * table.columns + place) * table.column_numbers + number;
            set(lane + row * plan.row_lanes(), weight);
            if (plan.signed_rows) {
              set(lane + (row + shape.source.lanes) * plan.row_lanes(), -weight);
            }
          }
        }
      }
    }
  }
  constexpr double kLargestSum = 32767;
  plan.most_spikes = static_cast<uint32_t>(kLargestSum / largest) / 4 * 4;
}

}  // namespace cssrun::internal
