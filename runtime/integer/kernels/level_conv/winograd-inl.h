// Winograd's products (winograd.h): their factors, and the sums of neighbouring pairs of columns.
#if defined(CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hwy/highway.h"
#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"
#include "runtime/integer/kernels/level_conv/register_sums-inl.h"
#include "runtime/integer/kernels/level_conv/row_tiles-inl.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"
#include "runtime/integer/layout/membrane_layout.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if CSSRUN_TARGET_VNNI

// The factors of `pairs` neighbouring pairs of columns. `levels`: those of the first one.
template <class D>
void FillPairs(D d, const LevelConv& kernel, size_t pairs, const uint8_t* HWY_RESTRICT levels,
               uint8_t* HWY_RESTRICT factors) {
  const size_t channels = kernel.source_stride;
  const auto largest = hn::Set(d, static_cast<uint8_t>(kernel.largest_byte));
  uint8_t* HWY_RESTRICT outer = factors + kernel.winograd.row_bytes;
  for (size_t pair = 0; pair < pairs; ++pair) {
    for (size_t c = 0; c < channels; c += hn::Lanes(d), levels += hn::Lanes(d)) {
      const auto d0 = hn::LoadU(d, levels);
      const auto d1 = hn::LoadU(d, levels + channels);
      const auto d2 = hn::LoadU(d, levels + 2 * channels);
      const auto d3 = hn::LoadU(d, levels + 3 * channels);
      hn::StoreU(hn::Add(d1, d2), d, factors + c);
      hn::StoreU(hn::Add(hn::Sub(d2, d1), largest), d, factors + channels + c);
      hn::StoreU(hn::Add(hn::Sub(d0, d2), largest), d, outer + c);
      hn::StoreU(hn::Add(hn::Sub(d1, d3), largest), d, outer + channels + c);
    }
    levels += channels;
    factors += kHalfProducts * channels;
    outer += kHalfProducts * channels;
  }
}

// The pairs of the columns of `range`.
HWY_INLINE ColumnRange PairsOf(const ColumnRange& range) {
  CSSRUN_ASSERT(range.first % kPairColumns == 0);
  return {range.first / kPairColumns, (range.last + kPairColumns - 1) / kPairColumns};
}

// Calls fill(range) for neighbouring pairs that any of `targets` computes, for each pair once.
// `pairs`: those of a row.
template <class Fill>
void ForPairs(std::span<const LevelTarget> targets, uint32_t pairs, Fill fill) {
  CSSRUN_ASSERT(targets.size() <= kMostWinogradRows);
  std::span<const ColumnRange> room[kMostWinogradRows];
  const std::span rest = std::span(room).first(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    rest[i] = targets[i].columns;
    if (rest[i].empty()) return fill(ColumnRange{0, pairs});
  }
  // The range that begins first, of those that are left.
  const auto begins = [](std::span<const ColumnRange> ranges) {
    return ranges.empty() ? ColumnRange().last : ranges.front().first;
  };
  for (uint32_t done = 0;;) {
    const auto next = std::ranges::min_element(rest, {}, begins);
    if (next->empty()) return;
    const ColumnRange range = PairsOf(next->front());
    *next = next->subspan(1);
    if (range.last <= done) continue;
    fill(ColumnRange{std::max(range.first, done), range.last});
    done = range.last;
  }
}

// The factors of a row that `targets` read. `levels`: those of the first pair.
inline void FillRow(const LevelConv& kernel, std::span<const LevelTarget> targets,
                    const uint8_t* levels, uint8_t* factors) {
  const size_t channels = kernel.source_stride;
  ForPairs(targets, kernel.winograd.pairs, [&](const ColumnRange& range) {
    const size_t pairs = range.last - range.first;
    // A pair has as many products of each half as columns.
    static_assert(kHalfProducts == kPairColumns);
    const size_t skipped = range.first * kHalfProducts * channels;
    if (channels % 64 == 0) {
      FillPairs(hn::CappedTag<uint8_t, 64>(), kernel, pairs, levels + skipped, factors + skipped);
    } else if (channels % 32 == 0) {
      FillPairs(hn::CappedTag<uint8_t, 32>(), kernel, pairs, levels + skipped, factors + skipped);
    } else {
      FillPairs(hn::CappedTag<uint8_t, 16>(), kernel, pairs, levels + skipped, factors + skipped);
    }
  });
}

