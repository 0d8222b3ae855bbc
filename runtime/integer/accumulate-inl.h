// Adds the rows of weights of one source row's spikes to the membranes, saturating.
//
// Two ways, chosen by the network's shape alone (AccumulateKind):
// - Scatter: one loop over all spikes of the row; each adds to its membranes in memory. No loop ends
//   before the row does, so short lists cost nothing; bound by one store a chunk.
// - Patch: position by position, all membranes that a position reaches are held in registers while
//   its spikes stream through: two loads and additions a cycle, paid for by the ends of the lists.
#if defined(CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes16 = hn::CappedTag<int16_t, kChunkLanes>;

HWY_INLINE hn::Vec<Lanes16> LoadWeights(const int16_t* HWY_RESTRICT weights) {
  return hn::Load(Lanes16(), weights);
}
HWY_INLINE hn::Vec<Lanes16> LoadWeights(const int8_t* HWY_RESTRICT weights) {
  return hn::PromoteTo(Lanes16(), hn::Load(hn::Rebind<int8_t, Lanes16>(), weights));
}

template <bool kAdd>
HWY_INLINE hn::Vec<Lanes16> AddOrSubtract(hn::Vec<Lanes16> membrane, hn::Vec<Lanes16> weight) {
  return kAdd ? hn::SaturatedAdd(membrane, weight) : hn::SaturatedSub(membrane, weight);
}

// Pitches of a tile of kRows target rows and kChunks chunks in each.
struct Tile {
  size_t membrane_pitch = 0;  // lanes from one target row to the next
  size_t weight_pitch = 0;    // weights from one tap row to the next
};

template <size_t kRows, size_t kChunks, bool kAdd, class Weight>
HWY_INLINE void ScatterList(std::span<const uint16_t> spikes, const Destination* destinations,
                            const Weight* HWY_RESTRICT weights, const Tile& tile,
                            int16_t* HWY_RESTRICT membranes) {
  const Lanes16 d;
  const size_t lanes = hn::Lanes(d);
  const size_t membrane_pitch = tile.membrane_pitch;
  const size_t weight_pitch = tile.weight_pitch;
  for (const uint16_t spike : spikes) {
    const Destination to = destinations[spike];
    int16_t* HWY_RESTRICT row = membranes + to.lane;
    const Weight* HWY_RESTRICT weight = weights + to.weight;
    for (size_t y = 0; y < kRows; ++y, row += membrane_pitch, weight += weight_pitch) {
      for (size_t chunk = 0; chunk < kChunks; ++chunk) {
        for (size_t i = chunk * kChunkLanes; i < (chunk + 1) * kChunkLanes; i += lanes) {
          hn::Store(AddOrSubtract<kAdd>(hn::Load(d, row + i), LoadWeights(weight + i)), d, row + i);
        }
      }
    }
  }
}

template <size_t kRows, size_t kChunks, class Weight>
HWY_NOINLINE void ScatterTile(const IntegerSynapses& s, const SpikeFrame& spikes, size_t row,
                              const Weight* weights, const Tile& tile, int16_t* membranes) {
  const Destination* destinations = s.destinations.data();
  ScatterList<kRows, kChunks, true>(spikes.PositiveOf(row), destinations, weights, tile, membranes);
  ScatterList<kRows, kChunks, false>(spikes.NegativeOf(row), destinations, weights, tile,
                                     membranes);
}

// One vector of each chunk of the tile, at lane `offset` of the chunks.
template <size_t kRows, size_t kChunks, class Weight>
HWY_INLINE void PatchVectors(const IntegerSynapses& s, const SpikeFrame& spikes, size_t row,
                             size_t channel_stride, size_t channel_size,
                             const Weight* HWY_RESTRICT weights, const Tile& tile,
                             int16_t* HWY_RESTRICT membranes) {
  const Lanes16 d;
  using Vector = hn::Vec<Lanes16>;
  const uint16_t* positive = spikes.PositiveOf(row).data();
  const uint16_t* negative = spikes.NegativeOf(row).data();
  const uint16_t* const positive_begin = positive;
  const uint16_t* const negative_begin = negative;
  const uint32_t* bounds = spikes.bounds.get() + row * spikes.columns * 2;
  const size_t membrane_pitch = tile.membrane_pitch;
  const size_t weight_pitch = tile.weight_pitch;
  size_t first_number = 0;
  for (const Destination& column : s.columns) {
    const uint16_t* const positive_end = positive_begin + bounds[0];
    const uint16_t* const negative_end = negative_begin + bounds[1];
    bounds += 2;
    int16_t* HWY_RESTRICT at = membranes + column.lane;
    const Weight* HWY_RESTRICT base = weights + column.weight;
    if (positive != positive_end || negative != negative_end) {
      Vector sums[kRows * kChunks];
      for (size_t k = 0; k < kRows * kChunks; ++k) {
        sums[k] = hn::Load(d, at + k / kChunks * membrane_pitch + k % kChunks * kChunkLanes);
      }
      for (; positive != positive_end; ++positive) {
        const Weight* HWY_RESTRICT weight = base + (*positive - first_number) * channel_size;
        for (size_t k = 0; k < kRows * kChunks; ++k) {
          sums[k] = hn::SaturatedAdd(
              sums[k],
              LoadWeights(weight + k / kChunks * weight_pitch + k % kChunks * kChunkLanes));
        }
      }
      for (; negative != negative_end; ++negative) {
        const Weight* HWY_RESTRICT weight = base + (*negative - first_number) * channel_size;
        for (size_t k = 0; k < kRows * kChunks; ++k) {
          sums[k] = hn::SaturatedSub(
              sums[k],
              LoadWeights(weight + k / kChunks * weight_pitch + k % kChunks * kChunkLanes));
        }
      }
      for (size_t k = 0; k < kRows * kChunks; ++k) {
        hn::Store(sums[k], d, at + k / kChunks * membrane_pitch + k % kChunks * kChunkLanes);
      }
    }
    first_number += channel_stride;
  }
}

