// Adds the rows of weights of one source row's spikes to the membranes.
//
// - Patch: word by word, the sums of all membranes that its spikes reach are held in registers
// while
//   the spikes stream through. The sum of one word wraps; it joins the membranes saturating.
// - Scatter: for words of few spikes, which are not worth loading and storing all membranes: each
//   spike adds to its membranes in memory, saturating.
#if defined(CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#undef CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#else
#define CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "runtime/integer/kernels.h"
#include "runtime/integer/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A tile: some target rows, some chunks in each.
struct Tile {
  size_t membrane_pitch = 0;  // lanes from one target row to the next
  size_t weight_pitch = 0;    // weights from one tap row to the next
  size_t number_size = 0;     // weights from one number to the next
};

// The weights of a tile that is all of the run lie one after another: then their places are known
// to the compiler, which saves as many instructions as the additions are.
template <size_t kChunks, bool kWholeRun>
HWY_INLINE size_t WeightPitch(const Tile& tile) {
  return kWholeRun ? kChunks * kChunkLanes : tile.weight_pitch;
}

template <size_t kRows, size_t kChunks, bool kWholeRun, class Weight>
HWY_NOINLINE void ScatterTile(const IntegerSynapses& s, const uint64_t* words,
                              const Weight* weights, const Tile& tile, int16_t* membranes) {
  const Lanes16 d;
  const size_t lanes = hn::Lanes(d);
  const size_t pitch = WeightPitch<kChunks, kWholeRun>(tile);
  const Destination* numbers = s.numbers.data();
  constexpr size_t kBits = size_t{2} * kChunkLanes;
  const size_t count = s.numbers.size() / kBits;
  for (size_t w = 0; w < count; ++w, numbers += kBits) {
    for (uint64_t word = words[w]; word != 0; word &= word - 1) {
      const Destination to = numbers[std::countr_zero(word)];
      int16_t* HWY_RESTRICT row = membranes + to.lane;
      const Weight* HWY_RESTRICT weight = weights + to.weight;
      for (size_t y = 0; y < kRows; ++y, row += tile.membrane_pitch, weight += pitch) {
        for (size_t i = 0; i < kChunks * kChunkLanes; i += lanes) {
          hn::Store(hn::SaturatedAdd(hn::Load(d, row + i), LoadWeights(weight + i)), d, row + i);
        }
      }
    }
  }
}

// The sums of a tile, one vector of each chunk.
template <size_t kRows, size_t kChunks>
struct Sums {
  static constexpr size_t kCount = kRows * kChunks;

  HWY_INLINE void Clear() {
    for (size_t k = 0; k < kCount; ++k) sums[k] = hn::Zero(Lanes16());
  }
  template <class Weight>
  HWY_INLINE void Add(const Weight* HWY_RESTRICT weights, size_t pitch) {
    for (size_t k = 0; k < kCount; ++k) {
      sums[k] =
          hn::Add(sums[k], LoadWeights(weights + k / kChunks * pitch + k % kChunks * kChunkLanes));
    }
  }
  HWY_INLINE void Join(int16_t* HWY_RESTRICT membranes, size_t pitch) const {
    const Lanes16 d;
    for (size_t k = 0; k < kCount; ++k) {
      int16_t* at = membranes + k / kChunks * pitch + k % kChunks * kChunkLanes;
      hn::Store(hn::SaturatedAdd(hn::Load(d, at), sums[k]), d, at);
    }
  }

  Vector16 sums[kCount];
};

template <size_t kRows, size_t kChunks, bool kWholeRun, class Weight>
HWY_NOINLINE void PatchTile(const IntegerSynapses& s, const uint64_t* words, const Weight* weights,
                            const Tile& tile, int16_t* membranes) {
  const size_t lanes = hn::Lanes(Lanes16());
  const size_t pitch = WeightPitch<kChunks, kWholeRun>(tile);
  for (size_t offset = 0; offset < kChunkLanes; offset += lanes) {
    for (size_t w = 0; w < s.groups.size(); ++w) {
      uint64_t word = words[w];
      if (word == 0) continue;
      const Weight* HWY_RESTRICT base = weights + s.groups[w].weight + offset;
      Sums<kRows, kChunks> sums;
      sums.Clear();
      // Two at a time: the loop's end is easier to predict. Of no spike the number is 64: zeros.
      do {
        const auto first = static_cast<size_t>(std::countr_zero(word));
        word &= word - 1;
        const auto second = static_cast<size_t>(std::countr_zero(word));
        word &= word - 1;
        sums.Add(base + first * tile.number_size, pitch);
        sums.Add(base + second * tile.number_size, pitch);
      } while (word != 0);
      sums.Join(membranes + s.groups[w].lane + offset, tile.membrane_pitch);
    }
  }
}

template <size_t kRows, size_t kChunks, bool kWholeRun, class Weight>
HWY_INLINE void AccumulateTile(const IntegerSynapses& s, const uint64_t* words,
                               const Weight* weights, const Tile& tile, int16_t* membranes) {
  if (s.kind == AccumulateKind::kPatch) {
    PatchTile<kRows, kChunks, kWholeRun>(s, words, weights, tile, membranes);
  } else {
    ScatterTile<kRows, kChunks, kWholeRun>(s, words, weights, tile, membranes);
  }
}