inline WinogradRows FillRows(const LevelConv& kernel, const LevelFrame& levels,
                             std::span<const LevelTarget> targets, size_t first,
                             std::span<uint8_t> room) {
  const size_t channels = kernel.source_stride;
  const WindowAxis y = RowsOf(kernel.window);
  const auto end = static_cast<int64_t>(first + targets.size());
  const auto on_map = [&](int64_t row) {
    return static_cast<size_t>(std::clamp<int64_t>(row, 0, kernel.source_rows));
  };
  WinogradRows filled;
  filled.factors = room.data();
  filled.first = on_map(y.SourceOf(static_cast<int64_t>(first), 0));
  filled.pitch = 2 * size_t{kernel.winograd.row_bytes};
  const size_t last = on_map(y.SourceOf(end - 1, y.kernel - 1) + 1);
  CSSRUN_ASSERT(levels.layout.zero == 0);
  CSSRUN_ASSERT((last - filled.first) * filled.pitch <= room.size());
  const int64_t left = ColumnsOf(kernel.window).pad * static_cast<int64_t>(channels);
  uint8_t* factors = room.data();
  for (size_t row = filled.first; row < last; ++row, factors += filled.pitch) {
    // Target row r reads rows [r - pad, r - pad + kernel).
    const int64_t last_reader = static_cast<int64_t>(row) + y.pad;
    const auto from = std::max(static_cast<int64_t>(first), last_reader - y.kernel + 1);
    const auto to = std::min(end, last_reader + 1);
    FillRow(kernel,
            targets.subspan(static_cast<size_t>(from) - first, static_cast<size_t>(to - from)),
            levels.Row(row) - left, factors);
  }
  return filled;
}

// What the rows of a call have in common: a tile of Winograd's.
struct WinogradTile {
  const int8_t* Weights(size_t half, size_t ky) const {
    return weights + half * kernel->winograd.half_size + ky * kernel->winograd.row_size;
  }
  // Those of a row of levels, which may be one that is not there if nobody reads them.
  const uint8_t* Factors(size_t half, int64_t source) const {
    return factors->factors +
           (source - static_cast<int64_t>(factors->first)) * static_cast<int64_t>(factors->pitch) +
           half * kernel->winograd.row_bytes + first_source;
  }

  // To tile `number` of Winograd's, which belongs to tile `t` of LevelConv's.
  void MoveTo(size_t t, size_t number) {
    const Winograd& winograd = kernel->winograd;
    weights = winograd.weights.get() + number * winograd.tile_size();
    starts =
        &winograd.starts[number * kernel->kernel_rows() * kWinogradProducts * winograd.targets];
    first_source = kernel->first_quads[t] * size_t{kQuad};
  }

  const LevelConv* kernel = nullptr;
  const WinogradRows* factors = nullptr;
  size_t columns = 0;  // of the map
  const int8_t* weights = nullptr;
  const int32_t* starts = nullptr;  // [ky][product][target]
  size_t first_source = 0;          // channel that the first quad reads
};

// A row over such a tile.
struct WinogradRow {
  const TileRow* row = nullptr;
  TapRange taps;                    // kernel rows on the map
  int64_t source = 0;               // row of levels that kernel row 0 reads
  const int32_t* starts = nullptr;  // [product][target]
  int16_t* membranes = nullptr;
  std::span<const ColumnRange> columns = {};  // that are summed
};

