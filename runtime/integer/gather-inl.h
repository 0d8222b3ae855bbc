// Gathers the spikes of a convolution tile by tile: see gather.h.
//
// A tile's sum wraps; it is of as many spikes as are sure not to overflow, and joins the membranes
// saturating.
#if defined(CSSRUN_RUNTIME_INTEGER_GATHER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_GATHER_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_GATHER_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_GATHER_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Numbers16 = hn::CappedTag<uint16_t, kChunkLanes>;

// Appends `first` + k for each bit k of `half` and returns the end.
HWY_INLINE uint16_t* ListBits(uint32_t half, uint16_t first, uint16_t* HWY_RESTRICT out) {
  if constexpr (HWY_TARGET == HWY_SCALAR) {
    for (; half != 0; half &= half - 1) {
      *out++ = static_cast<uint16_t>(first + std::countr_zero(half));
    }
  } else {
    const Numbers16 d;
    for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
      const auto mask = hn::RebindMask(d, MaskOf(half, i));
      hn::StoreU(hn::Compress(hn::Iota(d, static_cast<uint16_t>(first + i)), mask), d, out);
      out += std::popcount(static_cast<uint32_t>(half >> i << (32 - hn::Lanes(d))));
    }
  }
  return out;
}

// The same for the spikes of a whole word: those of `negative` count from `first` + 32.
HWY_INLINE uint16_t* ListWord(uint32_t positive, uint32_t negative, uint16_t first,
                              uint16_t* HWY_RESTRICT out) {
  if constexpr (HWY_TARGET == HWY_SCALAR) {
    for (uint32_t any = positive | negative; any != 0; any &= any - 1) {
      const int bit = std::countr_zero(any);
      const bool down = (negative >> bit & 1) != 0;
      *out++ = static_cast<uint16_t>(first + bit + (down ? kChunkLanes : 0));
    }
  } else {
    const Numbers16 d;
    const uint32_t any = positive | negative;
    for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
      const auto numbers = hn::Iota(d, static_cast<uint16_t>(first + i));
      const auto down = hn::RebindMask(d, MaskOf(negative, i));
      const auto shift = hn::IfThenElseZero(down, hn::Set(d, uint16_t{kChunkLanes}));
      const auto spikes = hn::RebindMask(d, MaskOf(any, i));
      hn::StoreU(hn::Compress(hn::Add(numbers, shift), spikes), d, out);
      out += std::popcount(static_cast<uint32_t>(any >> i << (32 - hn::Lanes(d))));
    }
  }
  return out;
}

// Lists source rows [first, last); `kPositions` of the source share a word. In a row, column `x`
// numbers its spikes from x * numbers of a position.
template <bool kSigned, uint32_t kPositions>
HWY_NOINLINE void ListRows(const IntegerSynapses& s, const SpikeFrame& frame, size_t first,
                           size_t last, SpikeLists& lists) {
  constexpr uint32_t kLanes = kChunkLanes / kPositions;
  constexpr auto kLaneMask = static_cast<uint32_t>((uint64_t{1} << kLanes) - 1);
  const auto word_numbers = static_cast<uint16_t>(s.gather.word_numbers);
  const size_t pitch = size_t{s.source_columns} * s.gather.column_words;
  uint16_t* const up_start = lists.up.data();
  uint16_t* const down_start = lists.down.data();
  uint16_t* HWY_RESTRICT up = up_start;
  uint16_t* HWY_RESTRICT down = down_start;
  uint32_t* HWY_RESTRICT up_bounds = lists.up_bounds.data() + first * pitch;
  uint32_t* HWY_RESTRICT down_bounds = lists.down_bounds.data() + first * pitch;
  for (size_t row = first; row < last; ++row) {
    const uint64_t* HWY_RESTRICT words = frame.Row(row);
    uint16_t number = 0;
    for (size_t i = 0; i < pitch; i += kPositions) {
      const uint64_t word = *words++;
      for (uint32_t p = 0; p < kPositions && i + p < pitch; ++p) {
        const uint32_t positive = static_cast<uint32_t>(word) >> (p * kLanes) & kLaneMask;
        const uint32_t negative =
            static_cast<uint32_t>(word >> kChunkLanes) >> (p * kLanes) & kLaneMask;
        *up_bounds++ = static_cast<uint32_t>(up - up_start);
        if constexpr (kSigned && kPositions == 1) {
          up = ListWord(positive, negative, number, up);
        } else if constexpr (kSigned) {
          up = ListBits(positive | negative << kLanes, number, up);
        } else {
          up = ListBits(positive, number, up);
          *down_bounds++ = static_cast<uint32_t>(down - down_start);
          down = ListBits(negative, number, down);
        }
        number = static_cast<uint16_t>(number + word_numbers);
      }
    }
  }
  *up_bounds = static_cast<uint32_t>(up - up_start);
  *down_bounds = static_cast<uint32_t>(down - down_start);
}

