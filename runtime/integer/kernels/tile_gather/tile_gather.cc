// Gathers the spikes of a convolution tile by tile, for every instruction set: see tile_gather.h.
#include "runtime/integer/kernels/tile_gather/tile_gather.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "runtime/assert.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/integer/kernels/tile_gather/tile_gather.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/tile_gather/list_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Lists source rows [first, last); `kPositions` positions of the source share a word. In a row, the
// spikes of column x are listed as x * (table rows of a position) + word and lane.
template <bool kNegatedRows, uint32_t kPositions>
HWY_NOINLINE void ListRows(const TileGather& kernel, const SpikeFrame& frame, size_t first,
                           size_t last, SpikeLists& lists) {
  constexpr uint32_t kLanes = kLineLanes / kPositions;
  constexpr auto kLaneMask = static_cast<uint32_t>((uint64_t{1} << kLanes) - 1);
  const auto word_rows = static_cast<uint16_t>(kernel.word_rows);
  const size_t pitch = size_t{kernel.source_columns} * kernel.column_words;
  uint16_t* const up_start = lists.up.data();
  uint16_t* const down_start = lists.down.data();
  uint16_t* HWY_RESTRICT up = up_start;
  uint16_t* HWY_RESTRICT down = down_start;
  uint32_t* HWY_RESTRICT up_bounds = lists.up_bounds.data() + first * pitch;
  uint32_t* HWY_RESTRICT down_bounds = lists.down_bounds.data() + first * pitch;
  for (size_t row = first; row < last; ++row) {
    const uint64_t* HWY_RESTRICT words = frame.Row(row);
    uint16_t index = 0;
    for (size_t i = 0; i < pitch; i += kPositions) {
      const uint64_t word = *words++;
      for (uint32_t p = 0; p < kPositions && i + p < pitch; ++p) {
        const uint32_t positive = static_cast<uint32_t>(word) >> (p * kLanes) & kLaneMask;
        const uint32_t negative =
            static_cast<uint32_t>(word >> kLineLanes) >> (p * kLanes) & kLaneMask;
        *up_bounds++ = static_cast<uint32_t>(up - up_start);
        if constexpr (kNegatedRows && kPositions == 1) {
          up = ListWord(positive, negative, index, up);
        } else if constexpr (kNegatedRows) {
          up = ListBits(positive | negative << kLanes, index, up);
        } else {
          up = ListBits(positive, index, up);
          *down_bounds++ = static_cast<uint32_t>(down - down_start);
          down = ListBits(negative, index, down);
        }
        index = static_cast<uint16_t>(index + word_rows);
      }
    }
  }
  *up_bounds = static_cast<uint32_t>(up - up_start);
  *down_bounds = static_cast<uint32_t>(down - down_start);
  CSSRUN_ASSERT(static_cast<size_t>(up - up_start) + SpikeLists::kSlack <= lists.up.size());
  CSSRUN_ASSERT(static_cast<size_t>(down - down_start) + SpikeLists::kSlack <= lists.down.size());
}

template <bool kNegatedRows>
HWY_INLINE void ListRowsOf(const TileGather& kernel, const SpikeFrame& frame, size_t first,
                           size_t last, SpikeLists& lists) {
  switch (kLineLanes / kernel.source_lanes) {
    case 1:
      return ListRows<kNegatedRows, 1>(kernel, frame, first, last, lists);
    case 2:
      return ListRows<kNegatedRows, 2>(kernel, frame, first, last, lists);
    case 4:
      return ListRows<kNegatedRows, 4>(kernel, frame, first, last, lists);
    default:
      return ListRows<kNegatedRows, 8>(kernel, frame, first, last, lists);
  }
}

// Lists all source rows that reach target rows [first_row, last_row).
void ListSpikes(const TileGather& kernel, const SpikeFrame& frame, size_t first_row,
                size_t last_row, SpikeLists& lists) {
  size_t first = std::numeric_limits<size_t>::max();
  size_t last = 0;
  for (size_t i = kernel.row_bounds[first_row]; i < kernel.row_bounds[last_row]; ++i) {
    first = std::min<size_t>(first, kernel.rows[i].row);
    last = std::max<size_t>(last, kernel.rows[i].row + 1);
  }
  if (first >= last) return;
  if (kernel.has_negated_rows) {
    ListRowsOf<true>(kernel, frame, first, last, lists);
  } else {
    ListRowsOf<false>(kernel, frame, first, last, lists);
  }
}