// Adds the products of `kPairs` pairs from `factors` on, over all kernel rows, to
// [pair][product][vector].
template <class P, size_t kPairs, size_t kTargets>
HWY_INLINE void AddProducts(const WinogradTile& tile, size_t kernel_rows,
                            const uint8_t* HWY_RESTRICT factors, const int8_t* HWY_RESTRICT weights,
                            Ahead& ahead, typename P::Sum* sums) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  const size_t product_pitch = tile.kernel->source_stride;
  ColumnPitches pitches(product_pitch);
  for (size_t ky = 0; ky < kernel_rows; ++ky, factors += tile.factors->pitch) {
    const uint8_t* bases[] = {factors, factors + 8 * product_pitch};
    for (size_t q = 0; q < tile.kernel->quads; ++q) {
      pitches.Hide();
      ahead.Ask<2 * kPairs>();
      HWY_UNROLL(2)
      for (size_t m = 0; m < kHalfProducts; ++m, weights += kTargets * kQuad) {
        typename P::Levels of_targets[kVectors];
        HWY_UNROLL(2)
        for (size_t v = 0; v < kVectors; ++v) {
          of_targets[v] = P::LoadWeights(weights, v);
          // Kept in a register: otherwise GCC 12 loads them for each product.
          asm("" : "+v"(of_targets[v].raw));
        }
        HWY_UNROLL(8)
        for (size_t p = 0; p < kPairs; ++p) {
          const size_t product = kHalfProducts * p + m;
          const auto quad = P::Load(pitches.Of(product, bases));
          HWY_UNROLL(2)
          for (size_t v = 0; v < kVectors; ++v) {
            P::Add(quad, of_targets[v], sums[product * kVectors + v]);
          }
        }
      }
      bases[0] += kQuad;
      bases[1] += kQuad;
    }
  }
}

// Makes the sums of two columns, before outer products, of the inner products of a pair:
// [product][vector].
template <class P, size_t kVectors>
HWY_INLINE void MakeColumns(const int32_t* starts, typename P::Sum* sums) {
  HWY_UNROLL(2)
  for (size_t v = 0; v < kVectors; ++v) {
    typename P::Sum& left = sums[v];
    typename P::Sum& right = sums[kVectors + v];
    const auto half_sum = hn::ShiftRight<1>(hn::Add(left, right));
    const auto half_difference = hn::ShiftRight<1>(hn::Sub(left, right));
    left = hn::Add(half_sum, P::Start(starts, kHalfProducts * kVectors + v));
    right = hn::Add(half_difference, P::Start(starts, (kHalfProducts + 1) * kVectors + v));
  }
}

// `kPairs` neighbouring pairs of columns of 16 or 32 targets. `odd`: the last pair has one column
// on the map.
template <class P, size_t kPairs, size_t kTargets>
HWY_NOINLINE void SumPairs(const WinogradTile& tile, const WinogradRow& of_row, size_t pair,
                           bool odd) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  constexpr size_t kOfPair = kHalfProducts * kVectors;
  const TileRow& row = *of_row.row;
  typename P::Sum sums[kPairs * kOfPair];
  HWY_UNROLL(32)
  for (size_t k = 0; k < kPairs * kOfPair; ++k) sums[k] = P::Start(of_row.starts, k % kOfPair);
  const size_t first = pair * kHalfProducts * tile.kernel->source_stride;
  const auto skipped = static_cast<size_t>(of_row.taps.first);
  const int64_t source = of_row.source + of_row.taps.first;
  const int8_t* weights = tile.Weights(0, skipped);
  Ahead ahead{row.ahead == nullptr ? weights : row.ahead + 2 * pair * row.ahead_of_column,
              row.ahead_of_quad};
  AddProducts<P, kPairs, kTargets>(tile, row.kernel_rows, tile.Factors(0, source) + first, weights,
                                   ahead, sums);
  HWY_UNROLL(8)
  for (size_t p = 0; p < kPairs; ++p) {
    MakeColumns<P, kVectors>(of_row.starts, sums + p * kOfPair);
  }
  AddProducts<P, kPairs, kTargets>(tile, row.kernel_rows, tile.Factors(1, source) + first,
                                   tile.Weights(1, skipped), ahead, sums);
  if (odd) {
    HandOn<P, 2 * kPairs - 1, kTargets>(row, 2 * pair, sums, of_row.membranes);
  } else {
    HandOn<P, 2 * kPairs, kTargets>(row, 2 * pair, sums, of_row.membranes);
  }
}

