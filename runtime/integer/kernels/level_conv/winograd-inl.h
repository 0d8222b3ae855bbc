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
#include <span>

#include "hwy/highway.h"
#include "runtime/assert.h"
#include "runtime/geometry/window_axis.h"
#include "runtime/integer/kernels/lanes-inl.h"
#include "runtime/integer/kernels/level_conv/level_conv.h"
#include "runtime/integer/kernels/level_conv/products-inl.h"
#include "runtime/integer/kernels/level_conv/register_sums-inl.h"
#include "runtime/integer/kernels/level_conv/tile_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if CSSRUN_TARGET_VNNI

// The factors of all pairs of columns of a row. `levels`: those of the first pair.
template <class D>
void FillRow(D d, const LevelConv& kernel, const uint8_t* HWY_RESTRICT levels,
             uint8_t* HWY_RESTRICT factors) {
  const size_t channels = kernel.source_stride;
  const auto largest = hn::Set(d, static_cast<uint8_t>(kernel.largest_byte));
  uint8_t* HWY_RESTRICT outer = factors + kernel.winograd.row_bytes;
  for (size_t pair = 0; pair < kernel.winograd.pairs; ++pair) {
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

WinogradRows FillRows(const LevelConv& kernel, const LevelFrame& levels, size_t first, size_t rows,
                      std::span<uint8_t> room) {
  const size_t channels = kernel.source_stride;
  const WindowAxis y = RowsOf(kernel.window);
  const auto on_map = [&](int64_t row) {
    return static_cast<size_t>(std::clamp<int64_t>(row, 0, kernel.source_rows));
  };
  WinogradRows filled;
  filled.factors = room.data();
  filled.first = on_map(y.SourceOf(static_cast<int64_t>(first), 0));
  filled.pitch = 2 * size_t{kernel.winograd.row_bytes};
  const size_t last = on_map(y.SourceOf(static_cast<int64_t>(first + rows - 1), y.kernel - 1) + 1);
  CSSRUN_ASSERT(levels.layout.zero == 0);
  CSSRUN_ASSERT((last - filled.first) * filled.pitch <= room.size());
  const int64_t left = ColumnsOf(kernel.window).pad * static_cast<int64_t>(channels);
  uint8_t* factors = room.data();
  for (size_t row = filled.first; row < last; ++row, factors += filled.pitch) {
    const uint8_t* from = levels.Row(row) - left;
    if (channels % 64 == 0) {
      FillRow(hn::CappedTag<uint8_t, 64>(), kernel, from, factors);
    } else if (channels % 32 == 0) {
      FillRow(hn::CappedTag<uint8_t, 32>(), kernel, from, factors);
    } else {
      FillRow(hn::CappedTag<uint8_t, 16>(), kernel, from, factors);
    }
  }
  return filled;
}

// One tile of targets over one row, beside its TileRow. The inner products come first.
struct WinogradTile {
  const uint8_t* factors[2] = {};   // of the first kernel row on the map
  size_t factors_pitch = 0;         // from one row to the next
  size_t product_pitch = 0;         // from one product to the next
  const int8_t* weights[2] = {};    // of the first kernel row on the map
  const int32_t* starts = nullptr;  // [product][target]
};

// Adds the products of `kPairs` pairs from `factors` on, over all kernel rows, to
// [pair][product][vector].
template <class P, size_t kPairs, size_t kTargets>
HWY_INLINE void AddProducts(const TileRow& row, const WinogradTile& tile,
                            const uint8_t* HWY_RESTRICT factors, const int8_t* HWY_RESTRICT weights,
                            Ahead& ahead, typename P::Sum* sums) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  ColumnPitches pitches(tile.product_pitch);
  for (size_t ky = 0; ky < row.kernel_rows; ++ky, factors += tile.factors_pitch) {
    const uint8_t* bases[] = {factors, factors + 8 * tile.product_pitch};
    for (size_t q = 0; q < row.quads; ++q) {
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

// `kPairs` neighbouring pairs of columns of 16 or 32 targets. `odd`: the last pair has one column
// on the map.
template <class P, size_t kPairs, size_t kTargets>
HWY_NOINLINE void SumPairs(const TileRow& row, const WinogradTile& tile, size_t pair, bool odd,
                           int16_t* HWY_RESTRICT membranes) {
  constexpr size_t kVectors = P::kVectors * kTargets / kTileTargets;
  constexpr size_t kOfPair = kHalfProducts * kVectors;
  typename P::Sum sums[kPairs * kOfPair];
  HWY_UNROLL(32)
  for (size_t k = 0; k < kPairs * kOfPair; ++k) sums[k] = P::Start(tile.starts, k % kOfPair);
  const size_t first = pair * kHalfProducts * tile.product_pitch;
  Ahead ahead{row.ahead == nullptr ? tile.weights[0] : row.ahead + 2 * pair * row.ahead_of_column,
              row.ahead_of_quad};
  AddProducts<P, kPairs, kTargets>(row, tile, tile.factors[0] + first, tile.weights[0], ahead,
                                   sums);
  HWY_UNROLL(8)
  for (size_t p = 0; p < kPairs; ++p) {
    HWY_UNROLL(2)
    for (size_t v = 0; v < kVectors; ++v) {
      typename P::Sum& left = sums[p * kOfPair + v];
      typename P::Sum& right = sums[p * kOfPair + kVectors + v];
      const auto half_sum = hn::ShiftRight<1>(hn::Add(left, right));
      const auto half_difference = hn::ShiftRight<1>(hn::Sub(left, right));
      left = hn::Add(half_sum, P::Start(tile.starts, kOfPair + v));
      right = hn::Add(half_difference, P::Start(tile.starts, kOfPair + kVectors + v));
    }
  }
  AddProducts<P, kPairs, kTargets>(row, tile, tile.factors[1] + first, tile.weights[1], ahead,
                                   sums);
  if (odd) {
    HandOn<P, 2 * kPairs - 1, kTargets>(row, 2 * pair, sums, membranes);
  } else {
    HandOn<P, 2 * kPairs, kTargets>(row, 2 * pair, sums, membranes);
  }
}

// `wanted` pairs, at most kMost.
template <class P, size_t kMost, size_t kTargets>
HWY_INLINE void SumSomePairs(size_t wanted, const TileRow& row, const WinogradTile& tile,
                             size_t pair, bool odd, int16_t* membranes) {
  if constexpr (kMost > 1) {
    if (wanted < kMost) {
      SumSomePairs<P, kMost - 1, kTargets>(wanted, row, tile, pair, odd, membranes);
      return;
    }
  }
  SumPairs<P, kMost, kTargets>(row, tile, pair, odd, membranes);
}

// All columns of a row, in as few and as equal parts as registers allow.
template <class P, size_t kTargets>
void SumAllPairs(const TileRow& row, const WinogradTile& tile, size_t columns, int16_t* membranes) {
  // 24 sums and the weights of a product; 16 sums of 16 targets, whose factors take more registers
  // for their addresses.
  constexpr size_t kMost = kTargets == kTileTargets ? 8 : 6;
  const size_t pairs = (columns + 1) / 2;
  for (size_t pair = 0; pair < pairs;) {
    const size_t rest = pairs - pair;
    const size_t parts = (rest + kMost - 1) / kMost;
    const size_t part = (rest + parts - 1) / parts;
    const bool odd = part == rest && columns % 2 != 0;
    SumSomePairs<P, kMost, kTargets>(part, row, tile, pair, odd, membranes);
    pair += part;
  }
}

// Tile `t` of a target row, `taps` of whose kernel rows are on the map, the first of them at
// `first_row` of the levels.
template <class P>
void SumWinogradTile(const LevelConv& kernel, const WinogradRows& rows, const TileRow& row,
                     size_t t, const TapRange& taps, int64_t first_row, size_t columns,
                     int16_t* membranes) {
  const Winograd& winograd = kernel.winograd;
  const size_t products = kWinogradProducts * kernel.targets;
  const auto skipped = static_cast<size_t>(taps.first);
  HWY_ALIGN int32_t starts[kWinogradProducts * 2 * kTileTargets] = {};
  const int32_t* of_row = &winograd.starts[(t * kernel.kernel_rows() + skipped) * products];
  for (size_t ky = 0; ky < row.kernel_rows; ++ky, of_row += products) {
    for (size_t i = 0; i < products; ++i) starts[i] += of_row[i];
  }
  WinogradTile tile;
  tile.factors_pitch = rows.pitch;
  tile.product_pitch = kernel.source_stride;
  tile.starts = starts;
  for (size_t half = 0; half < 2; ++half) {
    tile.weights[half] =
        winograd.weights.get() + (2 * t + half) * winograd.half_size + skipped * winograd.row_size;
    tile.factors[half] = rows.factors;
    if (row.kernel_rows == 0) continue;
    tile.factors[half] = rows.Row(static_cast<size_t>(first_row)) + half * winograd.row_bytes +
                         kernel.first_quads[t] * size_t{kQuad};
  }
  if (row.targets == kTileTargets) {
    SumAllPairs<P, kTileTargets>(row, tile, columns, membranes);
  } else {
    SumAllPairs<P, size_t{2} * kTileTargets>(row, tile, columns, membranes);
  }
}

#endif

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_KERNELS_LEVEL_CONV_WINOGRAD_INL_H_