// Appends indices [first, last), each with `base` added, and returns the end.
HWY_INLINE uint16_t* CopyIndices(const uint16_t* HWY_RESTRICT indices, uint32_t first,
                                 uint32_t last, uint16_t base, uint16_t* HWY_RESTRICT out) {
  const Indices16 d;
  const auto add = hn::Set(d, base);
  const size_t count = last - first;
  const uint16_t* HWY_RESTRICT from = indices + first;
  // Most often one vector holds all of them.
  hn::StoreU(hn::Add(hn::LoadU(d, from), add), d, out);
  for (size_t i = hn::Lanes(d); HWY_UNLIKELY(i < count); i += hn::Lanes(d)) {
    hn::StoreU(hn::Add(hn::LoadU(d, from + i), add), d, out + i);
  }
  return out + count;
}

// The spikes that reach each tile of a target row, as rows of its table. Up to three rows of zeros
// follow each list, so that four can be taken at a time.
//
// All tiles are listed before the first is summed: a list is then ready when the mispredicted end
// of the loop over the one before it has been paid for.
HWY_NOINLINE void ListTiles(const TileGather& kernel, const uint16_t* indices,
                            const uint32_t* bounds, size_t pitch, size_t row, size_t set,
                            TileLists& lists) {
  const TileGather::SourceRow* const rows = kernel.rows.data() + kernel.row_bounds[row];
  const size_t row_count = kernel.row_bounds[row + 1] - kernel.row_bounds[row];
  const TileGather::Words words = kernel.words[set];
  const size_t column_words = kernel.column_words;
  const auto skipped = static_cast<uint16_t>(words.first * kernel.word_rows);
  const auto zeros = static_cast<uint16_t>(kernel.table_rows - 1);
  uint16_t* const start = lists.table_rows.data();
  uint16_t* HWY_RESTRICT out = start;
  TileLists::Range* HWY_RESTRICT ranges = lists.ranges.data();
  const TileGather::SourceColumns* columns = kernel.columns.data();
  for (size_t tile = 0; tile < kernel.tiles; ++tile) {
    const TileGather::SourceColumns* const end =
        kernel.columns.data() + kernel.column_bounds[tile + 1];
    const uint16_t* const begin = out;
    for (; columns != end; ++columns) {
      const uint32_t* const first = bounds + columns->first * column_words + words.first;
      const uint32_t* const last = bounds + columns->last * column_words + words.last;
      for (size_t r = 0; r < row_count; ++r) {
        const size_t at = rows[r].row * pitch;
        const auto base = static_cast<uint16_t>(rows[r].base + columns->base - skipped);
        out = CopyIndices(indices, first[at], last[at], base, out);
      }
    }
    ranges[tile] = {static_cast<uint32_t>(begin - start), static_cast<uint32_t>(out - begin)};
    for (size_t i = 0; i < 3; ++i) out[i] = zeros;
    out += -(out - begin) & 3;
  }
  CSSRUN_ASSERT(static_cast<size_t>(out - start) <= lists.table_rows.size());
}

// Adds the table rows of a list, or subtracts them.
template <size_t kVectors, bool kSubtract, class Weight>
HWY_INLINE void AddTableRows(const Weight* HWY_RESTRICT table, size_t row_lanes,
                             const uint16_t* HWY_RESTRICT list, size_t count, Vector16* sums) {
  const size_t lanes = hn::Lanes(Lanes16());
  for (size_t i = 0; i < count; i += 4) {
    for (size_t j = 0; j < 4; ++j) {
      const Weight* HWY_RESTRICT row = table + list[i + j] * row_lanes;
      for (size_t k = 0; k < kVectors; ++k) {
        const Vector16 weight = LoadWeights(row + k * lanes);
        sums[k] = kSubtract ? hn::Sub(sums[k], weight) : hn::Add(sums[k], weight);
      }
    }
  }
}