// `wanted` pairs, at most kMost.
template <class P, size_t kMost, size_t kTargets>
HWY_INLINE void SumSomePairs(size_t wanted, const WinogradTile& tile, const WinogradRow& row,
                             size_t pair, bool odd) {
  if constexpr (kMost > 1) {
    if (wanted < kMost) {
      SumSomePairs<P, kMost - 1, kTargets>(wanted, tile, row, pair, odd);
      return;
    }
  }
  SumPairs<P, kMost, kTargets>(tile, row, pair, odd);
}

// Neighbouring columns of a row, in as few and as equal parts as registers allow.
template <class P, size_t kTargets>
void SumNeighbours(const WinogradTile& tile, const WinogradRow& row, const ColumnRange& columns) {
  constexpr size_t kMost = kTargets == kTileTargets ? kMostPairs : kMostPairsOfBoth;
  const ColumnRange pairs = PairsOf(columns);
  CSSRUN_ASSERT(columns.last % kPairColumns == 0 || columns.last == tile.columns);
  for (size_t pair = pairs.first; pair < pairs.last;) {
    const size_t rest = pairs.last - pair;
    const size_t parts = (rest + kMost - 1) / kMost;
    const size_t part = (rest + parts - 1) / parts;
    const bool odd = part == rest && columns.last % kPairColumns != 0;
    SumSomePairs<P, kMost, kTargets>(part, tile, row, pair, odd);
    pair += part;
  }
}

// Adds the products of one kernel row for rows [kFirst, kLast) of a stack of rows of `kPairs` pairs
// of columns. `factors`: those of the stack's first row.
template <class P, size_t kPairs, size_t kFirst, size_t kLast>
HWY_NOINLINE void AddStackedProducts(const WinogradTile& tile, const uint8_t* HWY_RESTRICT factors,
                                     const int8_t* HWY_RESTRICT weights,
                                     typename P::Sum* HWY_RESTRICT sums) {
  constexpr size_t kRows = kLast - kFirst;
  constexpr size_t kOfRow = kPairs * kHalfProducts;
  // Weights, most of them of the next kernel row or tile. 8 KiB take up to 1.4 times as long where
  // others use the third-level cache, 96 KiB as long.
  constexpr size_t kAhead = size_t{64} << 10;
  static_assert(P::kVectors == 1);
  typename P::Sum own[kRows * kOfRow];  // in registers
  HWY_UNROLL(32)
  for (size_t k = 0; k < kRows * kOfRow; ++k) own[k] = sums[kFirst * kOfRow + k];
  const uint8_t* bases[kRows];
  HWY_UNROLL(4)
  for (size_t r = 0; r < kRows; ++r) bases[r] = factors + (kFirst + r) * tile.factors->pitch;
  ColumnPitches pitches(tile.kernel->source_stride);
  Ahead ahead{weights + kAhead, kTileTargets * kQuad};
  for (size_t q = 0; q < tile.kernel->quads; ++q) {
    pitches.Hide();
    HWY_UNROLL(2)
    for (size_t m = 0; m < kHalfProducts; ++m, weights += kTileTargets * kQuad) {
      ahead.Ask<kRows * kPairs>();
      const auto of_targets = P::LoadWeights(weights, 0);
      HWY_UNROLL(4)
      for (size_t r = 0; r < kRows; ++r) {
        HWY_UNROLL(4)
        for (size_t p = 0; p < kPairs; ++p) {
          const size_t product = kHalfProducts * p + m;
          P::Add(P::Load(pitches.Of(product, &bases[r])), of_targets, own[r * kOfRow + product]);
        }
      }
    }
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRows; ++r) bases[r] += kQuad;
  }
  HWY_UNROLL(32)
  for (size_t k = 0; k < kRows * kOfRow; ++k) sums[kFirst * kOfRow + k] = own[k];
}