template <size_t kRows, size_t kChunks, class Weight>
HWY_NOINLINE void PatchTile(const IntegerSynapses& s, const SpikeFrame& spikes, size_t row,
                            const Weight* weights, const Tile& tile, int16_t* membranes) {
  const size_t lanes = hn::Lanes(Lanes16());
  const size_t channel_size = size_t{s.tap_rows} * s.run_chunks * kChunkLanes;
  const size_t channel_stride = s.destinations.size() / s.columns.size();
  for (size_t offset = 0; offset < kChunkLanes; offset += lanes) {
    PatchVectors<kRows, kChunks>(s, spikes, row, channel_stride, channel_size, weights + offset,
                                 tile, membranes + offset);
  }
}

template <size_t kRows, size_t kChunks, class Weight>
HWY_INLINE void AccumulateTile(const IntegerSynapses& s, const SpikeFrame& spikes, size_t row,
                               const Weight* weights, const Tile& tile, int16_t* membranes) {
  if (s.kind == AccumulateKind::kPatch) {
    PatchTile<kRows, kChunks>(s, spikes, row, weights, tile, membranes);
  } else {
    ScatterTile<kRows, kChunks>(s, spikes, row, weights, tile, membranes);
  }
}

template <size_t kRows, class Weight>
HWY_INLINE void AccumulateRows(const IntegerSynapses& s, const SpikeFrame& spikes, size_t row,
                               size_t chunks, const Weight* weights, const Tile& tile,
                               int16_t* membranes) {
  switch (chunks) {
    case 1:
      return AccumulateTile<kRows, 1>(s, spikes, row, weights, tile, membranes);
    case 2:
      return AccumulateTile<kRows, 2>(s, spikes, row, weights, tile, membranes);
    default:
      return AccumulateTile<kRows, 3>(s, spikes, row, weights, tile, membranes);
  }
}

// The spikes of source row `row` into one block of target channels. Large kernels go tile by tile:
// a membrane still meets its spikes in the same order.
template <class Weight>
HWY_INLINE void AccumulateBlock(const IntegerSynapses& s, const IntegerLayer& layer,
                                const SpikeFrame& spikes, size_t row, const Weight* weights,
                                int16_t* membranes) {
  constexpr size_t kMost = 3;
  const Tile tile = {layer.row_lanes, size_t{s.run_chunks} * kChunkLanes};
  const size_t rows = s.rows[row].count;
  for (size_t y = 0; y < rows; y += kMost) {
    for (size_t chunk = 0; chunk < s.run_chunks; chunk += kMost) {
      const size_t chunks = std::min<size_t>(kMost, s.run_chunks - chunk);
      const Weight* from = weights + y * tile.weight_pitch + chunk * kChunkLanes;
      int16_t* to = membranes + y * tile.membrane_pitch + chunk * kChunkLanes;
      switch (rows - y) {
        case 1:
          AccumulateRows<1>(s, spikes, row, chunks, from, tile, to);
          break;
        case 2:
          AccumulateRows<2>(s, spikes, row, chunks, from, tile, to);
          break;
        default:
          AccumulateRows<3>(s, spikes, row, chunks, from, tile, to);
          break;
      }
    }
  }
}

inline int16_t Saturate(int32_t value) {
  return static_cast<int16_t>(std::clamp(value, -32768, 32767));
}

inline void AccumulateIdentity(const IntegerSynapses& s, const SpikeFrame& spikes, size_t row,
                               int16_t* membranes) {
  for (const uint16_t spike : spikes.PositiveOf(row)) {
    const Destination to = s.destinations[spike];
    membranes[to.lane] = Saturate(membranes[to.lane] + s.wide[to.weight]);
  }
  for (const uint16_t spike : spikes.NegativeOf(row)) {
    const Destination to = s.destinations[spike];
    membranes[to.lane] = Saturate(membranes[to.lane] - s.wide[to.weight]);
  }
}

inline void AccumulateRow(const IntegerSynapses& s, const IntegerLayer& layer,
                          const SpikeFrame& spikes, size_t row, size_t block, int16_t* membranes) {
  const RowPlan& plan = s.rows[row];
  if (plan.count == 0) return;
  int16_t* first = membranes + block * layer.block_lanes() + size_t{plan.first} * layer.row_lanes;
  const size_t weights = block * s.block_size + plan.weight_offset;
  if (s.kind == AccumulateKind::kIdentity) {
    // Its destinations know their block.
    if (block == 0) AccumulateIdentity(s, spikes, row, first);
  } else if (s.wide != nullptr) {
    AccumulateBlock(s, layer, spikes, row, s.wide.get() + weights, first);
  } else {
    AccumulateBlock(s, layer, spikes, row, s.narrow.get() + weights, first);
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