template <bool kSigned>
HWY_INLINE void ListRowsOf(const IntegerSynapses& s, const SpikeFrame& frame, size_t first,
                           size_t last, SpikeLists& lists) {
  switch (kChunkLanes / s.source_lanes) {
    case 1:
      return ListRows<kSigned, 1>(s, frame, first, last, lists);
    case 2:
      return ListRows<kSigned, 2>(s, frame, first, last, lists);
    case 4:
      return ListRows<kSigned, 4>(s, frame, first, last, lists);
    default:
      return ListRows<kSigned, 8>(s, frame, first, last, lists);
  }
}

// Lists all source rows that reach target rows [first_row, last_row).
inline void ListSpikes(const IntegerSynapses& s, const SpikeFrame& frame, size_t first_row,
                       size_t last_row, SpikeLists& lists) {
  const GatherPlan& plan = s.gather;
  size_t first = s.rows.size();
  size_t last = 0;
  for (size_t i = plan.row_bounds[first_row]; i < plan.row_bounds[last_row]; ++i) {
    first = std::min<size_t>(first, plan.rows[i].row);
    last = std::max<size_t>(last, plan.rows[i].row + 1);
  }
  if (first >= last) return;
  if (plan.signed_rows) {
    ListRowsOf<true>(s, frame, first, last, lists);
  } else {
    ListRowsOf<false>(s, frame, first, last, lists);
  }
}

// Appends numbers [first, last), each with `base` added, and returns the end.
HWY_INLINE uint16_t* CopyNumbers(const uint16_t* HWY_RESTRICT numbers, uint32_t first,
                                 uint32_t last, uint16_t base, uint16_t* HWY_RESTRICT out) {
  const Numbers16 d;
  const auto add = hn::Set(d, base);
  const size_t count = last - first;
  const uint16_t* HWY_RESTRICT from = numbers + first;
  // Most often one vector holds all of them.
  hn::StoreU(hn::Add(hn::LoadU(d, from), add), d, out);
  for (size_t i = hn::Lanes(d); HWY_UNLIKELY(i < count); i += hn::Lanes(d)) {
    hn::StoreU(hn::Add(hn::LoadU(d, from + i), add), d, out + i);
  }
  return out + count;
}

// The spikes that reach each tile of a target row, as numbers of rows of its table. Up to three
// numbers of the row of zeros follow each list, so that four can be taken at a time.
//
// All tiles at once, before the first is summed: a list is ready when a mispredicted end of the
// loop over the one before has been paid for.
inline HWY_NOINLINE void ListTiles(const GatherPlan& plan, const uint16_t* numbers,
                                   const uint32_t* bounds, size_t pitch, size_t row, size_t set,
                                   TileLists& lists) {
  const GatherPlan::SourceRow* const rows = plan.rows.data() + plan.row_bounds[row];
  const size_t row_count = plan.row_bounds[row + 1] - plan.row_bounds[row];
  const GatherPlan::Words words = plan.words[set];
  const size_t column_words = plan.column_words;
  const auto skipped = static_cast<uint16_t>(words.first * plan.word_numbers);
  const auto zeros = static_cast<uint16_t>(plan.table_rows - 1);
  uint16_t* const start = lists.numbers.data();
  uint16_t* HWY_RESTRICT out = start;
  TileLists::Range* HWY_RESTRICT ranges = lists.ranges.data();
  const GatherPlan::SourceColumns* columns = plan.columns.data();
  for (size_t tile = 0; tile < plan.tiles; ++tile) {
    const GatherPlan::SourceColumns* const end = plan.columns.data() + plan.column_bounds[tile + 1];
    const uint16_t* const begin = out;
    for (; columns != end; ++columns) {
      const uint32_t* const first = bounds + columns->first * column_words + words.first;
      const uint32_t* const last = bounds + columns->last * column_words + words.last;
      for (size_t r = 0; r < row_count; ++r) {
        const size_t at = rows[r].row * pitch;
        const auto base = static_cast<uint16_t>(rows[r].base + columns->base - skipped);
        out = CopyNumbers(numbers, first[at], last[at], base, out);
      }
    }
    ranges[tile] = {static_cast<uint32_t>(begin - start), static_cast<uint32_t>(out - begin)};
    for (size_t i = 0; i < 3; ++i) out[i] = zeros;
    out += -(out - begin) & 3;
  }
}

