// Adds the rows of weights of one source row's spikes to the membranes.
//
// - Patch, wide: word by word, or position by position, the sums of all membranes that its spikes
//   reach are held in registers while the spikes stream through: two loads and additions a cycle.
//   The sum of one word, or of as many spikes of a position as are sure not to overflow, wraps; it
//   joins the membrane saturating.
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

HWY_BEFORE_NAMESPACE();
namespace cssrun::internal::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Lanes16 = hn::CappedTag<int16_t, kChunkLanes>;
using Vector16 = hn::Vec<Lanes16>;

HWY_INLINE Vector16 LoadWeights(const int16_t* HWY_RESTRICT weights) {
  return hn::Load(Lanes16(), weights);
}
HWY_INLINE Vector16 LoadWeights(const int8_t* HWY_RESTRICT weights) {
  return hn::PromoteTo(Lanes16(), hn::Load(hn::Rebind<int8_t, Lanes16>(), weights));
}

// Bits [first, first + lanes) of a half word as a mask.
HWY_INLINE hn::Mask<Lanes16> MaskOf(uint32_t half, size_t first) {
  const Lanes16 d;
  if constexpr (HWY_TARGET == HWY_SCALAR) {
    return hn::FirstN(d, (half >> first) & 1);
  } else {
    const uint64_t bits = half >> first;  // eight bytes: Highway may read as many
    return hn::LoadMaskBits(d, reinterpret_cast<const uint8_t*>(&bits));
  }
}

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
  template <class Weight>
  HWY_INLINE void Subtract(const Weight* HWY_RESTRICT weights, size_t pitch) {
    for (size_t k = 0; k < kCount; ++k) {
      sums[k] =
          hn::Sub(sums[k], LoadWeights(weights + k / kChunks * pitch + k % kChunks * kChunkLanes));
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
HWY_NOINLINE void WideTile(const IntegerSynapses& s, const SpikeLists& lists, const Weight* weights,
                           const Tile& tile, int16_t* membranes) {
  // Of which a sum cannot overflow.
  constexpr uint32_t kMostSpikes =
      32767 / (sizeof(Weight) == 1 ? kLargestNarrowWeight : kLargestWideWeight);
  const size_t lanes = hn::Lanes(Lanes16());
  const size_t pitch = WeightPitch<kChunks, kWholeRun>(tile);
  for (size_t offset = 0; offset < kChunkLanes; offset += lanes) {
    for (size_t column = 0; column < s.groups.size(); ++column) {
      const uint32_t* bounds = &lists.bounds[2 * column];
      const uint16_t* channel = lists.channels.data() + bounds[0];
      uint32_t positive = bounds[1] - bounds[0];
      uint32_t negative = bounds[2] - bounds[1];
      const Weight* HWY_RESTRICT base = weights + s.groups[column].weight + offset;
      int16_t* at = membranes + s.groups[column].lane + offset;
      while (positive + negative != 0) {
        Sums<kRows, kChunks> sums;
        sums.Clear();
        const uint32_t adds = std::min(positive, kMostSpikes);
        const uint32_t subtracts = std::min(negative, kMostSpikes - adds);
        for (const uint16_t* end = channel + adds; channel != end; ++channel) {
          sums.Add(base + *channel * tile.number_size, pitch);
        }
        for (const uint16_t* end = channel + subtracts; channel != end; ++channel) {
          sums.Subtract(base + *channel * tile.number_size, pitch);
        }
        sums.Join(at, tile.membrane_pitch);
        positive -= adds;
        negative -= subtracts;
      }
    }
  }
}

// Lists the spikes of each position of a row of several words a position.
HWY_INLINE void ListSpikes(const uint64_t* words, size_t columns, size_t blocks,
                           SpikeLists& lists) {
  const hn::CappedTag<uint16_t, kChunkLanes> du;
  const Lanes16 d;
  const size_t lanes = hn::Lanes(d);
  uint16_t* out = lists.channels.data();
  uint32_t* bounds = lists.bounds.data();
  *bounds++ = 0;
  for (size_t column = 0; column < columns; ++column, words += blocks) {
    for (const size_t shift : {size_t{0}, size_t{kChunkLanes}}) {
      for (size_t block = 0; block < blocks; ++block) {
        const auto half = static_cast<uint32_t>(words[block] >> shift);
        for (size_t i = 0; i < kChunkLanes; i += lanes) {
          const auto mask = MaskOf(half, i);
          const auto numbers = hn::Iota(du, static_cast<uint16_t>(block * kChunkLanes + i));
          hn::StoreU(hn::Compress(numbers, hn::RebindMask(du, mask)), du, out);
          out += hn::CountTrue(d, mask);
        }
      }
      *bounds++ = static_cast<uint32_t>(out - lists.channels.data());
    }
  }
}

// What of a row's spikes a kind of accumulation takes.
struct RowSpikes {
  const uint64_t* words = nullptr;
  const SpikeLists* lists = nullptr;
};

template <size_t kRows, size_t kChunks, bool kWholeRun, class Weight>
HWY_INLINE void AccumulateTile(const IntegerSynapses& s, const RowSpikes& spikes,
                               const Weight* weights, const Tile& tile, int16_t* membranes) {
  switch (s.kind) {
    case AccumulateKind::kPatch:
      return PatchTile<kRows, kChunks, kWholeRun>(s, spikes.words, weights, tile, membranes);
    case AccumulateKind::kWide:
      return WideTile<kRows, kChunks, kWholeRun>(s, *spikes.lists, weights, tile, membranes);
    default:
      return ScatterTile<kRows, kChunks, kWholeRun>(s, spikes.words, weights, tile, membranes);
  }
}

template <size_t kRows, class Weight>
HWY_INLINE void AccumulateRows(const IntegerSynapses& s, const RowSpikes& spikes, size_t chunks,
                               const Weight* weights, const Tile& tile, int16_t* membranes) {
  if (chunks != s.run_chunks) {
    switch (chunks) {
      case 1:
        return AccumulateTile<kRows, 1, false>(s, spikes, weights, tile, membranes);
      case 2:
        return AccumulateTile<kRows, 2, false>(s, spikes, weights, tile, membranes);
      default:
        return AccumulateTile<kRows, 3, false>(s, spikes, weights, tile, membranes);
    }
  }
  switch (chunks) {
    case 1:
      return AccumulateTile<kRows, 1, true>(s, spikes, weights, tile, membranes);
    case 2:
      return AccumulateTile<kRows, 2, true>(s, spikes, weights, tile, membranes);
    default:
      return AccumulateTile<kRows, 3, true>(s, spikes, weights, tile, membranes);
  }
}

// The spikes of source row `row` into one block of target channels. Large kernels go tile by tile.
template <class Weight>
HWY_INLINE void AccumulateBlock(const IntegerSynapses& s, const IntegerLayer& layer,
                                const RowSpikes& spikes, size_t rows, const Weight* weights,
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
          AccumulateRows<1>(s, spikes, chunks, from, tile, to);
          break;
        case 2:
          AccumulateRows<2>(s, spikes, chunks, from, tile, to);
          break;
        default:
          AccumulateRows<3>(s, spikes, chunks, from, tile, to);
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

// The spikes of source row `row` into all target blocks.
inline void AccumulateRow(const IntegerSynapses& s, const IntegerLayer& layer,
                          const SpikeFrame& frame, size_t row, SpikeLists& lists,
                          int16_t* membranes) {
  const RowPlan& plan = s.rows[row];
  if (plan.count == 0 || frame.counts[row] == 0) return;
  int16_t* first = membranes + size_t{plan.first} * layer.row_lanes;
  const RowSpikes spikes = {frame.Row(row), &lists};
  if (s.kind == AccumulateKind::kIdentity) {
    AccumulateIdentity(s, spikes.words, first);
    return;
  }
  if (s.kind == AccumulateKind::kWide) {
    const size_t blocks = s.source_stride / kChunkLanes;
    ListSpikes(spikes.words, s.groups.size(), blocks, lists);
  }
  for (size_t block = 0; block < layer.layout.blocks; ++block) {
    const size_t weights = block * s.block_size + plan.weight_offset;
    int16_t* to = first + block * layer.block_lanes();
    if (s.wide != nullptr) {
      AccumulateBlock(s, layer, spikes, plan.count, s.wide.get() + weights, to);
    } else {
      AccumulateBlock(s, layer, spikes, plan.count, s.narrow.get() + weights, to);
    }
  }
}

}  // namespace cssrun::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // CSSRUN_RUNTIME_INTEGER_ACCUMULATE_INL_H_