// A stack of `kRows` rows of `kPairs` pairs of columns. Of its kernel rows at most one is beyond
// the map, above for its first row or below for its last one.
template <class P, size_t kPairs, size_t kRows>
HWY_NOINLINE void SumStack(const WinogradTile& tile, const WinogradRow* rows) {
  constexpr size_t kOfRow = kPairs * kHalfProducts;
  typename P::Sum sums[kRows * kOfRow];
  for (size_t k = 0; k < kRows * kOfRow; ++k) {
    sums[k] = P::Start(rows[k / kOfRow].starts, k % kHalfProducts);
  }
  for (size_t half = 0; half < 2; ++half) {
    for (size_t ky = 0; ky < tile.kernel->kernel_rows(); ++ky) {
      const int64_t source = rows[0].source + static_cast<int64_t>(ky);
      const int64_t beyond = source + int64_t{kRows} - tile.kernel->source_rows;
      CSSRUN_ASSERT(source >= -1 && beyond <= 1);
      const uint8_t* factors = tile.Factors(half, source);
      const int8_t* weights = tile.Weights(half, ky);
      if (source >= 0 && beyond <= 0) {
        AddStackedProducts<P, kPairs, 0, kRows>(tile, factors, weights, sums);
      } else if (source >= 0) {
        AddStackedProducts<P, kPairs, 0, kRows - 1>(tile, factors, weights, sums);
      } else if (beyond <= 0) {
        AddStackedProducts<P, kPairs, 1, kRows>(tile, factors, weights, sums);
      } else if constexpr (kRows > 2) {
        AddStackedProducts<P, kPairs, 1, kRows - 1>(tile, factors, weights, sums);
      }
    }
    for (size_t pair = 0; half == 0 && pair < kRows * kPairs; ++pair) {
      MakeColumns<P, 1>(rows[pair / kPairs].starts, sums + kHalfProducts * pair);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    if (tile.columns % 2 != 0) {
      HandOn<P, 2 * kPairs - 1, kTileTargets>(*rows[r].row, 0, sums + r * kOfRow,
                                              rows[r].membranes);
    } else {
      HandOn<P, 2 * kPairs, kTileTargets>(*rows[r].row, 0, sums + r * kOfRow, rows[r].membranes);
    }
  }
}

// One row, or those of a stack.
template <class P>
void SumWinogradRows(const WinogradTile& tile, std::span<const WinogradRow> rows) {
  const size_t pairs = tile.kernel->winograd.pairs;
  if (rows.size() == 1) {
    for (const ColumnRange& columns : rows[0].columns) {
      tile.kernel->winograd.targets == kTileTargets
          ? SumNeighbours<P, kTileTargets>(tile, rows[0], columns)
          : SumNeighbours<P, size_t{2} * kTileTargets>(tile, rows[0], columns);
    }
    return;
  }
  CSSRUN_ASSERT(std::ranges::all_of(
      rows, [&](const WinogradRow& row) { return row.columns.front().last == tile.columns; }));
  if (pairs == 3) {
    CSSRUN_ASSERT(rows.size() == 2);
    return SumStack<P, 3, 2>(tile, rows.data());
  }
  CSSRUN_ASSERT(pairs == 2 && rows.size() <= 4);
  if (rows.size() == 2) return SumStack<P, 2, 2>(tile, rows.data());
  if (rows.size() == 3) return SumStack<P, 2, 3>(tile, rows.data());
  SumStack<P, 2, 4>(tile, rows.data());
}

// What the sums of a row over a tile begin with: [product][target].
HWY_INLINE void StartRow(const WinogradTile& tile, const TapRange& taps,
                         int32_t* HWY_RESTRICT starts) {
  const size_t size = kWinogradProducts * tile.kernel->winograd.targets;
  const hn::CappedTag<int32_t, kTileTargets> d;
  for (size_t i = 0; i < size; i += hn::Lanes(d)) {
    auto start = hn::Zero(d);
    for (auto ky = static_cast<size_t>(taps.first); ky < static_cast<size_t>(taps.last); ++ky) {
      start = hn::Add(start, hn::LoadU(d, tile.starts + ky * size + i));
    }
    hn::Store(start, d, starts + i);
  }
}

// Rows [0, count) over a tile of LevelConv's. `source`: what kernel row 0 of the first one reads.
template <class P>
void SumStacks(const std::optional<RowTiles<P>>* rows, size_t count, size_t t, int64_t source,
               WinogradTile& tile) {
  const LevelConv& kernel = *tile.kernel;
  const uint32_t targets = kernel.winograd.targets;
  const size_t parts = kernel.targets / targets;
  HWY_ALIGN int32_t starts[kMostStackedRows][kWinogradProducts * 2 * kTileTargets];
  WinogradRow stack[kMostStackedRows];
  std::optional<PartOfTile> of_tile[kMostStackedRows];
  for (size_t part = 0; part < parts; ++part) {
    tile.MoveTo(t, t * parts + part);
    for (size_t r = 0; r < count; ++r) {
      const RowTiles<P>& row = *rows[r];
      StartRow(tile, row.taps(), starts[r]);
      stack[r] = {&row.tile(),
                  row.taps(),
                  source + static_cast<int64_t>(r),
                  starts[r],
                  row.membranes() + part * targets,
                  row.columns()};
      if (parts > 1) stack[r].row = &of_tile[r].emplace(row.tile(), part * targets).row();
    }
    SumWinogradRows<P>(tile, std::span(stack).first(count));
  }
}

// Sums rows from `first` on, all of them over a tile before the next.
template <class P>
void SumRowsTogether(const LevelConv& kernel, const LevelFrame& levels,
                     std::span<const LevelTarget> targets, size_t first, WinogradTile& tile) {
  const size_t count = targets.size();
  const size_t stacks = (count + kernel.winograd.stacked - 1) / kernel.winograd.stacked;
  std::optional<RowTiles<P>> rows[kMostWinogradRows];
  for (size_t r = 0; r < count; ++r) {
    rows[r].emplace(kernel, levels, targets[r], first + r, kernel.winograd.weights.get(),
                    kernel.targets / kernel.winograd.targets * kernel.winograd.tile_size());
  }
  for (size_t t = targets[0].tiles.first; t < rows[0]->last(); ++t) {
    for (size_t r = 0; r < count; ++r) rows[r]->MoveTo(t);
    for (size_t s = 0; s < stacks; ++s) {
      const size_t top = count * s / stacks;
      SumStacks(rows + top, count * (s + 1) / stacks - top, t, kernel.SourceRow(first + top), tile);
    }
  }
}

// Sums one row over all tiles.
template <class P>
void SumRowAlone(const LevelConv& kernel, const LevelFrame& levels, const LevelTarget& target,
                 size_t row, WinogradTile& tile) {
  RowTiles<P> tiles(kernel, levels, target, row, nullptr, 0);
  HWY_ALIGN int32_t starts[kWinogradProducts * 2 * kTileTargets];
  for (size_t t = target.tiles.first; t < tiles.last(); ++t) {
    tiles.MoveTo(t);
    tile.MoveTo(t, t);
    StartRow(tile, tiles.taps(), starts);
    const WinogradRow over{&tiles.tile(), tiles.taps(),      kernel.SourceRow(row),
                           starts,        tiles.membranes(), tiles.columns()};
    SumWinogradRows<P>(tile, std::span(&over, 1));
  }
}

template <class P>
void SumByWinograd(const LevelConv& kernel, const LevelFrame& levels, const WinogradRows& factors,
                   std::span<const LevelTarget> targets, size_t first) {
  CSSRUN_ASSERT(!targets.empty() && targets.size() <= kMostWinogradRows);
  CSSRUN_ASSERT(levels.layout.zero == 0);
  WinogradTile tile;
  tile.kernel = &kernel;
  tile.factors = &factors;
  tile.columns = targets[0].settled->layout->columns;
  if (kernel.winograd.stacked > 1 || targets[0].ahead.parts > 0) {
    SumRowsTogether<P>(kernel, levels, targets, first, tile);
    return;
  }
  // Weights that are near stay near for the next row.
  for (size_t i = 0; i < targets.size(); ++i) {
    SumRowAlone<P>(kernel, levels, targets[i], first + i, tile);
  }
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_INL_H_