// Adds the rows of a list of numbers, or subtracts them.
template <size_t kVectors, bool kSubtract, class Weight>
HWY_INLINE void AddRows(const Weight* HWY_RESTRICT table, size_t row_lanes,
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
template <size_t kChunks, class Weight>
HWY_NOINLINE void GatherSet(const GatherPlan& plan, const IntegerLayer& layer,
                            const Weight* HWY_RESTRICT table, const SpikeLists& lists,
                            int16_t* HWY_RESTRICT membranes) {
  const Lanes16 d;
  constexpr size_t kRowLanes = kChunks * kChunkLanes;
  constexpr size_t kMostVectors = 8;
  constexpr size_t kAll = kRowLanes / hn::MaxLanes(Lanes16());
  constexpr size_t kVectors = kAll < kMostVectors ? kAll : kMostVectors;
  const bool signed_rows = plan.signed_rows;
  const size_t most = plan.most_spikes;
  for (size_t tile = 0; tile < plan.tiles; ++tile, membranes += kChunkLanes) {
    const uint16_t* up = lists.tile_up.numbers.data() + lists.tile_up.ranges[tile].first;
    const size_t ups = lists.tile_up.ranges[tile].count;
    const uint16_t* down =
        signed_rows ? nullptr : lists.tile_down.numbers.data() + lists.tile_down.ranges[tile].first;
    const size_t downs = signed_rows ? 0 : lists.tile_down.ranges[tile].count;
    for (size_t first = 0; first < kAll; first += kVectors) {
      const Weight* HWY_RESTRICT from = table + first * hn::Lanes(d);
      const auto join = [&](const Vector16* sums) {
        for (size_t k = 0; k < kVectors; ++k) {
          const size_t lane = (first + k) * hn::Lanes(d);
          int16_t* at = membranes + lane / kChunkLanes * layer.block_lanes() + lane % kChunkLanes;
          hn::StoreU(hn::SaturatedAdd(hn::LoadU(d, at), sums[k]), d, at);
        }
      };
      Vector16 sums[kVectors];
      for (size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
      if (HWY_LIKELY(ups + downs <= most)) {
        AddRows<kVectors, false>(from, kRowLanes, up, ups, sums);
        AddRows<kVectors, true>(from, kRowLanes, down, downs, sums);
        join(sums);
        continue;
      }
      for (size_t i = 0; i < ups; i += most) {
        AddRows<kVectors, false>(from, kRowLanes, up + i, std::min(most, ups - i), sums);
        join(sums);
        for (size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
      }
      for (size_t i = 0; i < downs; i += most) {
        AddRows<kVectors, true>(from, kRowLanes, down + i, std::min(most, downs - i), sums);
        join(sums);
        for (size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
      }
    }
  }
}

template <class Weight>
HWY_INLINE void GatherRowOf(const IntegerSynapses& s, const LayerStep& step, const Weight* tables,
                            size_t row, SpikeLists& lists) {
  const GatherPlan& plan = s.gather;
  const IntegerLayer& layer = *step.layer;
  int16_t* first = step.membranes + row * layer.row_lanes + layer.guard_lanes;
  const size_t pitch = size_t{s.source_columns} * plan.column_words;
  const size_t first_set = step.part.first_block / plan.chunks;
  const size_t last_set = step.part.last_block / plan.chunks;
  for (size_t set = first_set; set < last_set; ++set) {
    // Sets of blocks see the same spikes unless there are groups.
    if (set == first_set || plan.words[set].first != plan.words[set - 1].first ||
        plan.words[set].last != plan.words[set - 1].last) {
      ListTiles(plan, lists.up.data(), lists.up_bounds.data(), pitch, row, set, lists.tile_up);
      if (!plan.signed_rows) {
        ListTiles(plan, lists.down.data(), lists.down_bounds.data(), pitch, row, set,
                  lists.tile_down);
      }
    }
    const Weight* table = tables + set * plan.table_size();
    int16_t* to = first + set * plan.chunks * layer.block_lanes();
    switch (plan.chunks) {
      case 1:
        GatherSet<1>(plan, layer, table, lists, to);
        break;
      case 2:
        GatherSet<2>(plan, layer, table, lists, to);
        break;
      default:
        GatherSet<4>(plan, layer, table, lists, to);
        break;
    }
  }
}

// All spikes, listed before, that reach target row `row` of the step's blocks.
inline void GatherRow(const IntegerSynapses& s, const LayerStep& step, size_t row,
                      SpikeLists& lists) {
  if (s.wide != nullptr) {
    GatherRowOf(s, step, s.wide.get(), row, lists);
  } else {
    GatherRowOf(s, step, s.narrow.get(), row, lists);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_GATHER_INL_H_