template <size_t kRows, class Weight>
HWY_INLINE void AccumulateRows(const IntegerSynapses& s, const uint64_t* words, size_t chunks,
                               const Weight* weights, const Tile& tile, int16_t* membranes) {
  if (chunks != s.run_chunks) {
    switch (chunks) {
      case 1:
        return AccumulateTile<kRows, 1, false>(s, words, weights, tile, membranes);
      case 2:
        return AccumulateTile<kRows, 2, false>(s, words, weights, tile, membranes);
      default:
        return AccumulateTile<kRows, 3, false>(s, words, weights, tile, membranes);
    }
  }
  switch (chunks) {
    case 1:
      return AccumulateTile<kRows, 1, true>(s, words, weights, tile, membranes);
    case 2:
      return AccumulateTile<kRows, 2, true>(s, words, weights, tile, membranes);
    default:
      return AccumulateTile<kRows, 3, true>(s, words, weights, tile, membranes);
  }
}

// The spikes of source row `row` into one block of target channels. Large kernels go tile by tile.
template <class Weight>
HWY_INLINE void AccumulateBlock(const IntegerSynapses& s, const IntegerLayer& layer,
                                const uint64_t* words, size_t rows, const Weight* weights,
                                int16_t* membranes) {
  constexpr size_t kMost = 3;
  Tile tile;
  tile.membrane_pitch = layer.row_lanes;
  tile.weight_pitch = size_t{s.run_chunks} * kChunkLanes;
  tile.number_size = tile.weight_pitch * s.tap_rows;
  for (size_t y = 0; y < rows; y += kMost) {
    for (size_t chunk = 0; chunk < s.run_chunks; chunk += kMost) {
      const size_t chunks = std::min<size_t>(kMost, s.run_chunks - chunk);
      const Weight* from = weights + y * tile.weight_pitch + chunk * kChunkLanes;
      int16_t* to = membranes + y * tile.membrane_pitch + chunk * kChunkLanes;
      switch (rows - y) {
        case 1:
          AccumulateRows<1>(s, words, chunks, from, tile, to);
          break;
        case 2:
          AccumulateRows<2>(s, words, chunks, from, tile, to);
          break;
        default:
          AccumulateRows<3>(s, words, chunks, from, tile, to);
          break;
      }
    }
  }
}

inline void AccumulateIdentity(const IntegerSynapses& s, const uint64_t* words,
                               int16_t* membranes) {
  const Lanes16 d;
  const size_t count = s.lanes.size() / kChunkLanes;
  for (size_t w = 0; w < count; ++w) {
    const int16_t* weights = s.identity.get() + w * kChunkLanes;
    const uint32_t* lanes = s.lanes.data() + w * kChunkLanes;
    if (s.in_order) {
      if (words[w] == 0) continue;
      for (size_t i = 0; i < kChunkLanes; i += hn::Lanes(d)) {
        int16_t* at = membranes + lanes[0] + i;
        const auto up = MaskOf(static_cast<uint32_t>(words[w]), i);
        const auto down = MaskOf(static_cast<uint32_t>(words[w] >> kChunkLanes), i);
        const auto weight = hn::Load(d, weights + i);
        const auto sum = hn::SaturatedAdd(hn::LoadU(d, at), hn::IfThenElseZero(up, weight));
        hn::StoreU(hn::SaturatedSub(sum, hn::IfThenElseZero(down, weight)), d, at);
      }
      continue;
    }
    for (uint64_t word = words[w]; word != 0; word &= word - 1) {
      const auto bit = static_cast<uint32_t>(std::countr_zero(word));
      const uint32_t number = bit % kChunkLanes;
      int16_t& membrane = membranes[lanes[number]];
      const int weight = bit < kChunkLanes ? weights[number] : -weights[number];
      membrane = static_cast<int16_t>(std::clamp(membrane + weight, -32768, 32767));
    }
  }
}

// SyOPs of one row's spikes.
inline uint64_t CountSynops(const IntegerSynapses& s, const SpikeFrame& frame, size_t row) {
  const uint64_t* words = frame.Row(row);
  int64_t columns = int64_t{frame.counts[row]} * s.usual_fan_out;
  for (const IntegerSynapses::FanOutException& e : s.exceptions) {
    columns += std::popcount(words[e.word] & e.mask) * int64_t{e.difference};
  }
  return static_cast<uint64_t>(columns) * s.rows[row].readers * s.target_channels;
}

// The spikes of source row `row` into target rows [first_row, last_row), as far as they reach.
inline void AccumulateRow(const IntegerSynapses& s, const IntegerLayer& layer,
                          const SpikeFrame& frame, size_t row, size_t first_row, size_t last_row,
                          int16_t* membranes) {
  const RowPlan& plan = s.rows[row];
  const size_t first = std::max<size_t>(plan.first, first_row);
  const size_t last = std::min<size_t>(plan.first + plan.count, last_row);
  if (first >= last || frame.counts[row] == 0) return;
  int16_t* from = membranes + first * layer.row_lanes;
  if (s.kind == AccumulateKind::kIdentity) {
    AccumulateIdentity(s, frame.Row(row), from);
    return;
  }
  const size_t skipped = (first - plan.first) * s.run_chunks * kChunkLanes;
  for (size_t block = 0; block < layer.layout.blocks; ++block) {
    const size_t weights = block * s.block_size + plan.weight_offset + skipped;
    int16_t* to = from + block * layer.block_lanes();
    if (s.wide != nullptr) {
      AccumulateBlock(s, layer, frame.Row(row), last - first, s.wide.get() + weights, to);
    } else {
      AccumulateBlock(s, layer, frame.Row(row), last - first, s.narrow.get() + weights, to);
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