// One target row of one set of blocks.
template <size_t kSetBlocks, class Weight>
HWY_NOINLINE void GatherSet(const TileGather& kernel, size_t block_lanes,
                            const Weight* HWY_RESTRICT table, const SpikeLists& lists,
                            int16_t* HWY_RESTRICT membranes) {
  const Lanes16 d;
  constexpr size_t kRowLanes = kSetBlocks * kLineLanes;
  constexpr size_t kMostVectors = 8;
  constexpr size_t kAll = kRowLanes / hn::MaxLanes(Lanes16());
  constexpr size_t kVectors = kAll < kMostVectors ? kAll : kMostVectors;
  const bool has_negated_rows = kernel.has_negated_rows;
  const size_t most = kernel.most_spikes;
  for (size_t tile = 0; tile < kernel.tiles; ++tile, membranes += kLineLanes) {
    const uint16_t* up = lists.tile_up.table_rows.data() + lists.tile_up.ranges[tile].first;
    const size_t ups = lists.tile_up.ranges[tile].count;
    const uint16_t* down =
        has_negated_rows ? nullptr
                         : lists.tile_down.table_rows.data() + lists.tile_down.ranges[tile].first;
    const size_t downs = has_negated_rows ? 0 : lists.tile_down.ranges[tile].count;
    for (size_t first = 0; first < kAll; first += kVectors) {
      const Weight* HWY_RESTRICT from = table + first * hn::Lanes(d);
      const auto join = [&](const Vector16* sums) {
        for (size_t k = 0; k < kVectors; ++k) {
          const size_t lane = (first + k) * hn::Lanes(d);
          int16_t* at = membranes + lane / kLineLanes * block_lanes + lane % kLineLanes;
          hn::StoreU(hn::SaturatedAdd(hn::LoadU(d, at), sums[k]), d, at);
        }
      };
      Vector16 sums[kVectors];
      for (size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
      if (HWY_LIKELY(ups + downs <= most)) {
        AddTableRows<kVectors, false>(from, kRowLanes, up, ups, sums);
        AddTableRows<kVectors, true>(from, kRowLanes, down, downs, sums);
        join(sums);
        continue;
      }
      for (size_t i = 0; i < ups; i += most) {
        AddTableRows<kVectors, false>(from, kRowLanes, up + i, std::min(most, ups - i), sums);
        join(sums);
        for (size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
      }
      for (size_t i = 0; i < downs; i += most) {
        AddTableRows<kVectors, true>(from, kRowLanes, down + i, std::min(most, downs - i), sums);
        join(sums);
        for (size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
      }
    }
  }
}

template <class Weight>
HWY_INLINE void GatherRowOf(const TileGather& kernel, const EventTarget& target,
                            const Weight* tables, size_t row, SpikeLists& lists) {
  const size_t block_lanes = target.layout->block_lanes();
  int16_t* first = target.membranes + target.layout->RowAt(0, row);
  const size_t pitch = size_t{kernel.source_columns} * kernel.column_words;
  const size_t first_set = target.part.first_block / kernel.set_blocks;
  const size_t last_set = target.part.last_block / kernel.set_blocks;
  for (size_t set = first_set; set < last_set; ++set) {
    // Sets of blocks see the same spikes unless there are groups.
    if (set == first_set || kernel.words[set] != kernel.words[set - 1]) {
      ListTiles(kernel, lists.up.data(), lists.up_bounds.data(), pitch, row, set, lists.tile_up);
      if (!kernel.has_negated_rows) {
        ListTiles(kernel, lists.down.data(), lists.down_bounds.data(), pitch, row, set,
                  lists.tile_down);
      }
    }
    const Weight* table = tables + set * kernel.table_size();
    int16_t* to = first + set * kernel.set_blocks * block_lanes;
    switch (kernel.set_blocks) {
      case 1:
        GatherSet<1>(kernel, block_lanes, table, lists, to);
        break;
      case 2:
        GatherSet<2>(kernel, block_lanes, table, lists, to);
        break;
      default:
        CSSRUN_ASSERT(kernel.set_blocks == 4);
        GatherSet<4>(kernel, block_lanes, table, lists, to);
        break;
    }
  }
}

void PrepareGather(const TileGather& kernel, EventInput& input, const EventTarget& target) {
  ListSpikes(kernel, *input.spikes, target.part.first_row, target.part.last_row, *input.lists);
}

// All spikes, listed before, that reach target row `row` of the part's blocks.
void GatherRow(const TileGather& kernel, EventInput& input, const EventTarget& target, size_t row) {
  CSSRUN_ASSERT(target.part.first_block % kernel.set_blocks == 0);
  CSSRUN_ASSERT(target.part.last_block % kernel.set_blocks == 0);
  if (const auto* wide = std::get_if<WideWeights>(&kernel.tables)) {
    GatherRowOf(kernel, target, wide->get(), row, *input.lists);
  } else {
    GatherRowOf(kernel, target, std::get<NarrowWeights>(kernel.tables).get(), row, *input.lists);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cssrun::internal {

HWY_EXPORT(PrepareGather);
HWY_EXPORT(GatherRow);

EventFunctions<TileGather> Resolve(const TileGather&) {
  return {&HWY_DYNAMIC_DISPATCH(PrepareGather), &HWY_DYNAMIC_DISPATCH(GatherRow)};
}

}  // namespace cssrun::internal
#endif  // HWY_ONCE
